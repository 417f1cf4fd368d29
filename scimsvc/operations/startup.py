"""Checks before a server starts (requirements R11, R61, R63)."""

import os
import sqlite3
import sys
from importlib.metadata import version
from pathlib import Path

from flask import current_app

from scimsvc.errors import Conflict
from scimsvc.models import SCHEMA_REVISION
from scimsvc.operations.readiness import later_schema, may_serve
from scimsvc.settings.instance import SECRET_KEY_FILE
from scimsvc.settings.transport import find_unverified_host
from scimsvc.store.engine.outages import DATABASE_ERRORS
from scimsvc.store.upkeep.maintenance import (
    find_damage,
    find_database_files,
    find_fault,
    find_postgresql_version,
    find_write_fault,
    is_sqlite,
    read_revision,
)
from scimsvc.web.state import app_settings

#: The first and last version of SQLite with the WAL-reset fault, and the fixed versions between them (requirement R63).
#: With this fault, two connections that write or checkpoint at the same instant can damage a file in WAL mode.
_WAL_RESET_FAULT = ((3, 7, 0), (3, 51, 2))
_FIXED = ((3, 44, 6), (3, 50, 7))


def refuse_unsound_start(*, check: bool = False) -> None:
    """Raise ``Conflict`` if serving could do harm. A missing database is allowed, because it may be created later.

    With ``check``, check the whole SQLite file first.
    """
    try:
        revision = read_revision()
        is_too_late = revision is not None and revision > SCHEMA_REVISION and not may_serve(revision)
    except DATABASE_ERRORS as error:
        fault = find_fault(error)
        if fault is not None:
            raise Conflict(f"Cannot serve the database: {fault}") from None
        return
    fault = find_write_fault()
    if fault is not None:
        raise Conflict(f"Cannot serve the database: {fault}")
    if revision is not None and is_too_late:
        raise Conflict(later_schema(revision))
    damage = find_damage() if check else None
    if damage is not None:
        raise Conflict(f"The database is damaged: {damage}. Restore a backup.")


def describe_versions() -> str:
    """Return the versions to include in bug reports."""
    packages = {"Flask": "flask", "waitress": "waitress", "SQLAlchemy": "sqlalchemy"}
    return ", ".join(
        (
            f"scimsvc {version('scimsvc')}",
            f"Python {sys.version.split()[0]}",
            _database_version(),
            *(f"{name} {version(package)}" for name, package in packages.items()),
        )
    )


def start_warnings() -> tuple[str | None, ...]:
    """Return the warnings about this installation. Those that do not apply are None."""
    return why_not_this_sqlite(), why_not_this_connection(), why_others_can_read()


def _database_version() -> str:
    if is_sqlite():
        return f"SQLite {sqlite3.sqlite_version}"
    return f"PostgreSQL {find_postgresql_version() or '(no answer)'}, psycopg {version('psycopg')}"


def why_not_this_sqlite(found: tuple[int, int, int] = sqlite3.sqlite_version_info) -> str | None:
    """Return a warning if this version of SQLite has the WAL-reset fault, else None."""
    if not is_sqlite() or not has_wal_reset_fault(found):
        return None
    return (
        f"SQLite {'.'.join(map(str, found))} can damage a database file if several processes write at the same instant "
        "(the WAL-reset fault, fixed in 3.51.3, 3.50.7 and 3.44.6). "
        "Run only one process, or use a Python with a later SQLite."
    )


def why_not_this_connection() -> str | None:
    """Return a warning if PostgreSQL is on another host whose certificate is not verified, else None."""
    host = find_unverified_host(app_settings().database_url)
    if host is None:
        return None
    return (
        f"The connection to PostgreSQL on {host} does not verify the server's certificate. Others in the network could "
        "read or change data. Add sslmode=verify-full and sslrootcert to SCIMSVC_DATABASE_URL."
    )


def why_others_can_read() -> str | None:
    """Return a warning if other users of the machine can read the instance folder, the database or the key."""
    wide = list_open_files()
    if not wide:
        return None
    return f"Other users of this machine can open files of the service. Run chmod go= {' '.join(wide)}"


def list_open_files() -> list[str]:
    """Return the paths of the service's files that other users of the machine can open."""
    folder = Path(current_app.instance_path)
    paths = [folder, folder / SECRET_KEY_FILE, *find_database_files()]
    if os.name != "posix":
        return []
    return [str(path) for path in paths if path.exists() and path.stat().st_mode & _OTHERS]


#: The rights of the group and of others.
_OTHERS = 0o077


def has_wal_reset_fault(found: tuple[int, int, int]) -> bool:
    """Return whether this version of SQLite has the WAL-reset fault."""
    first, last = _WAL_RESET_FAULT
    is_fixed = any(found[:2] == fixed[:2] and found >= fixed for fixed in _FIXED)
    return first <= found <= last and not is_fixed
