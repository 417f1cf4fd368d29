"""The database extension and what each kind of database needs on every connection."""

import sqlite3
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, ExceptionContext, Text, create_engine, event, make_url
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.orm import DeclarativeBase, registry

from scimsvc.protocol.json_text import write_json
from scimsvc.settings import PREFIX, SettingsError

#: Seconds that a connection waits for SQLite's write lock before the client is told 503.
BUSY_TIMEOUT = 10
#: The execution option that says how a connection's transactions begin: by this statement, or not at all where empty.
BEGINS = "scimsvc_begins"

#: Text that both databases compare and sort by code point; PostgreSQL's collations are the locale's otherwise.
Key = Text().with_variant(Text(collation="C"), "postgresql")


class _Base(DeclarativeBase):
    registry = registry(type_annotation_map={str: Key})


db = SQLAlchemy(model_class=_Base, disable_autonaming=True)

if TYPE_CHECKING:
    Model = _Base
else:
    Model = db.Model


class NoWriteAheadLog(sqlite3.OperationalError):
    """SQLite cannot keep a write-ahead log beside the file, as on a network share."""


#: What libpq is told, unless the URL says otherwise: a host that is gone is noticed within half a minute.
_LIBPQ = {
    "connect_timeout": 5,
    "application_name": "scimsvc",
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
#: PostgreSQL's limits on a statement, on its wait for a lock and on a transaction that does nothing, unless the
#: role, the database or the URL sets one of its own.
POSTGRESQL_LIMITS = {
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
}


def engine_options(url: str) -> dict[str, Any]:
    """Return the arguments of ``create_engine`` for the database at ``url``; raises ``SettingsError``.

    A connection is opened when a thread wants one and none is free, and then kept. The pool is no narrower than the
    threads that a server may have; a thread that gets none within ten seconds answers 503.
    """
    options: dict[str, Any] = {
        "json_serializer": write_json,
        "pool_size": 16,
        "max_overflow": 256,
        "pool_timeout": 10,
        "pool_use_lifo": True,
    }
    if url.startswith("sqlite"):
        options["connect_args"] = {"timeout": BUSY_TIMEOUT}
    else:
        if find_spec("psycopg") is None:
            raise SettingsError(f"{PREFIX}DATABASE_URL names PostgreSQL; install scimsvc with its extra postgresql")
        options["pool_pre_ping"] = True
        parameters = make_url(url).query
        options["connect_args"] = {name: value for name, value in _LIBPQ.items() if name not in parameters}
    return options


def make_engine(url: str) -> Engine:
    """Return an engine of its own for a database that is not the app's."""
    engine = create_engine(url, **engine_options(url))
    prepare_engine(engine)
    return engine


def prepare_engine(engine: Engine) -> None:
    """Give ``engine`` the discipline of its database: durable commits, bounded waits, writes that begin as writes."""
    event.listen(engine, "begin", _begin)
    if engine.dialect.name == "sqlite":
        engine.dialect.statement_compiler = _HintingCompiler
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "handle_error", _discard_lost_sqlite)
    else:
        event.listen(engine, "connect", _prepare_postgresql)
        event.listen(engine, "handle_error", _discard_lost_postgresql)


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; _begin does
    (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
    if mode != "wal":
        connection.close()
        raise NoWriteAheadLog(f"the journal_mode stays {mode!r}; put the file on a local disk, where it can be 'wal'")
    # FULL syncs the log at each commit: what was acknowledged survives a power cut. NORMAL would save a sixth of
    # a write and could lose the last ones.
    # The log grows to 16 MB, and not to 4, before it is put into the file: a page that many writes change is copied
    # once, and of a hundred writes the slowest takes 7 ms where it took 17.
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF", "wal_autocheckpoint=4000"):
        connection.execute(f"PRAGMA {pragma}").close()


class _HintingCompiler(SQLiteCompiler):
    """Writes ``INDEXED BY`` where a statement's hint says so: SQLite knows no sizes, and prefers the primary key."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        """Return the hint as it stands."""
        return text


def begins_write(engine: Engine) -> str:
    """Return how a transaction begins that will write.

    On SQLite one that has read cannot become a writer without losing what others wrote since, so that it takes the
    lock at once.
    """
    return "BEGIN IMMEDIATE" if engine.dialect.name == "sqlite" else BEGIN


BEGIN = "BEGIN"


def _begin(connection: Connection) -> None:
    """Begin as the connection's options say; the drivers begin nothing by themselves."""
    statement = connection.get_execution_options().get(BEGINS, BEGIN)
    if statement:
        connection.exec_driver_sql(statement)


_PRIMARY_CODE = 0xFF
#: The transaction is read-only: this server has become a standby, and another one takes the writes.
READ_ONLY = "25006"


def is_lost(error: BaseException | None) -> bool:
    """Tell whether a connection on which the driver raised ``error`` can do no more, though it is still there.

    On SQLite one that was opened while the file could not be written would stay read-only for ever. Others are kept,
    and so is one that met a full disk: to read, a first connection needs room that the last one left.
    """
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return bool(code & _PRIMARY_CODE == sqlite3.SQLITE_READONLY)
    return getattr(error, "sqlstate", None) == READ_ONLY


def _discard_lost_sqlite(context: ExceptionContext) -> None:
    if is_lost(context.original_exception):
        context.is_disconnect = True
        context.invalidate_pool_on_disconnect = False


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    connection.autocommit = True  # the driver begins nothing by itself; _begin does
    with connection.cursor() as cursor:
        for name, limit in POSTGRESQL_LIMITS.items():
            cursor.execute(
                "SELECT set_config(%(name)s, %(limit)s, false) WHERE current_setting(%(name)s) = '0'",
                {"name": name, "limit": limit},
            )


def _discard_lost_postgresql(context: ExceptionContext) -> None:
    if is_lost(context.original_exception):
        context.is_disconnect = True
