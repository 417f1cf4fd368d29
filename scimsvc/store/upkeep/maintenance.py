"""The database as a whole: its kind, its schema's revision, its file, and its end."""

import sqlite3
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from scimsvc.extensions import NoWriteAheadLog
from scimsvc.store.engine.database import current_database
from scimsvc.store.engine.outages import DATABASE_ERRORS, describe_outage
from scimsvc.store.engine.statements import Query
from scimsvc.store.engine.transactions import Connection, between_writes, reading, snapshot

#: Seconds that a checkpoint waits for readers and for other processes; the next checkpoint does the rest.
_CHECKPOINT_TIMEOUT = 0.5
#: A raw connection raises the errors of the driver.
_CHECKPOINT_ERRORS: tuple[type[Exception], ...] = (*DATABASE_ERRORS, sqlite3.Error)


class _Text(NamedTuple):
    value: str


_REVISION = Query(text("SELECT version_num FROM alembic_version"), _Text)
_SERVER_VERSION = Query(text("SHOW server_version"), _Text, dynamic=True)


def is_sqlite() -> bool:
    """Tell whether the app's database is a SQLite file; the only other kind is PostgreSQL."""
    return current_database().engine.dialect.name == "sqlite"


def read_revision() -> str | None:
    """Return the revision of the schema; raises one of ``DATABASE_ERRORS`` if it cannot be read."""
    with reading() as connection:
        row = _REVISION.first(connection)
    return None if row is None else row.value


def find_file_fault(error: Exception) -> str | None:
    """Return why a SQLite file can never be served if ``error`` says so, else None."""
    original = getattr(error, "orig", None)
    return str(original) if isinstance(original, NoWriteAheadLog) else None


def find_postgresql_version() -> str | None:
    """Return the version of the PostgreSQL server, or None if it does not answer."""
    try:
        with current_database().engine.connect() as connection:
            return _SERVER_VERSION.one(connection).value
    except DATABASE_ERRORS:
        return None


def list_damage(connection: Connection) -> list[str]:
    """Return what SQLite finds wrong with its file and indexes; PostgreSQL has its own tools for that (pg_amcheck)."""
    return _read_through(connection, "PRAGMA integrity_check") if is_sqlite() else []


def find_damage() -> str | None:
    """Return the first fault of a SQLite file, without a look at its indexes, or None."""
    if not is_sqlite():
        return None
    with snapshot() as connection:
        return next(iter(_read_through(connection, "PRAGMA quick_check(1)")), None)


def _read_through(connection: Connection, pragma: str) -> list[str]:
    try:
        lines = connection.execute(text(pragma)).scalars().all()
    except DBAPIError as error:
        lines = [describe_outage(error)]
    return [] if lines == ["ok"] else [" ".join(line.split()) for line in lines]


def checkpoint() -> str | None:
    """Move SQLite's write-ahead log into the file; return the kind of error if that cannot be done now, else None."""
    if not is_sqlite():
        return None
    try:
        with between_writes():
            pooled = current_database().engine.raw_connection()
            try:
                # Outside of any transaction, and with less patience than a request has.
                pooled.execute(f"PRAGMA busy_timeout={_CHECKPOINT_TIMEOUT * 1000:.0f}")
                pooled.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                pooled.invalidate()
    except _CHECKPOINT_ERRORS as error:
        return type(error).__name__
    return None


def close_database() -> None:
    """Close every connection to the database."""
    current_database().engine.dispose()
