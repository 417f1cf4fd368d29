"""The database extension and what each kind of database needs on every connection."""

import sqlite3
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, Text, event
from sqlalchemy.orm import DeclarativeBase, registry

from scimsvc.protocol.json_text import write_json
from scimsvc.settings import PREFIX, SettingsError

#: Seconds that a connection waits for SQLite's write lock before the client is told 503.
BUSY_TIMEOUT = 10
#: The execution option of engines whose transactions begin as writes.
WRITES = "scimsvc_writes"

#: Text that both databases compare and sort by code point; PostgreSQL's collations are the locale's otherwise.
Key = Text().with_variant(Text(collation="C"), "postgresql")


class _Base(DeclarativeBase):
    registry = registry(type_annotation_map={str: Key})


db = SQLAlchemy(model_class=_Base, disable_autonaming=True)

if TYPE_CHECKING:
    Model = _Base
else:
    Model = db.Model


def engine_options(url: str) -> dict[str, Any]:
    """Return the arguments of ``create_engine`` for the database at ``url``; raises ``SettingsError``."""
    options: dict[str, Any] = {"json_serializer": write_json, "pool_size": 16, "max_overflow": 16}
    if url.startswith("sqlite"):
        options["connect_args"] = {"timeout": BUSY_TIMEOUT}
    else:
        if find_spec("psycopg") is None:
            raise SettingsError(f"{PREFIX}DATABASE_URL names PostgreSQL; install scimsvc with its extra postgresql")
        options["pool_pre_ping"] = True
        options["connect_args"] = {"connect_timeout": 5}
    return options


def prepare_engine(engine: Engine) -> None:
    """Give ``engine`` the discipline of its database: durable commits, and writes that begin as writes."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; _begin_sqlite does
    # FULL syncs the log at each commit: what was acknowledged survives a power cut. NORMAL would save a sixth of
    # a write and could lose the last ones.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that has read cannot become a writer without losing what others wrote since, so that one
    # that will write takes the lock at once.
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
