"""Read the next messages of a webhook from the change feed and from the events of alerts.

The feed is in commit order, so no change appears before the cursor later. The IDs of alert events only follow their
times. An event is therefore delivered a few seconds after its time, when all earlier ones are committed.
"""

from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from scimsvc.notifications.event_types import is_wanted, read_types
from scimsvc.notifications.payloads import Message, alert_message, change_message
from scimsvc.store.engine.transactions import Connection
from scimsvc.store.feed import NumberedChange, list_changes
from scimsvc.store.log import first_id
from scimsvc.store.paging import CursorKeys
from scimsvc.store.webhook_queue import AlertEventRow, list_alert_events
from scimsvc.store.webhooks import WebhookRow
from scimsvc.vocabulary import EVENT_OF_CHANGE, AlertType

#: Changes, and alert events, that are read at once. Between two reads, changes of the webhook itself are noticed.
BATCH = 200
#: The age from which alert events are delivered.
SETTLED = timedelta(seconds=3)


class Position(NamedTuple):
    """The cursors of a webhook."""

    cursor: int
    alert_cursor: str


class Upcoming(NamedTuple):
    """The next messages of a webhook."""

    #: The messages that the webhook wants, oldest first, each with the position behind it.
    messages: list[tuple[Message, Position]]
    #: The position behind all messages that were read, wanted or not.
    end: Position
    #: The number of changes before the first message that are not stored any more.
    lost: int
    #: Whether further messages may follow.
    more: bool


def read_upcoming(connection: Connection, keys: CursorKeys, webhook: WebhookRow, *, now: datetime) -> Upcoming:
    """Return the next messages of the webhook."""
    enterprise_id, types = webhook.enterprise_id, read_types(webhook.types)
    changes = list_changes(connection, enterprise_id, after=webhook.cursor, limit=BATCH)
    settled = first_id(now - SETTLED)
    events = list_alert_events(connection, enterprise_id, after=webhook.alert_cursor, before=settled, limit=BATCH)
    lost = changes[0].number - webhook.cursor - 1 if changes else 0
    position = Position(webhook.cursor + lost, webhook.alert_cursor)
    messages = []
    for entry in _merged(changes, events):
        if isinstance(entry, NumberedChange):
            position = position._replace(cursor=entry.number)
            if is_wanted(EVENT_OF_CHANGE[entry.change.type], types):
                messages.append((change_message(keys, enterprise_id, entry), position))
        else:
            position = position._replace(alert_cursor=entry.id)
            if is_wanted(entry.type, types) and not _is_about(webhook, entry):
                messages.append((alert_message(enterprise_id, entry), position))
    return Upcoming(messages, position, lost, more=BATCH in (len(changes), len(events)))


def _is_about(webhook: WebhookRow, event: AlertEventRow) -> bool:
    """Return whether the event is about the webhook itself, which was enabled again since then."""
    return event.type == AlertType.WEBHOOK_DISABLED and event.subject == webhook.id


def _merged(changes: list[NumberedChange], events: list[AlertEventRow]) -> Iterator[NumberedChange | AlertEventRow]:
    """Yield both by time, each in its order. End with the last of a full batch, because others may follow it."""
    first, second = deque(changes), deque(events)
    while first and second:
        yield first.popleft() if first[0].change.time <= second[0].time else second.popleft()
    if len(events) < BATCH:
        yield from first
    if len(changes) < BATCH:
        yield from second
