"""The schema's history, by Alembic; run by ``scimsvc init`` and never imported by a server."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

#: Any number will do, as long as it is the same in all processes.
_ADVISORY_LOCK = 7_246_200


def upgrade(connection: Connection) -> None:
    """Create the schema, or bring it up to this version, within the write transaction of ``connection``.

    A second process waits; what fails leaves the old schema.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    config = Config()
    config.set_main_option("script_location", "scimsvc:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
