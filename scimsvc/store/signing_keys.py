"""The keys of the server that started last, and the fingerprint of the secret keys that they are."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import delete, insert, select, text

from scimsvc.models import SigningKey
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.engine.transactions import Connection


class SigningKeyRow(NamedTuple):
    """The ID of a key of the server, and the time since which a server has used it."""

    key_id: str
    served_at: str


_ALL = Query(select(SigningKey.key_id, SigningKey.served_at).order_by(SigningKey.key_id), SigningKeyRow)
_DELETE = Write(delete(SigningKey))
_INSERT = Write(insert(SigningKey))
#: Two servers that start together with a new database must not both find it without keys.
_LOCK = text("LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE")


def list_signing_keys(connection: Connection) -> list[SigningKeyRow]:
    """Return the keys of the server that started last. The list is empty before a server has started."""
    return _ALL.all(connection)


def lock_signing_keys(connection: Connection) -> None:
    """Let other servers wait until this transaction has ended. On SQLite every write does."""
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK)


def replace_signing_keys(connection: Connection, key_ids: Iterable[str], *, at: str) -> None:
    """Set the keys of the server."""
    _DELETE.run(connection)
    for key_id in key_ids:
        _INSERT.run(connection, {"key_id": key_id, "served_at": at})
