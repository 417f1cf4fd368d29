"""The schema migrations, with Alembic. ``scimsvc init`` runs them; servers do not import this package."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from scimsvc.errors import Conflict

#: The table beside Alembic's with the oldest code that may serve the schema.
_CREATE_SUPPORT = "CREATE TABLE IF NOT EXISTS schema_support (oldest_code TEXT NOT NULL)"
#: An arbitrary number that is the same in all processes.
_ADVISORY_LOCK = 7_246_200


class UnknownSchema(Conflict):
    """The schema of the database is unknown to this version. It is probably from a later version."""


def upgrade(connection: Connection, *, revision: str = "head") -> None:
    """Create the schema or upgrade it to ``revision``, within the write transaction of ``connection``.

    A second process waits. After a failure the old schema is kept. A schema of a later version that this version may
    serve is not changed. Raises ``UnknownSchema`` if it may not serve it.
    """
    if connection.dialect.name == "postgresql":
        _wait_for_others(connection)
    config = Config()
    config.set_main_option("script_location", "scimsvc:migrations")
    config.attributes["connection"] = connection
    current = current_revision(connection)
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        if _read_oldest_code(connection) in known:
            return
        raise UnknownSchema(
            f"The database has schema {current}, which this version does not know. Use a later version."
        )
    command.upgrade(config, revision)
    _store_oldest_code(connection, scripts)


def current_revision(connection: Connection) -> str | None:
    """Return the revision of the database's schema, or None if the database has no schema."""
    return MigrationContext.configure(connection).get_current_revision()


def _read_oldest_code(connection: Connection) -> str | None:
    if not inspect(connection).has_table("schema_support"):
        return None
    return str(connection.execute(text("SELECT oldest_code FROM schema_support")).scalar_one())


def _store_oldest_code(connection: Connection, scripts: ScriptDirectory) -> None:
    """Store the schema of the oldest code that may serve this database.

    A migration that older code can live with declares it as ``oldest_code``. The other ones need their own code.
    """
    applied = scripts.iterate_revisions(current_revision(connection) or "base", "base")
    oldest = max(getattr(script.module, "oldest_code", script.revision) for script in applied)
    connection.execute(text(_CREATE_SUPPORT))
    connection.execute(text("DELETE FROM schema_support"))
    connection.execute(text("INSERT INTO schema_support VALUES (:oldest)"), {"oldest": oldest})


def _wait_for_others(connection: Connection) -> None:
    """Wait for another upgrade without a limit, and allow long statements, but keep the limit on waits for tables.

    All other transactions would queue behind an upgrade that waits for a table, for example during a dump.
    """
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    patience = connection.execute(text("SHOW lock_timeout")).scalar_one()
    connection.execute(text("SET LOCAL lock_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    connection.execute(text("SELECT set_config('lock_timeout', :patience, true)"), {"patience": patience})
