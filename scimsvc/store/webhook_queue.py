"""The events of alerts that webhooks deliver, beside the changes of the feed."""

from typing import NamedTuple

from sqlalchemy import bindparam, select

from scimsvc.models import AlertEvent
from scimsvc.store.engine.statements import Query
from scimsvc.store.engine.transactions import Connection


class AlertEventRow(NamedTuple):
    """An event of an alert."""

    id: str
    type: str
    #: The object of the alert, such as the ID of a webhook.
    subject: str
    time: str
    #: A JSON object.
    data: str


_EVENTS = Query(
    select(*(getattr(AlertEvent, name) for name in AlertEventRow._fields))
    .where(
        AlertEvent.enterprise_id == bindparam("enterprise_id", type_=AlertEvent.enterprise_id.type),
        AlertEvent.id > bindparam("after", type_=AlertEvent.id.type),
        AlertEvent.id < bindparam("before", type_=AlertEvent.id.type),
    )
    .order_by(AlertEvent.id)
    .limit(bindparam("limit")),
    AlertEventRow,
)


def list_alert_events(
    connection: Connection, enterprise_id: str, *, after: str, before: str, limit: int
) -> list[AlertEventRow]:
    """Return at most ``limit`` events of the enterprise with IDs between ``after`` and ``before``, oldest first."""
    return _EVENTS.all(connection, {"enterprise_id": enterprise_id, "after": after, "before": before, "limit": limit})
