"""Find a few users by the beginning of an address or userName, or by an ID.

Each statement reads few rows of an index.
"""

from typing import NamedTuple

from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.orm import InstrumentedAttribute

from scimsvc.models import User
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.users import work_address
from scimsvc.store.engine.statements import Query
from scimsvc.store.engine.transactions import Connection
from scimsvc.store.representations import read_document
from scimsvc.store.users import ENTERPRISE_ID

#: Follows every text that begins with the text before it.
_LAST = "\U0010ffff"
_LIMIT: BindParameter[int] = bindparam("limit")


class QuickUser(NamedTuple):
    """A user, as people recognize them."""

    id: str
    user_name: str
    email: str


class _Row(NamedTuple):
    id: str
    document: str


def _beginning(column: InstrumentedAttribute[str]) -> Query[_Row]:
    first, last = bindparam("first", type_=column.type), bindparam("last", type_=column.type)
    statement = select(User.id, User.document).where(
        User.enterprise_id == ENTERPRISE_ID, column >= first, column < last
    )
    return Query(statement.order_by(column).limit(_LIMIT), _Row)


def _equal(column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None]) -> Query[_Row]:
    value = bindparam("value", type_=User.external_id.type)
    statement = select(User.id, User.document).where(User.enterprise_id == ENTERPRISE_ID, column == value)
    if column is User.external_id:  # SQLite would not use the index where few users have an externalId
        statement = statement.with_hint(User, "INDEXED BY users_external_id", "sqlite")
    return Query(statement.limit(_LIMIT), _Row)


BY_ADDRESS, BY_NAME = _beginning(User.email_key), _beginning(User.user_name_key)
BY_ID, BY_EXTERNAL_ID = _equal(User.id), _equal(User.external_id)


def find_quickly(connection: Connection, enterprise_id: str, words: str, *, limit: int) -> list[QuickUser]:
    """Return users whose address or userName begins with ``words``, ignoring case, or whose ID or externalId it is."""
    key = fold(words)
    beginning = {"enterprise_id": enterprise_id, "first": key, "last": key + _LAST, "limit": limit}
    exactly = {"enterprise_id": enterprise_id, "value": words, "limit": limit}
    rows = [row for query in (BY_NAME, BY_ADDRESS) for row in query.all(connection, beginning)]
    rows += [row for query in (BY_ID, BY_EXTERNAL_ID) for row in query.all(connection, exactly)]
    documents = {row.id: row.document for row in rows}
    users = [read_document(_Row(id_, document)) for id_, document in list(documents.items())[:limit]]
    return [QuickUser(user["id"], user["userName"], work_address(user) or "") for user in users]
