"""Name the people in the provisioning log: by their IDs, from the stored users or from earlier entries."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select

from scimsvc.models import LogEntry, User
from scimsvc.protocol.users import work_address
from scimsvc.store.engine.statements import Query
from scimsvc.store.representations import read_document
from scimsvc.store.users import ENTERPRISE_ID, ID


class Person(NamedTuple):
    """A user, as people recognize them. The user may be deleted."""

    id: str
    email: str | None
    user_name: str | None
    external_id: str | None


class _Stored(NamedTuple):
    id: str
    document: str


_STORED = Query(select(User.id, User.document).where(User.enterprise_id == ENTERPRISE_ID, User.id == ID), _Stored)
#: The newest entry about a deleted user that has the address.
LAST_NAMED = Query(
    select(LogEntry.user_id.label("id"), LogEntry.email, LogEntry.user_name, LogEntry.external_id)
    .with_hint(LogEntry, "INDEXED BY log_user", "sqlite")
    .where(
        LogEntry.enterprise_id == bindparam("enterprise_id", type_=LogEntry.enterprise_id.type),
        LogEntry.user_id == bindparam("id", type_=LogEntry.user_id.type),
        LogEntry.email.is_not(None),
    )
    .order_by(LogEntry.id.desc())
    .limit(1),
    Person,
)


def find_person(connection: Connection, enterprise_id: str, user_id: str) -> Person | None:
    """Return the user with the ID, from the log if the user was deleted, or None if the ID is unknown."""
    parameters = {"enterprise_id": enterprise_id, "id": user_id}
    stored = _STORED.first(connection, parameters)
    return _person(stored) if stored is not None else LAST_NAMED.first(connection, parameters)


def list_people(connection: Connection, enterprise_id: str, user_ids: Collection[str]) -> list[Person]:
    """Return the stored users with these IDs."""
    statement = select(User.id, User.document).where(User.enterprise_id == enterprise_id, User.id.in_(user_ids))
    return [_person(row) for row in Query(statement, _Stored, dynamic=True).all(connection)]


def _person(row: _Stored) -> Person:
    user = read_document(row)
    return Person(row.id, work_address(user), user["userName"], user.get("externalId"))
