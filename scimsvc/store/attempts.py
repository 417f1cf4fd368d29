"""The counts of wrong attempts. Each row counts until it expires."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, select, text, update

from scimsvc.models import Attempts
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.engine.transactions import Connection, read_rows


class CountRow(NamedTuple):
    """A count that has not expired."""

    key: str
    attempts: int
    expires_at: str


#: The maximum number of keys that one statement names.
MOST_KEYS = 5
_NAMES = [f"key_{number}" for number in range(MOST_KEYS)]
_NAMED = Attempts.key.in_([bindparam(name, type_=Attempts.key.type) for name in _NAMES])
_IS_CURRENT = Attempts.expires_at > bindparam("now")

_COUNTS = Query(
    select(Attempts.key, Attempts.count.label("attempts"), Attempts.expires_at).where(_NAMED, _IS_CURRENT), CountRow
)

# SQLAlchemy has ON CONFLICT only for each dialect, and importing PostgreSQL's delays the start of a process on SQLite.
_INSERT = 'INSERT INTO attempts ("key", count, expires_at) VALUES (:key, 1, :until) ON CONFLICT ("key") DO UPDATE SET '
#: A row that expires after ``latest`` was written before the clock was set back.
_BEGINS_AGAIN = "attempts.expires_at <= :now OR attempts.expires_at > :latest"
_ADD = Write(
    text(
        f"{_INSERT} count = CASE WHEN {_BEGINS_AGAIN} THEN 1 ELSE attempts.count + 1 END,"
        f" expires_at = CASE WHEN {_BEGINS_AGAIN} THEN excluded.expires_at ELSE attempts.expires_at END"
    )
)
_REMEMBER = Write(text(f"{_INSERT} count = 1, expires_at = excluded.expires_at"))
_SUBTRACT = Write(
    update(Attempts).where(_NAMED, _IS_CURRENT, Attempts.count > 0).values(count=Attempts.count - 1), columns=()
)
_DELETE_EXPIRED = Write(delete(Attempts).where(Attempts.expires_at <= bindparam("now")))


def read_attempts(keys: Sequence[str], *, now: str) -> dict[str, CountRow]:
    """Return the counts of ``keys`` that have not expired, outside of any transaction."""
    return {row.key: row for row in read_rows(_COUNTS, _named(keys, now=now))}


def add_attempts(
    connection: Connection, keys: Sequence[str], *, now: str, until: str, latest: str
) -> dict[str, CountRow]:
    """Count an attempt under each of ``keys``, and return the counts. A new count ends at ``until``.

    A count that ends after ``latest`` begins again. The rows stay locked until the transaction ends.
    """
    for key in keys:
        _ADD.run(connection, {"key": key, "now": now, "until": until, "latest": latest})
    return {row.key: row for row in _COUNTS.all(connection, _named(keys, now=now))}


def subtract_attempts(connection: Connection, keys: Sequence[str], *, now: str) -> None:
    """Take back an attempt under each of ``keys``."""
    _SUBTRACT.run(connection, _named(keys, now=now))


def remember_key(connection: Connection, key: str, *, until: str) -> None:
    """Keep a mark under ``key`` until the time ``until``."""
    _REMEMBER.run(connection, {"key": key, "until": until})


def delete_expired_attempts(connection: Connection, *, now: str) -> None:
    """Delete the counts and marks that have expired."""
    _DELETE_EXPIRED.run(connection, {"now": now})


def _named(keys: Sequence[str], *, now: str) -> Mapping[str, Any]:
    assert len(keys) <= MOST_KEYS
    names = dict.fromkeys(_NAMES, "") | dict(zip(_NAMES, keys, strict=False))
    return {**names, "now": now}
