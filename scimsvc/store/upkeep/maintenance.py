"""The kind of the database, the revision of its schema, checks of its file, and closing it."""

import os
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from scimsvc import clock
from scimsvc.extensions import Unservable, sqlite_file
from scimsvc.store.engine.database import FileId, current_database
from scimsvc.store.engine.outages import DATABASE_ERRORS, UNDEFINED_TABLE, describe_outage
from scimsvc.store.engine.statements import Query
from scimsvc.store.engine.transactions import Connection, between_writes, reading, snapshot

#: Seconds that a checkpoint waits for readers and other processes. The next checkpoint does the rest.
_CHECKPOINT_TIMEOUT = 0.5
#: A raw connection raises the errors of the driver.
_CHECKPOINT_ERRORS: tuple[type[Exception], ...] = (*DATABASE_ERRORS, sqlite3.Error)


class _Text(NamedTuple):
    value: str


class Space(NamedTuple):
    """The bytes of a SQLite file, and those of its pages that no row uses."""

    size: int
    unused: int


class _Size(NamedTuple):
    size: int


class _Pages(NamedTuple):
    page_size: int
    pages: int
    free_pages: int


_PAGES = Query(
    text(
        "SELECT page_size, page_count, freelist_count FROM pragma_page_size, pragma_page_count, pragma_freelist_count"
    ),
    _Pages,
    dynamic=True,
)
_REVISION = Query(text("SELECT version_num FROM alembic_version"), _Text)
_OLDEST_CODE = Query(text("SELECT oldest_code AS value FROM schema_support"), _Text)
_DATABASE_SIZE = Query(text("SELECT pg_database_size(current_database()) AS size"), _Size, dynamic=True)
_SERVER_TIME = Query(
    text("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') AS value"),
    _Text,
    dynamic=True,
)
_SERVER_VERSION = Query(text("SHOW server_version"), _Text, dynamic=True)


def is_sqlite() -> bool:
    """Return whether the database of the app is a SQLite file. The only other kind is PostgreSQL."""
    return current_database().engine.dialect.name == "sqlite"


def find_database_files() -> list[Path]:
    """Return the existing files of the SQLite database. PostgreSQL has none here."""
    path = find_database_file()
    if path is None:
        return []
    return [file for suffix in ("", "-wal", "-shm") if (file := path.with_name(path.name + suffix)).exists()]


def read_revision() -> str | None:
    """Return the revision of the schema. Raises one of ``DATABASE_ERRORS`` if it cannot be read."""
    with reading() as connection:
        row = _REVISION.first(connection)
    return None if row is None else row.value


def read_oldest_code() -> str:
    """Return the schema of the oldest code that may serve a database of a later version.

    Raises one of ``DATABASE_ERRORS`` if it cannot be read.
    """
    with reading() as connection:
        return _OLDEST_CODE.one(connection).value


#: The primary codes of SQLite's errors that do not end by themselves.
_FILE_FAULTS = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOLFS,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)
_PRIMARY_CODE = 0xFF


def find_fault(error: Exception) -> str | None:
    """Return the reason if ``error`` means that the database cannot be served at all, else None.

    A SQLite file that does not exist, and a PostgreSQL server that does not answer, may come later.
    """
    original = getattr(error, "orig", None)
    if isinstance(original, Unservable):
        return str(original)
    path = find_database_file()
    if path is None or not path.exists():
        return None
    code = getattr(original, "sqlite_errorcode", 0) & _PRIMARY_CODE
    if code not in _FILE_FAULTS:
        return None
    advice = _LOCKS if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PROTOCOL) else ""
    return f"{path} cannot be used: {describe_outage(error)}.{advice}"


_LOCKS = " Another program holds its lock, or its file system has no working locks, as on some network shares."


def is_damage(error: Exception) -> bool:
    """Return whether ``error`` means that the SQLite file is damaged."""
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", 0)
    return bool(code & _PRIMARY_CODE == sqlite3.SQLITE_CORRUPT)


def has_no_tables(error: Exception) -> bool:
    """Return whether ``error`` means that a table does not exist."""
    original = getattr(error, "orig", None)
    return getattr(original, "sqlstate", None) == UNDEFINED_TABLE or "no such table" in str(original)


def read_server_time() -> datetime | None:
    """Return the time of the PostgreSQL server, or None on SQLite."""
    if is_sqlite():
        return None
    with reading() as connection:
        return clock.parse_timestamp(_SERVER_TIME.one(connection).value)


def find_write_fault() -> str | None:
    """Return the reason if this user cannot write the SQLite file or its folder, else None."""
    path = find_database_file()
    if path is None or not path.exists():
        return None
    for written in (path, path.parent):
        if not os.access(written, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
            return f"{written} is read-only for this user."
    return None


def find_database_file() -> Path | None:
    """Return the path of the SQLite file, which may not exist, or None on PostgreSQL and for a database in memory."""
    return sqlite_file(current_database().engine.url.database or "") if is_sqlite() else None


def is_file_replaced() -> bool:
    """Return whether the SQLite file is no longer the one that was opened first, for example after a restore."""
    path, opened = find_database_file(), current_database().opened_file
    if path is None or opened is None:
        return False
    return FileId.find(path) != opened


def find_postgresql_version() -> str | None:
    """Return the version of the PostgreSQL server, or None if it does not answer."""
    try:
        with current_database().engine.connect() as connection:
            return _SERVER_VERSION.one(connection).value
    except DATABASE_ERRORS:
        return None


def list_damage(connection: Connection) -> list[str]:
    """Return the faults that SQLite finds in its file and indexes. For PostgreSQL, use its own tools (pg_amcheck)."""
    return _read_through(connection, "PRAGMA integrity_check") if is_sqlite() else []


def read_space() -> Space | None:
    """Return how much of a SQLite file is used, or None on PostgreSQL."""
    if not is_sqlite():
        return None
    with reading() as connection:
        pages = _PAGES.one(connection)
    return Space(pages.page_size * pages.pages, pages.page_size * pages.free_pages)


def read_size() -> int:
    """Return the bytes of the database: of the files of SQLite, or as PostgreSQL counts them."""
    if is_sqlite():
        return sum(file.stat().st_size for file in find_database_files())
    with reading() as connection:
        return _DATABASE_SIZE.one(connection).size


def find_damage() -> str | None:
    """Return the first fault of a SQLite file, without checking its indexes, or None."""
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
    """Move SQLite's write-ahead log into the database file. Return the type of the error if that fails."""
    if not is_sqlite():
        return None
    try:
        with between_writes():
            pooled = current_database().engine.raw_connection()
            try:
                # Outside of a transaction, and with a shorter timeout than a request.
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
