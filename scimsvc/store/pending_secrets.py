"""The secret of a session that the next page shows once. The row does not reveal it by itself."""

from typing import NamedTuple

from sqlalchemy import bindparam, select, update

from scimsvc.models import Session
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.engine.transactions import Connection


class _Pending(NamedTuple):
    pending_secret: str | None


_ID = bindparam("session_id", type_=Session.id.type)
_OLD = bindparam("old", type_=Session.pending_secret.type)
_FIND = Query(select(Session.pending_secret).where(Session.id == _ID), _Pending)
_SET = Write(update(Session).where(Session.id == _ID).values(pending_secret=bindparam("new_pending_secret")))
_TAKE = Write(update(Session).where(Session.id == _ID, Session.pending_secret == _OLD).values(pending_secret=None))


def find_pending_secret(connection: Connection, session_id: str) -> str | None:
    """Return the pending secret of the session, or None."""
    row = _FIND.first(connection, {"session_id": session_id})
    return row.pending_secret if row is not None else None


def set_pending_secret(connection: Connection, session_id: str, sealed: str) -> bool:
    """Store the pending secret of the session, in place of another one. False if the session has ended."""
    return _SET.run(connection, {"session_id": session_id, "new_pending_secret": sealed}) == 1


def take_pending_secret(connection: Connection, session_id: str, sealed: str) -> bool:
    """Remove the pending secret of the session. False if another request did so."""
    return _TAKE.run(connection, {"session_id": session_id, "old": sealed}) == 1
