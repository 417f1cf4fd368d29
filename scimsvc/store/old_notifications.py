"""Find and delete old rows of alerts, of what they are made of, and of deliveries to webhooks."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, select

from scimsvc import clock
from scimsvc.models import Alert, AlertEvent, ProviderCycle, WebhookDelivery
from scimsvc.store.engine.statements import Query
from scimsvc.store.engine.transactions import Connection
from scimsvc.store.log import first_id, time_of_id
from scimsvc.store.old_rows import ended, entries

CYCLES = ended(
    ProviderCycle,
    ProviderCycle.started_at,
    ProviderCycle.ended_at < bindparam("before", type_=ProviderCycle.ended_at.type),
)
ALERTS = ended(Alert, Alert.subject, Alert.closed_at < bindparam("before", type_=Alert.closed_at.type))
ALERT_EVENTS = entries(AlertEvent)
DELIVERIES = entries(WebhookDelivery)


class _Enterprise(NamedTuple):
    enterprise_id: str


class _Id(NamedTuple):
    id: str


_WITH_ALERTS = Query(select(Alert.enterprise_id).where(Alert.closed_at < bindparam("before")).distinct(), _Enterprise)
_WITH_EVENTS = Query(
    select(AlertEvent.enterprise_id).where(AlertEvent.id < bindparam("before")).distinct(), _Enterprise
)
#: The oldest of the newest deliveries, and the one before it.
_OLDEST_OF_NEWEST = Query(
    select(WebhookDelivery.id)
    .where(WebhookDelivery.enterprise_id == bindparam("enterprise_id", type_=WebhookDelivery.enterprise_id.type))
    .order_by(WebhookDelivery.id.desc())
    .offset(bindparam("position"))
    .limit(2),
    _Id,
)


def find_time_of_excess_deliveries(connection: Connection, enterprise_id: str, *, most: int) -> datetime | None:
    """Return the time of the oldest of the newest ``most`` deliveries, or None if the enterprise has no more."""
    rows = _OLDEST_OF_NEWEST.all(connection, {"enterprise_id": enterprise_id, "position": most - 1})
    return time_of_id(rows[0].id) if rows[1:] else None


def list_enterprises_with_old_alerts(connection: Connection, before: datetime) -> list[str]:
    """Return the IDs of the enterprises with alerts that closed before ``before``, or an empty ID."""
    return [row.enterprise_id for row in _WITH_ALERTS.all(connection, {"before": clock.timestamp(before)})]


def list_enterprises_with_old_events(connection: Connection, before: datetime) -> list[str]:
    """Return the IDs of the enterprises with events before ``before``. That of the installation is empty."""
    return [row.enterprise_id for row in _WITH_EVENTS.all(connection, {"before": first_id(before)})]
