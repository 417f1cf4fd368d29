"""Create the database and upgrade its schema. Servers never import this module, because it loads Alembic."""

from pathlib import Path

from scimsvc.activity.audit import AuditLog, Target, audited, changed
from scimsvc.migrations import current_revision, upgrade
from scimsvc.models import SCHEMA_REVISION
from scimsvc.operations.backup import back_up_before_upgrade
from scimsvc.store.engine.transactions import writing
from scimsvc.vocabulary import Action


@audited
def upgrade_schema() -> Path | None:
    """Create or upgrade the schema, and return the path of the backup of the old database, or None without a backup.

    Raises ``UnknownSchema`` if the schema is of a later version.
    """
    copy = None
    with writing() as connection:
        old = current_revision(connection)
        if old is not None and old < SCHEMA_REVISION:
            copy = back_up_before_upgrade(old)
        upgrade(connection)
        if old is not None:
            difference = changed({"schema": old}, {"schema": SCHEMA_REVISION})
            AuditLog(connection).record(Action.DATABASE_UPGRADED, Target(None, None), difference)
    return copy
