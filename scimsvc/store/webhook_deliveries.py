"""The attempts to deliver messages to webhooks. They are kept for a week."""

from typing import Any, NamedTuple

from sqlalchemy import bindparam, insert, select

from scimsvc.models import WebhookDelivery
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.engine.transactions import Connection


class DeliveryRow(NamedTuple):
    """An attempt to deliver a message. The model describes the columns."""

    enterprise_id: str
    #: An ID of ``store.log.new_entry_id``.
    id: str
    webhook_id: str
    message_id: str
    type: str
    cursor: int | None
    attempt: int
    time: str
    status: int | None
    error: str | None
    duration_ms: int


#: Comes after every ID.
_AFTER_ALL = "g"
_INSERT = Write(insert(WebhookDelivery))
_NEWEST = Query(
    select(*(getattr(WebhookDelivery, name) for name in DeliveryRow._fields))
    .where(
        WebhookDelivery.enterprise_id == bindparam("enterprise_id", type_=WebhookDelivery.enterprise_id.type),
        WebhookDelivery.webhook_id == bindparam("webhook_id", type_=WebhookDelivery.webhook_id.type),
        WebhookDelivery.id < bindparam("before", type_=WebhookDelivery.id.type),
    )
    .order_by(WebhookDelivery.id.desc())
    .limit(bindparam("limit")),
    DeliveryRow,
)


def insert_delivery(connection: Connection, delivery: DeliveryRow) -> None:
    """Insert a delivery. Its webhook must exist."""
    _INSERT.run(connection, delivery._asdict())


def list_deliveries(
    connection: Connection, enterprise_id: str, webhook_id: str, *, before: str | None, limit: int
) -> list[DeliveryRow]:
    """Return at most ``limit`` deliveries of the webhook, newest first: those with an ID before ``before``."""
    parameters: dict[str, Any] = {"enterprise_id": enterprise_id, "webhook_id": webhook_id, "limit": limit}
    return _NEWEST.all(connection, parameters | {"before": before or _AFTER_ALL})
