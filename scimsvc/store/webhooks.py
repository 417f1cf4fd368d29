"""Webhooks: each is a cursor in the change feed of its enterprise, and one in the events of its alerts.

The delivery loop reads the due webhooks and moves their cursors. It moves a cursor only from the position that it read,
so that a replay at the same time is not undone.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, delete, exists, func, insert, or_, select, true, update

from scimsvc.models import AlertEvent, Change, Enterprise, Webhook
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.engine.transactions import Connection


class WebhookRow(NamedTuple):
    """A webhook of an enterprise. The model describes the columns."""

    enterprise_id: str
    id: str
    url: str
    #: A JSON list of event types and patterns.
    types: str
    payload: str
    enabled: bool
    disabled_reason: str | None
    cursor: int
    alert_cursor: str
    key_id: str
    salt: str
    old_key_id: str | None
    old_salt: str | None
    old_until: str | None
    failures: int
    next_attempt_at: str | None
    failing_since: str | None
    last_success_at: str | None
    created_at: str


class _Count(NamedTuple):
    rows: int


class WebhookCounts(NamedTuple):
    """The numbers of enabled webhooks of all enterprises: those that fail now, and all."""

    failing: int
    enabled: int


_ENTERPRISE_ID = bindparam("enterprise_id", type_=Webhook.enterprise_id.type)
_THIS = and_(Webhook.enterprise_id == _ENTERPRISE_ID, Webhook.id == bindparam("webhook_id", type_=Webhook.id.type))
_AT_ITS_POSITION = and_(
    _THIS,
    Webhook.cursor == bindparam("old_cursor", type_=Webhook.cursor.type),
    Webhook.alert_cursor == bindparam("old_alert_cursor", type_=Webhook.alert_cursor.type),
)
_COLUMNS = tuple(getattr(Webhook, name) for name in WebhookRow._fields)

_OF_ENTERPRISE = Query(
    select(*_COLUMNS).where(Webhook.enterprise_id == _ENTERPRISE_ID).order_by(Webhook.created_at, Webhook.id),
    WebhookRow,
)
_ONE = Query(select(*_COLUMNS).where(_THIS), WebhookRow)
_ONE_FOR_UPDATE = Query(select(*_COLUMNS).where(_THIS).with_for_update(), WebhookRow)
_COUNT = Query(
    select(func.count().label("rows")).select_from(Webhook).where(Webhook.enterprise_id == _ENTERPRISE_ID), _Count
)
_COUNTS = Query(
    select(
        func.count(Webhook.failing_since).label("failing"),
        func.count().label("enabled"),
    ).where(Webhook.enabled == true()),
    WebhookCounts,
)
_INSERT = Write(insert(Webhook))
_DELETE = Write(delete(Webhook).where(_THIS))

# The delivery loop.

_HAS_CHANGE = exists().where(Change.enterprise_id == Webhook.enterprise_id, Change.number > Webhook.cursor)
_HAS_ALERT = exists().where(AlertEvent.enterprise_id == Webhook.enterprise_id, AlertEvent.id > Webhook.alert_cursor)
#: Reads the enabled webhooks, and for each of them at most one key of the feed and one of the alert events.
_SELECT_DUE = (
    select(*_COLUMNS)
    .join(Enterprise, and_(Enterprise.id == Webhook.enterprise_id, Enterprise.suspension.is_(None)))
    .where(
        Webhook.enabled == true(),
        or_(Webhook.next_attempt_at.is_(None), Webhook.next_attempt_at <= bindparam("now", type_=Webhook.url.type)),
        or_(_HAS_CHANGE, _HAS_ALERT),
    )
)
DUE = Query(_SELECT_DUE, WebhookRow)
_ONE_DUE = Query(_SELECT_DUE.where(_THIS), WebhookRow)
_CURSORS = {
    "cursor": bindparam("new_cursor", type_=Webhook.cursor.type),
    "alert_cursor": bindparam("new_alert_cursor", type_=Webhook.alert_cursor.type),
}
_MOVE = Write(update(Webhook).where(_AT_ITS_POSITION).values(_CURSORS))
_SUCCEED = Write(
    update(Webhook)
    .where(_AT_ITS_POSITION)
    .values(
        **_CURSORS,
        failures=0,
        next_attempt_at=None,
        failing_since=None,
        last_success_at=bindparam("at", type_=Webhook.last_success_at.type),
    )
)
_FAIL = Write(
    update(Webhook)
    .where(_AT_ITS_POSITION, Webhook.enabled == true())
    .values(
        failures=Webhook.failures + 1,
        next_attempt_at=bindparam("new_next_attempt_at", type_=Webhook.next_attempt_at.type),
        failing_since=func.coalesce(Webhook.failing_since, bindparam("at", type_=Webhook.failing_since.type)),
    )
)
_DISABLE = Write(
    update(Webhook)
    .where(_AT_ITS_POSITION, Webhook.enabled == true())
    .values(
        enabled=False,
        disabled_reason=bindparam("reason", type_=Webhook.disabled_reason.type),
        failures=Webhook.failures + 1,
        next_attempt_at=None,
        failing_since=func.coalesce(Webhook.failing_since, bindparam("at", type_=Webhook.failing_since.type)),
    )
)


def list_webhooks(connection: Connection, enterprise_id: str) -> list[WebhookRow]:
    """Return the webhooks of the enterprise, oldest first."""
    return _OF_ENTERPRISE.all(connection, {"enterprise_id": enterprise_id})


def find_webhook(connection: Connection, enterprise_id: str, webhook_id: str) -> WebhookRow | None:
    """Return the webhook with the ID."""
    return _ONE.first(connection, {"enterprise_id": enterprise_id, "webhook_id": webhook_id})


def lock_webhook(connection: Connection, enterprise_id: str, webhook_id: str) -> WebhookRow | None:
    """Return the webhook with the ID, and lock its row until the transaction ends."""
    return _ONE_FOR_UPDATE.first(connection, {"enterprise_id": enterprise_id, "webhook_id": webhook_id})


def count_webhooks(connection: Connection, enterprise_id: str) -> int:
    """Return the number of webhooks of the enterprise."""
    return _COUNT.one(connection, {"enterprise_id": enterprise_id}).rows


def count_enabled_webhooks(connection: Connection) -> WebhookCounts:
    """Return how many webhooks of all enterprises are enabled, and how many of them fail."""
    return _COUNTS.one(connection)


def insert_webhook(connection: Connection, webhook: WebhookRow) -> None:
    """Insert a webhook."""
    _INSERT.run(connection, webhook._asdict())


def update_webhook(connection: Connection, webhook: WebhookRow, columns: Mapping[str, Any]) -> None:
    """Update ``columns`` of the webhook."""
    this = (Webhook.enterprise_id == webhook.enterprise_id, Webhook.id == webhook.id)
    Write(update(Webhook).where(*this).values(dict(columns)), dynamic=True).run(connection)


def delete_webhook(connection: Connection, webhook: WebhookRow) -> None:
    """Delete the webhook with its deliveries."""
    _DELETE.run(connection, _key(webhook))


# The delivery loop.


def list_due_webhooks(connection: Connection, *, now: str) -> list[WebhookRow]:
    """Return the enabled webhooks of all enterprises that have a message to deliver or to skip at the time ``now``.

    Webhooks of suspended enterprises are left out.
    """
    return DUE.all(connection, {"now": now})


def find_due_webhook(connection: Connection, enterprise_id: str, webhook_id: str, *, now: str) -> WebhookRow | None:
    """Return the webhook with the ID if ``list_due_webhooks`` would return it."""
    return _ONE_DUE.first(connection, {"enterprise_id": enterprise_id, "webhook_id": webhook_id, "now": now})


def move_cursor(connection: Connection, webhook: WebhookRow, *, cursor: int, alert_cursor: str) -> bool:
    """Move the cursors over messages that the webhook does not want, and return whether it is still at its position.

    ``webhook`` is the row that the caller read. Nothing changes if its cursors have moved since.
    """
    return _MOVE.run(connection, _position(webhook, cursor, alert_cursor)) == 1


def record_success(connection: Connection, webhook: WebhookRow, *, cursor: int, alert_cursor: str, at: str) -> bool:
    """Move the cursors behind a delivered message, and end the failure. Like ``move_cursor`` otherwise."""
    return _SUCCEED.run(connection, _position(webhook, cursor, alert_cursor) | {"at": at}) == 1


def record_failure(connection: Connection, webhook: WebhookRow, *, next_attempt_at: str, at: str) -> bool:
    """Count a failed attempt and set the time of the next one. Like ``move_cursor`` otherwise."""
    parameters = _position(webhook) | {"new_next_attempt_at": next_attempt_at, "at": at}
    return _FAIL.run(connection, parameters) == 1


def disable_webhook(connection: Connection, webhook: WebhookRow, *, reason: str, at: str) -> bool:
    """Disable the webhook after a failed attempt. Its cursors stay. Like ``move_cursor`` otherwise."""
    return _DISABLE.run(connection, _position(webhook) | {"reason": reason, "at": at}) == 1


def _key(webhook: WebhookRow) -> dict[str, Any]:
    return {"enterprise_id": webhook.enterprise_id, "webhook_id": webhook.id}


def _position(webhook: WebhookRow, cursor: int | None = None, alert_cursor: str | None = None) -> dict[str, Any]:
    return {
        **_key(webhook),
        "old_cursor": webhook.cursor,
        "old_alert_cursor": webhook.alert_cursor,
        "new_cursor": cursor,
        "new_alert_cursor": alert_cursor,
    }
