"""Create the database and upgrade its schema. Servers never import this module, because it loads Alembic."""

from pathlib import Path
from typing import NamedTuple

from scimsvc.activity.audit import AuditLog, Target, audited, changed
from scimsvc.migrations import current_revision, upgrade
from scimsvc.models import SCHEMA_REVISION
from scimsvc.operations.backup import back_up_before_upgrade, delete_old_copies
from scimsvc.store.engine.outages import DATABASE_ERRORS
from scimsvc.store.engine.transactions import writing
from scimsvc.store.upkeep.maintenance import is_sqlite, read_revision
from scimsvc.vocabulary import Action


class Upgraded(NamedTuple):
    """The schema of the database after ``init``, and the backup of the old database, or None without a backup."""

    schema: str
    copy: Path | None


@audited
def upgrade_schema() -> Upgraded:
    """Create or upgrade the schema. A later schema that this version may serve is not changed.

    Raises ``UnknownSchema`` if this version may not serve the schema.
    """
    copy = None
    try:
        with writing() as connection:
            old = current_revision(connection)
            if old is not None and old < SCHEMA_REVISION:
                copy = back_up_before_upgrade(old)
            upgrade(connection)
            if old is not None:
                difference = changed({"schema": old}, {"schema": SCHEMA_REVISION})
                AuditLog(connection).record(Action.DATABASE_UPGRADED, Target(None, None), difference)
            schema = current_revision(connection) or SCHEMA_REVISION
    except BaseException:
        if copy is not None:
            copy.unlink()  # it equals the database, and each further try would leave one more
        raise
    if copy is not None:
        delete_old_copies()
    return Upgraded(schema, copy)


def find_old_postgresql_schema() -> str | None:
    """Return the schema of a PostgreSQL database that must be upgraded. ``upgrade_schema`` keeps no copy of it."""
    if is_sqlite():
        return None
    try:
        revision = read_revision()
    except DATABASE_ERRORS:
        return None  # without a schema
    return revision if revision is not None and revision < SCHEMA_REVISION else None
