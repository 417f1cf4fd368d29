"""Announce alerts: a row for webhooks, an e-mail for each subscriber, and a warning in the log."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from scimsvc import clock
from scimsvc.notifications.alerts.conditions import Condition, is_urgent
from scimsvc.notifications.alerts.words import describe, link_to
from scimsvc.protocol.json_text import write_json
from scimsvc.store.alerts import NewAlertEvent, find_newest_event, insert_event
from scimsvc.store.engine.transactions import Connection
from scimsvc.store.log import new_entry_id, time_of_id

_log = logging.getLogger("scimsvc")


class Event(NamedTuple):
    """An alert that is announced: raised, got worse, or is repeated."""

    condition: Condition
    raised_at: str
    is_reminder: bool


def insert_events(connection: Connection, events: Sequence[Event], now: datetime) -> None:
    """Insert the rows that webhooks deliver. Each follows the newest one of its enterprise, whatever the clock says."""
    for event in events:
        condition = event.condition
        newest = find_newest_event(connection, condition.enterprise_id)
        at = now if newest is None else max(now, time_of_id(newest) + timedelta(milliseconds=1))
        row = NewAlertEvent(
            enterprise_id=condition.enterprise_id,
            id=new_entry_id(at),
            type=condition.type,
            subject=condition.subject,
            time=clock.timestamp(now),
            data=write_json(event_data(event)),
        )
        insert_event(connection, row)


def event_data(event: Event) -> dict[str, Any]:
    """Return the data of the message to webhooks."""
    condition = event.condition
    words = describe(condition.type, condition.facts)
    return {
        "enterprise_id": condition.enterprise_id,
        "enterprise": condition.enterprise,
        "since": event.raised_at,
        "is_reminder": event.is_reminder,
        "is_urgent": is_urgent(condition.type, condition.stage),
        "title": words.title,
        "url": link_to(condition.enterprise_id, words.page),
        **condition.facts,
    }


def log_events(events: Sequence[Event]) -> None:
    """Log a warning for each event, so that it is seen without e-mail and webhooks. Call this after the commit."""
    for event in events:
        condition = event.condition
        words = describe(condition.type, condition.facts)
        _log.warning("%s: %s. %s", condition.enterprise or "Installation", words.title, words.advice)
