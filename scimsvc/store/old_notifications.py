"""Find and delete old rows of alerts and of what they are made of."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, select

from scimsvc import clock
from scimsvc.models import Alert, AlertEvent, ProviderCycle
from scimsvc.store.engine.statements import Query
from scimsvc.store.engine.transactions import Connection
from scimsvc.store.log import first_id
from scimsvc.store.old_rows import ended, entries

CYCLES = ended(
    ProviderCycle,
    ProviderCycle.started_at,
    ProviderCycle.ended_at < bindparam("before", type_=ProviderCycle.ended_at.type),
)
ALERTS = ended(Alert, Alert.subject, Alert.closed_at < bindparam("before", type_=Alert.closed_at.type))
ALERT_EVENTS = entries(AlertEvent)


class _Enterprise(NamedTuple):
    enterprise_id: str


_WITH_ALERTS = Query(select(Alert.enterprise_id).where(Alert.closed_at < bindparam("before")).distinct(), _Enterprise)
_WITH_EVENTS = Query(
    select(AlertEvent.enterprise_id).where(AlertEvent.id < bindparam("before")).distinct(), _Enterprise
)


def list_enterprises_with_old_alerts(connection: Connection, before: datetime) -> list[str]:
    """Return the IDs of the enterprises with alerts that closed before ``before``, or an empty ID."""
    return [row.enterprise_id for row in _WITH_ALERTS.all(connection, {"before": clock.timestamp(before)})]


def list_enterprises_with_old_events(connection: Connection, before: datetime) -> list[str]:
    """Return the IDs of the enterprises with events before ``before``. That of the installation is empty."""
    return [row.enterprise_id for row in _WITH_EVENTS.all(connection, {"before": first_id(before)})]
