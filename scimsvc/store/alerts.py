"""Alerts and their events. The events are read by webhooks, each from its own position."""

from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, delete, func, insert, or_, select, text, update

from scimsvc.models import Alert, AlertEvent
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.engine.transactions import Connection


class AlertRow(NamedTuple):
    """An alert. The model describes the columns."""

    enterprise_id: str
    type: str
    subject: str
    raised_at: str
    stage: int
    last_event_at: str
    closed_at: str | None
    facts: str


class NewAlertEvent(NamedTuple):
    """An event of an alert to insert."""

    enterprise_id: str
    #: An ID of ``store.log.new_entry_id``.
    id: str
    type: str
    subject: str
    time: str
    data: str


class _Id(NamedTuple):
    id: str | None


class _Count(NamedTuple):
    rows: int


_COLUMNS = tuple(getattr(Alert, name) for name in AlertRow._fields)
_ENTERPRISE_ID = bindparam("enterprise_id", type_=Alert.enterprise_id.type)
_SINCE = bindparam("since", type_=Alert.raised_at.type)
_IS_OPEN = Alert.closed_at.is_(None)
_THIS = and_(
    Alert.enterprise_id == _ENTERPRISE_ID,
    Alert.type == bindparam("alert_type", type_=Alert.type.type),
    Alert.subject == bindparam("alert_subject", type_=Alert.subject.type),
)

_RECENT = Query(select(*_COLUMNS).where(or_(_IS_OPEN, Alert.last_event_at >= _SINCE)), AlertRow)
_ONE = Query(select(*_COLUMNS).where(_THIS), AlertRow)
_OF_ENTERPRISE = Query(
    select(*_COLUMNS)
    .where(Alert.enterprise_id == _ENTERPRISE_ID, or_(_IS_OPEN, Alert.closed_at >= _SINCE))
    .order_by(Alert.raised_at.desc(), Alert.type, Alert.subject),
    AlertRow,
)
_OPEN_COUNT = Query(
    select(func.count().label("rows")).select_from(Alert).where(Alert.enterprise_id == _ENTERPRISE_ID, _IS_OPEN),
    _Count,
)
_ALL_OPEN = Query(select(func.count().label("rows")).select_from(Alert).where(_IS_OPEN), _Count)
# SQLAlchemy has ON CONFLICT only for each dialect, and importing PostgreSQL's delays the start of a process on SQLite.
_PUT = Write(
    text(
        "INSERT INTO alerts (enterprise_id, type, subject, raised_at, stage, last_event_at, closed_at, facts) "
        "VALUES (:enterprise_id, :type, :subject, :raised_at, :stage, :last_event_at, :closed_at, :facts) "
        "ON CONFLICT (enterprise_id, type, subject) DO UPDATE SET raised_at = excluded.raised_at, "
        "stage = excluded.stage, last_event_at = excluded.last_event_at, closed_at = excluded.closed_at, "
        "facts = excluded.facts"
    )
)
_CLOSE = Write(
    update(Alert).where(_THIS, _IS_OPEN).values(closed_at=bindparam("at", type_=Alert.closed_at.type)), columns=()
)
_DELETE_ALERTS = Write(delete(Alert).where(Alert.enterprise_id == _ENTERPRISE_ID))
_DELETE_EVENTS = Write(delete(AlertEvent).where(AlertEvent.enterprise_id == _ENTERPRISE_ID))
_INSERT_EVENT = Write(insert(AlertEvent))
_NEWEST_EVENT = Query(
    select(func.max(AlertEvent.id).label("id")).where(AlertEvent.enterprise_id == _ENTERPRISE_ID), _Id
)


def list_recent_alerts(connection: Connection, *, since: str) -> list[AlertRow]:
    """Return the open alerts of all enterprises and of the installation, and those with an event since ``since``."""
    return _RECENT.all(connection, {"since": since})


def list_alerts_of(connection: Connection, enterprise_id: str, *, closed_since: str) -> list[AlertRow]:
    """Return the open alerts of the enterprise, and those that closed since ``closed_since``, newest first."""
    return _OF_ENTERPRISE.all(connection, {"enterprise_id": enterprise_id, "since": closed_since})


def count_open_alerts(connection: Connection, enterprise_id: str) -> int:
    """Return the number of open alerts of the enterprise."""
    return _OPEN_COUNT.one(connection, {"enterprise_id": enterprise_id}).rows


def count_all_open_alerts(connection: Connection) -> int:
    """Return the number of open alerts of all enterprises and of the installation."""
    return _ALL_OPEN.one(connection).rows


def find_alert(connection: Connection, enterprise_id: str, type_: str, subject: str) -> AlertRow | None:
    """Return the alert, which may be closed."""
    return _ONE.first(connection, _key(enterprise_id, type_, subject))


def put_alert(connection: Connection, alert: AlertRow) -> None:
    """Insert the alert, or replace the one with the same subject."""
    _PUT.run(connection, alert._asdict())


def close_alert(connection: Connection, alert: AlertRow, *, at: str) -> None:
    """Close the alert, unless it is closed."""
    _CLOSE.run(connection, _key(alert.enterprise_id, alert.type, alert.subject) | {"at": at})


def insert_event(connection: Connection, event: NewAlertEvent) -> None:
    """Insert an event. Its ID must follow ``find_newest_event``, so that no webhook misses it."""
    _INSERT_EVENT.run(connection, event._asdict())


def find_newest_event(connection: Connection, enterprise_id: str) -> str | None:
    """Return the ID of the newest event of the enterprise, or None."""
    return _NEWEST_EVENT.one(connection, {"enterprise_id": enterprise_id}).id


def delete_alerts(connection: Connection, enterprise_id: str) -> None:
    """Delete all alerts and events of an enterprise."""
    _DELETE_ALERTS.run(connection, {"enterprise_id": enterprise_id})
    _DELETE_EVENTS.run(connection, {"enterprise_id": enterprise_id})


def _key(enterprise_id: str, type_: str, subject: str) -> dict[str, Any]:
    return {"enterprise_id": enterprise_id, "alert_type": type_, "alert_subject": subject}
