"""What a server makes sure of before it serves and after it served (requirements R11, R61, R63)."""

import sqlite3
import sys
from importlib.metadata import version

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from scimsvc.errors import Conflict
from scimsvc.extensions import NoWriteAheadLog, db
from scimsvc.models import SCHEMA_REVISION
from scimsvc.operations.readiness import read_revision
from scimsvc.store.transactions import between_writes, snapshot

#: Seconds that a checkpoint waits for readers and for other processes; what is left over is the next one's.
_CHECKPOINT_PATIENCE = 0.5
#: The first and last version of SQLite in which two connections that write or checkpoint at the same instant can
#: damage a file in WAL mode, and the versions between them that were mended (requirement R63).
_WAL_RESET_FAULT = ((3, 7, 0), (3, 51, 2))
_MENDED = ((3, 44, 6), (3, 50, 7))


def refuse_unsound_start(*, check: bool = False) -> None:
    """Raise ``Conflict`` where serving would do harm; a database that is not there yet may still come.

    With ``check``, a SQLite file is read through first.
    """
    try:
        revision = read_revision()
    except DBAPIError as error:
        if isinstance(error.orig, NoWriteAheadLog):
            raise Conflict(f"the database cannot be served: {error.orig}") from None
        return
    if revision is not None and revision > SCHEMA_REVISION:
        raise Conflict(
            f"the database has schema {revision}, which is of a later version; this one works with {SCHEMA_REVISION}"
        )
    if check and db.engine.dialect.name == "sqlite":
        _refuse_damage()


def _refuse_damage() -> None:
    try:
        with snapshot() as connection:
            (found,) = connection.execute(text("PRAGMA quick_check(1)")).scalars()
    except DBAPIError as error:
        found = str(error.orig)
    if found != "ok":
        raise Conflict(f"the database is damaged: {' '.join(found.split())}; restore a backup")


def describe_versions() -> str:
    """Return the versions of everything that a report of a fault should name."""
    packages = {"Flask": "flask", "waitress": "waitress", "SQLAlchemy": "sqlalchemy"}
    return ", ".join(
        (
            f"scimsvc {version('scimsvc')}",
            f"Python {sys.version.split()[0]}",
            _database_version(),
            *(f"{name} {version(package)}" for name, package in packages.items()),
        )
    )


def _database_version() -> str:
    if db.engine.dialect.name == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    driver = f"psycopg {version('psycopg')}"
    try:
        with db.engine.connect() as connection:
            return f"PostgreSQL {connection.execute(text('SHOW server_version')).scalar_one()}, {driver}"
    except DBAPIError:
        return f"PostgreSQL (no answer), {driver}"


def why_not_this_sqlite(found: tuple[int, int, int] = sqlite3.sqlite_version_info) -> str | None:
    """Return None for a version of SQLite without the WAL-reset fault, else what to tell the operator."""
    if db.engine.dialect.name != "sqlite" or not has_wal_reset_fault(found):
        return None
    return (
        f"SQLite {'.'.join(map(str, found))} can damage a file that several processes write at the same instant "
        "(the WAL-reset fault, mended in 3.51.3, 3.50.7 and 3.44.6); "
        "serve it by one process, or use a Python with a later SQLite"
    )


def has_wal_reset_fault(found: tuple[int, int, int]) -> bool:
    """Tell whether this version of SQLite has the fault."""
    first, last = _WAL_RESET_FAULT
    is_mended = any(found[:2] == mended[:2] and found >= mended for mended in _MENDED)
    return first <= found <= last and not is_mended


def checkpoint() -> None:
    """Put SQLite's write-ahead log into the file and empty it, as far as nobody is in the way."""
    if db.engine.dialect.name != "sqlite":
        return
    with between_writes():
        pooled = db.engine.raw_connection()
        try:
            # Outside any transaction, and without the patience of a request.
            pooled.execute(f"PRAGMA busy_timeout={_CHECKPOINT_PATIENCE * 1000:.0f}")
            pooled.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            pooled.invalidate()
