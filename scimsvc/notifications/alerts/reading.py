"""Read the alerts of an enterprise or of the installation, for pages."""

import json
from typing import Any

from scimsvc import clock
from scimsvc.activity.pruning import ALERTS_KEPT
from scimsvc.notifications.alerts.conditions import is_urgent
from scimsvc.notifications.alerts.words import describe
from scimsvc.store.alerts import AlertRow, count_open_alerts, list_alerts_of
from scimsvc.store.audit import INSTALLATION
from scimsvc.store.engine.transactions import reading


def show_alerts(enterprise_id: str = INSTALLATION) -> dict[str, list[dict[str, Any]]]:
    """Return the ``open`` alerts of the enterprise, or of the installation, and the ``closed`` ones of a month."""
    with reading() as connection:
        since = clock.timestamp(clock.now() - ALERTS_KEPT)
        rows = list_alerts_of(connection, enterprise_id, closed_since=since)
    alerts = [_represent(row) for row in rows]
    return {
        "open": sorted((each for each in alerts if each["closed_at"] is None), key=lambda each: not each["is_urgent"]),
        "closed": [each for each in alerts if each["closed_at"] is not None],
    }


def count_alerts(enterprise_id: str = INSTALLATION) -> int:
    """Return the number of open alerts of the enterprise, or of the installation."""
    with reading() as connection:
        return count_open_alerts(connection, enterprise_id)


def open_alerts(enterprise_id: str = INSTALLATION) -> list[dict[str, Any]]:
    """Return the open alerts of the enterprise, or of the installation, urgent ones first."""
    return show_alerts(enterprise_id)["open"]


def _represent(row: AlertRow) -> dict[str, Any]:
    words = describe(row.type, json.loads(row.facts))
    return {
        "type": row.type,
        "subject": row.subject,
        "is_urgent": is_urgent(row.type, row.stage),
        "raised_at": row.raised_at,
        "last_event_at": row.last_event_at,
        "closed_at": row.closed_at,
        "title": words.title,
        "advice": words.advice,
        "lines": list(words.lines),
        "action": words.action,
        "page": words.page,
    }
