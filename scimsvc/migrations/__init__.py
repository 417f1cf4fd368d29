"""The schema migrations, with Alembic. ``scimsvc init`` runs them; servers do not import this package."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from scimsvc.errors import Conflict

#: An arbitrary number that is the same in all processes.
_ADVISORY_LOCK = 7_246_200


class UnknownSchema(Conflict):
    """The schema of the database is unknown to this version. It is probably from a later version."""


def upgrade(connection: Connection, *, revision: str = "head") -> None:
    """Create the schema or upgrade it to ``revision``, within the write transaction of ``connection``.

    A second process waits. After a failure the old schema is kept. Raises ``UnknownSchema``.
    """
    if connection.dialect.name == "postgresql":
        _wait_for_others(connection)
    config = Config()
    config.set_main_option("script_location", "scimsvc:migrations")
    config.attributes["connection"] = connection
    current = current_revision(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise UnknownSchema(
            f"The database has schema {current}, which this version does not know. Use a later version."
        )
    command.upgrade(config, revision)


def current_revision(connection: Connection) -> str | None:
    """Return the revision of the database's schema, or None if the database has no schema."""
    return MigrationContext.configure(connection).get_current_revision()


def _wait_for_others(connection: Connection) -> None:
    """Wait for another upgrade without a limit, and allow long statements, but keep the limit on waits for tables.

    All other transactions would queue behind an upgrade that waits for a table, for example during a dump.
    """
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    patience = connection.execute(text("SHOW lock_timeout")).scalar_one()
    connection.execute(text("SET LOCAL lock_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    connection.execute(text("SELECT set_config('lock_timeout', :patience, true)"), {"patience": patience})
