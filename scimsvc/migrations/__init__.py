"""The schema's history, by Alembic; run by ``scimsvc init`` and never imported by a server."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from scimsvc.errors import Conflict

#: Any number will do, as long as it is the same in all processes.
_ADVISORY_LOCK = 7_246_200


class UnknownSchema(Conflict):
    """The database has a schema that this version does not know, most likely of a later one."""


def upgrade(connection: Connection, *, revision: str = "head") -> None:
    """Create the schema, or bring it up to this version, within the write transaction of ``connection``.

    A second process waits; what fails leaves the old schema. Raises ``UnknownSchema``.
    """
    if connection.dialect.name == "postgresql":
        _wait_for_others(connection)
    config = Config()
    config.set_main_option("script_location", "scimsvc:migrations")
    config.attributes["connection"] = connection
    current = current_revision(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise UnknownSchema(f"the database has schema {current}, which this version does not know; use a later version")
    command.upgrade(config, revision)


def current_revision(connection: Connection) -> str | None:
    """Return the revision of the schema that is there, or None where there is none."""
    return MigrationContext.configure(connection).get_current_revision()


def _wait_for_others(connection: Connection) -> None:
    """Wait for another upgrade as long as it takes; a statement may take its time too, but not a table's lock.

    Everybody else would queue behind an upgrade that waits for a table, such as one that is being dumped.
    """
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    patience = connection.execute(text("SHOW lock_timeout")).scalar_one()
    connection.execute(text("SET LOCAL lock_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    connection.execute(text("SELECT set_config('lock_timeout', :patience, true)"), {"patience": patience})
