"""Creating the database and upgrading its schema; a server never imports this, because it loads Alembic."""

from pathlib import Path

from scimsvc.migrations import current_revision, upgrade
from scimsvc.models import SCHEMA_REVISION
from scimsvc.operations.backup import back_up_before_upgrade
from scimsvc.store.engine.transactions import writing


def upgrade_schema() -> Path | None:
    """Create the schema or bring it up to this version, and return the copy of the old database, if there is one.

    Raises ``UnknownSchema`` if the schema is of a later version.
    """
    copy = None
    with writing() as connection:
        old = current_revision(connection)
        if old is not None and old < SCHEMA_REVISION:
            copy = back_up_before_upgrade(old)
        upgrade(connection)
    return copy
