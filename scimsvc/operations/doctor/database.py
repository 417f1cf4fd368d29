"""Check that the database can be read and written, its schema, and its connection."""

import os
from collections.abc import Iterator
from functools import partial

from scimsvc.models import SCHEMA_REVISION
from scimsvc.operations.doctor.findings import Finding, Kind, Severity, Topic
from scimsvc.operations.readiness import may_serve
from scimsvc.operations.startup import describe_versions, why_not_this_connection, why_not_this_sqlite
from scimsvc.store.engine.outages import DATABASE_ERRORS, describe_outage
from scimsvc.store.upkeep.maintenance import (
    find_damage,
    find_database_file,
    find_fault,
    find_write_fault,
    has_no_tables,
    is_damage,
    is_file_replaced,
    read_revision,
)

MISSING = Kind("database.missing", Severity.ERROR, "The SQLite file does not exist.")
UNREACHABLE = Kind(
    "database.unreachable", Severity.ERROR, "The PostgreSQL server does not answer, or refuses the role."
)
UNSERVABLE = Kind(
    "database.unservable", Severity.ERROR,
    "The database cannot be served: it is locked, cannot be opened, is not a database, or is not UTF-8.",
)  # fmt: skip
READ_ONLY = Kind("database.read_only", Severity.ERROR, "This user cannot write the SQLite file or its folder.")
DAMAGED = Kind("database.damaged", Severity.ERROR, "The SQLite file is damaged.")
REPLACED = Kind("database.replaced", Severity.ERROR, "The SQLite file was replaced while the process had it open.")
NO_SCHEMA = Kind("database.no_schema", Severity.ERROR, "The database has no tables of the service.")
SCHEMA_OLD = Kind("database.schema_old", Severity.ERROR, "The schema is of an earlier version.")
SCHEMA_LATER = Kind(
    "database.schema_later", Severity.ERROR, "The schema is of a later version, which needs later code."
)
SCHEMA_AHEAD = Kind(
    "database.schema_ahead", Severity.INFO, "The schema is of a later version, and this version may still serve it.",
)  # fmt: skip
WAL_RESET = Kind(
    "database.wal_reset", Severity.INFO,
    "SQLite can damage the file if two processes write or checkpoint at the same instant.",
)  # fmt: skip
UNVERIFIED = Kind(
    "database.unverified", Severity.WARNING, "The certificate of a PostgreSQL server on another host is not verified.",
)  # fmt: skip
VERSIONS = Kind("database.versions", Severity.OK, "The versions of the service and of what it needs.")

#: The largest file that is checked for damage. ``scimsvc check`` reads larger ones.
_LARGEST_CHECKED = 500_000_000
_RESTORE = "Stop the service, restore a backup, and run 'scimsvc check'."


def find(*, thorough: bool = True) -> Iterator[Finding]:
    """Find why the database cannot be served, if that is so. With ``thorough``, read its whole file."""
    path = find_database_file()
    if path is not None and not os.path.exists(path):  # noqa: PTH110  # no error for a closed folder
        yield MISSING.found(
            f"There is no database at {path}.",
            "Run 'scimsvc init', or set SCIMSVC_INSTANCE_PATH or SCIMSVC_DATABASE_URL to the existing database.",
        )
        return
    try:
        revision = read_revision()
    except DATABASE_ERRORS as error:
        yield _explain(error)
        return
    yield from _find_in_file(thorough=thorough)
    yield from _find_in_schema(revision)
    yield from _warn()


def _explain(error: Exception) -> Finding:
    """Return the finding for an ``error`` of the first read."""
    fault, outage = find_fault(error), describe_outage(error).rstrip(".")
    if fault is not None:
        return UNSERVABLE.found(fault, "Correct this; nothing can be served before.")
    if is_damage(error):
        return DAMAGED.found(f"The database is damaged: {outage}.", _RESTORE)
    if has_no_tables(error):
        return NO_SCHEMA.found("The database has no tables of this service.", "Run 'scimsvc init'.")
    return UNREACHABLE.found(
        f"The database does not answer: {outage}.", "Start it, or correct SCIMSVC_DATABASE_URL and the password."
    )


def _find_in_file(*, thorough: bool) -> Iterator[Finding]:
    fault, path = find_write_fault(), find_database_file()
    if fault is not None:
        yield READ_ONLY.found(
            fault, "Let the service's user own the file and its folder, on a disk that is not read-only."
        )
    if is_file_replaced():
        yield REPLACED.found("The database file was removed or replaced while it was open.", "Restart the process.")
    if thorough and path is not None and path.stat().st_size <= _LARGEST_CHECKED:
        damage = find_damage()
        if damage is not None:
            yield DAMAGED.found(f"The database is damaged: {damage}.", _RESTORE)


def _find_in_schema(revision: str | None) -> Iterator[Finding]:
    if revision is None:
        yield NO_SCHEMA.found("The database has no tables of this service.", "Run 'scimsvc init'.")
    elif revision < SCHEMA_REVISION:
        yield SCHEMA_OLD.found(
            f"The schema is {revision}, and this version needs {SCHEMA_REVISION}.", "Back up, and run 'scimsvc init'."
        )
    elif revision > SCHEMA_REVISION:
        kind = SCHEMA_AHEAD if may_serve(revision) else SCHEMA_LATER
        yield kind.found(
            f"The schema is {revision} of a later version, and this version has {SCHEMA_REVISION}.",
            "Install the later version.",
        )


def _warn() -> Iterator[Finding]:
    sqlite, connection = why_not_this_sqlite(), why_not_this_connection()
    if sqlite is not None:
        found, _, remedy = sqlite.partition(". Run ")
        yield WAL_RESET.found(f"{found}.", f"Run {remedy}")
    if connection is not None:
        found, _, remedy = connection.partition(". Add ")
        yield UNVERIFIED.found(f"{found}.", f"Add {remedy}")
    yield VERSIONS.found(describe_versions() + ".", "Include these versions in bug reports.")


TOPIC = Topic(
    "database",
    "The database can be read and written, and its schema is current.",
    find,
    (
        *(MISSING, UNREACHABLE, UNSERVABLE, READ_ONLY, DAMAGED, REPLACED),
        *(NO_SCHEMA, SCHEMA_OLD, SCHEMA_LATER, SCHEMA_AHEAD, WAL_RESET, UNVERIFIED, VERSIONS),
    ),
)
#: The same without reading the whole file.
QUICK_TOPIC = TOPIC._replace(check=partial(find, thorough=False))
