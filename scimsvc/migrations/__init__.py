"""The schema's history, by Alembic; run by ``scimsvc init`` and never imported by a server."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

#: Any number will do, as long as it is the same in all processes.
_ADVISORY_LOCK = 7_246_200


class UnknownSchema(Exception):
    """The database has a schema that this version does not know, most likely of a later one."""


def upgrade(connection: Connection) -> None:
    """Create the schema, or bring it up to this version, within the write transaction of ``connection``.

    A second process waits; what fails leaves the old schema. Raises ``UnknownSchema``.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    config = Config()
    config.set_main_option("script_location", "scimsvc:migrations")
    config.attributes["connection"] = connection
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise UnknownSchema(f"the database has schema {current}, which this version does not know; use a later version")
    command.upgrade(config, "head")
