"""The sessions of the console. A row counts until its session ends, and is then pruned (``old_rows``)."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from scimsvc import clock
from scimsvc.models import Admin, Enterprise, Session
from scimsvc.store.admins import ADMIN_COLUMNS, AdminRow
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.engine.transactions import Connection, read_rows

#: How long a session lasts without a request, and in total.
IDLE = timedelta(minutes=30)
LONGEST_SESSION = timedelta(hours=12)


class SessionRow(NamedTuple):
    """A session."""

    id: str
    started_at: str
    seen_at: str
    confirmed_at: str
    address: str
    user_agent: str


class SessionOfAdmin(NamedTuple):
    """A session and its account."""

    session: SessionRow
    admin: AdminRow


class NewSession(NamedTuple):
    """A session to insert."""

    id: str
    admin_id: str
    epoch: int
    started_at: str
    seen_at: str
    confirmed_at: str
    address: str
    user_agent: str


class AdminMissing(Exception):
    """The account of the session no longer exists."""


_COLUMNS = (
    Session.id.label("session_id"),
    Session.started_at,
    Session.seen_at,
    Session.confirmed_at,
    Session.address,
    Session.user_agent,
)
_ID = bindparam("session_id", type_=Session.id.type)
_ADMIN_ID = bindparam("admin_id", type_=Session.admin_id.type)
_LIMIT: BindParameter[int] = bindparam("limit")
_IS_CURRENT = and_(
    Session.epoch == Admin.epoch,
    Session.started_at > bindparam("started_after", type_=Session.started_at.type),
    Session.seen_at > bindparam("seen_after", type_=Session.seen_at.type),
)
_CURRENT = (
    select(*_COLUMNS, *ADMIN_COLUMNS)
    .select_from(Session)
    .join(Admin, Admin.id == Session.admin_id)
    .outerjoin(Enterprise, Enterprise.id == Admin.enterprise_id)
    .where(_IS_CURRENT)
)
_BY_ID = Query(_CURRENT.where(Session.id == _ID), SessionOfAdmin)
_NEWEST_FIRST = _CURRENT.order_by(Session.seen_at.desc(), Session.id)
_OF_ADMIN = Query(_NEWEST_FIRST.where(Session.admin_id == _ADMIN_ID), SessionOfAdmin)
_OF_ALL = Query(_NEWEST_FIRST.limit(_LIMIT), SessionOfAdmin)
_INSERT = Write(insert(Session))
_NOTE_USE = Write(update(Session).where(Session.id == _ID).values(seen_at=bindparam("new_seen_at")))
_RENEW = Write(
    update(Session)
    .where(Session.id == _ID)
    .values(id=bindparam("new_id"), seen_at=bindparam("new_seen_at"), confirmed_at=bindparam("new_confirmed_at"))
)
_DELETE = Write(delete(Session).where(Session.id == _ID))
_DELETE_ENDED = Write(
    delete(Session).where(
        Session.admin_id == _ADMIN_ID,
        or_(
            Session.epoch != bindparam("epoch"),
            Session.started_at <= bindparam("started_after", type_=Session.started_at.type),
            Session.seen_at <= bindparam("seen_after", type_=Session.seen_at.type),
        ),
    )
)
_DELETE_OTHERS = Write(delete(Session).where(Session.admin_id == _ADMIN_ID, Session.id != _ID))


def read_session(session_id: str, *, now: datetime) -> SessionOfAdmin | None:
    """Return the session with the ID and its account, or None if it has ended, outside of any transaction."""
    rows = read_rows(_BY_ID, {"session_id": session_id, **_limits(now)})
    return rows[0] if rows else None


def find_session(connection: Connection, session_id: str, *, now: datetime) -> SessionOfAdmin | None:
    """Return the session with the ID and its account, or None if it has ended."""
    return _BY_ID.first(connection, {"session_id": session_id, **_limits(now)})


def list_sessions(connection: Connection, admin_id: str, *, now: datetime) -> list[SessionRow]:
    """Return the sessions of the account, the one that was used last first."""
    return [row.session for row in _OF_ADMIN.all(connection, {"admin_id": admin_id, **_limits(now)})]


def list_all_sessions(connection: Connection, *, now: datetime, limit: int) -> list[SessionOfAdmin]:
    """Return at most ``limit`` sessions of all accounts, the one that was used last first."""
    return _OF_ALL.all(connection, {"limit": limit, **_limits(now)})


def _limits(now: datetime) -> dict[str, Any]:
    """Return the times after which a session that has not ended at the time ``now`` started and was used."""
    return {"started_after": clock.timestamp(now - LONGEST_SESSION), "seen_after": clock.timestamp(now - IDLE)}


def insert_session(connection: Connection, session: NewSession) -> None:
    """Insert a session. Raises ``AdminMissing``."""
    try:
        _INSERT.run(connection, session._asdict() | {"pending_secret": None})
    except IntegrityError:
        raise AdminMissing from None


def update_session_use(connection: Connection, session_id: str, *, at: str) -> None:
    """Set the time of the session's last request."""
    _NOTE_USE.run(connection, {"session_id": session_id, "new_seen_at": at})


def renew_session(connection: Connection, session_id: str, *, new_id: str, at: str) -> bool:
    """Replace the ID of the session, and note that the password was entered. False if the session has ended."""
    parameters = {"session_id": session_id, "new_id": new_id, "new_seen_at": at, "new_confirmed_at": at}
    return _RENEW.run(connection, parameters) == 1


def delete_session(connection: Connection, session_id: str) -> bool:
    """End the session. False if it has ended already."""
    return _DELETE.run(connection, {"session_id": session_id}) == 1


def delete_ended_sessions(connection: Connection, admin_id: str, *, epoch: int, now: datetime) -> None:
    """Delete the sessions of the account that have ended. The account is in the ``epoch``."""
    _DELETE_ENDED.run(connection, {"admin_id": admin_id, "epoch": epoch, **_limits(now)})


def delete_sessions(connection: Connection, admin_id: str, *, except_id: str = "") -> int:
    """End the sessions of the account, except one, and return their number. It may count some that ended before."""
    return _DELETE_OTHERS.run(connection, {"admin_id": admin_id, "session_id": except_id})
