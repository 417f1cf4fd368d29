"""The database extension, and the settings of connections for each kind of database."""

import os
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, ExceptionContext, Text, create_engine, event, make_url
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.orm import DeclarativeBase, registry

from scimsvc.protocol.json_text import write_json
from scimsvc.settings import PREFIX, SettingsError

#: Seconds that a connection waits for SQLite's write lock before the answer is 503.
BUSY_TIMEOUT = 10
#: The execution option with the statement that begins a connection's transactions. Empty means no statement.
BEGINS = "scimsvc_begins"

#: Text that both databases compare and sort by code point. PostgreSQL would otherwise use the locale's collation.
Key = Text().with_variant(Text(collation="C"), "postgresql")


class _Base(DeclarativeBase):
    registry = registry(type_annotation_map={str: Key})


db = SQLAlchemy(model_class=_Base, disable_autonaming=True)

if TYPE_CHECKING:
    Model = _Base
else:
    Model = db.Model


class Unservable(Exception):
    """The database cannot be served at all, even if it answers. Errors of the driver inherit from it too."""


class NoWriteAheadLog(Unservable, sqlite3.OperationalError):
    """SQLite cannot use a write-ahead log for the file, for example on a network share."""


#: Parameters of libpq unless the URL sets them. A lost host is detected within half a minute.
_LIBPQ = {
    "connect_timeout": 5,
    "application_name": "scimsvc",
    "client_encoding": "utf8",
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
#: PostgreSQL's limits on a statement, on waits for locks and on idle transactions, unless the role, the database or
#: the URL sets them.
POSTGRESQL_LIMITS = {
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
}


#: Begins a transaction behind a pooler, in one round trip. The limits end with the transaction, because the next one
#: may have another connection to PostgreSQL, and its connection may serve other programs.
_BEGIN_POOLED = "; ".join(["BEGIN", *(f"SET LOCAL {name} = '{limit}'" for name, limit in POSTGRESQL_LIMITS.items())])


def refuse_startup_options(url: str) -> None:
    """Raise ``SettingsError`` if the ``url`` sets options of the session, which PgBouncer refuses."""
    if "options" in make_url(url).query:
        raise SettingsError(
            f"{PREFIX}DATABASE_URL has the parameter 'options', which PgBouncer refuses. Remove it, or connect to "
            f"PostgreSQL directly, without {PREFIX}DATABASE_POOLER."
        )


def engine_options(url: str, *, pooler: str | None = None) -> dict[str, Any]:
    """Return the arguments of ``create_engine`` for the database at ``url``, behind a ``pooler`` unless it is None.

    The pool opens a connection if a thread needs one and all are in use, and then keeps it. It allows one connection
    for each thread of a server. A request that waits longer than ten seconds for a connection is answered 503. Raises
    ``SettingsError`` if the PostgreSQL driver is not installed.
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
            raise SettingsError(
                f"{PREFIX}DATABASE_URL is a PostgreSQL database. Install scimsvc with its extra postgresql."
            )
        options["pool_pre_ping"] = True
        parameters = make_url(url).query
        options["connect_args"] = {name: value for name, value in _LIBPQ.items() if name not in parameters}
        options["connect_args"] |= _prepare_threshold(parameters, pooler)
    return options


def _prepare_threshold(parameters: Mapping[str, Any], pooler: str | None) -> dict[str, int | None]:
    """Return after how many executions psycopg prepares a statement, if the URL or a pooler decides that.

    A prepared statement belongs to a connection to PostgreSQL. Behind a pooler the next transaction may have another
    one, where the statement is missing or, under the same name, a different one.
    """
    threshold = parameters.get("prepare_threshold")
    if threshold is None:
        return {} if pooler is None else {"prepare_threshold": None}
    return {"prepare_threshold": int(threshold) if str(threshold).isdecimal() else None}


def make_engine(url: str, *, pooler: str | None = None) -> Engine:
    """Return a separate engine for a database other than the app's."""
    engine = create_engine(url, **engine_options(url, pooler=pooler))
    prepare_engine(engine, pooler=pooler)
    return engine


def prepare_engine(engine: Engine, *, pooler: str | None = None) -> None:
    """Configure the connections of ``engine``: durable commits, limits on waits, and explicit transactions."""
    event.listen(engine, "begin", _begin)
    if engine.dialect.name == "sqlite":
        engine.dialect.statement_compiler = _HintingCompiler
        event.listen(engine, "do_connect", _create_private_file)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "handle_error", _discard_lost_sqlite)
    else:
        event.listen(engine, "do_connect", _connect_postgresql)
        event.listen(engine, "connect", _prepare_postgresql if pooler is None else _prepare_pooled)
        if pooler is not None:
            engine.update_execution_options(**{BEGINS: _BEGIN_POOLED})
        event.listen(engine, "handle_error", _discard_lost_postgresql)


def sqlite_file(name: str) -> Path | None:
    """Return the path of the file with the ``name`` that a URL of SQLite has, or None for a database in memory."""
    path, _, query = name.removeprefix("file:").partition("?") if name.startswith("file:") else (name, "", "")
    return None if path in ("", ":memory:") or "mode=memory" in query else Path(path)


def _create_private_file(_dialect: Any, _record: Any, arguments: list[Any], _options: dict[str, Any]) -> None:
    """Create the database file with mode 0600 before SQLite would use the umask. SQLite's other files have its mode."""
    path = sqlite_file(arguments[0])
    if path is not None and "mode=r" not in arguments[0].partition("?")[2]:
        with suppress(OSError):  # it exists, or SQLite reports the error
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin only in _begin
    (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
    if mode != "wal":
        connection.close()
        raise NoWriteAheadLog(
            f"SQLite keeps the journal_mode {mode!r}. Move the file to a local disk, where 'wal' is possible."
        )
    # FULL syncs the log at each commit, so that acknowledged writes survive a power failure. NORMAL would save a sixth
    # of a write's time and could lose the last writes.
    # The log grows to 16 MB instead of 4 before a checkpoint, so that a page with many changes is copied once. The
    # slowest of a hundred writes takes 7 ms instead of 17 ms.
    # Deleted and replaced content is overwritten with zeros, because it can be personal. This is Debian's default.
    pragmas = (
        "synchronous=FULL",
        "foreign_keys=ON",
        "trusted_schema=OFF",
        "wal_autocheckpoint=4000",
        "secure_delete=ON",
    )
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}").close()


class _HintingCompiler(SQLiteCompiler):
    """Writes ``INDEXED BY`` for the hints of statements. SQLite has no statistics and prefers the primary key."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        """Return the hint unchanged."""
        return text


def begins_write(engine: Engine) -> str:
    """Return the statement that begins a write transaction.

    On SQLite it takes the write lock at once. A transaction that has read cannot start to write if another one has
    written since.
    """
    return "BEGIN IMMEDIATE" if engine.dialect.name == "sqlite" else begins_read(engine)


def begins_read(engine: Engine) -> str:
    """Return the statement that begins a transaction for reading."""
    statement: str = engine.get_execution_options().get(BEGINS, BEGIN)
    return statement


BEGIN = "BEGIN"


def _begin(connection: Connection) -> None:
    """Begin a transaction by the connection's options. The drivers do not begin transactions themselves."""
    statement = connection.get_execution_options().get(BEGINS, BEGIN)
    if statement:
        connection.exec_driver_sql(statement)


_PRIMARY_CODE = 0xFF
#: The transaction is read-only, because this server has become a standby.
READ_ONLY = "25006"


def is_lost(error: BaseException | None) -> bool:
    """Return whether a connection must be replaced after ``error``, although it is still open.

    A SQLite connection that was opened while the file was read-only stays read-only. Other connections are kept, also
    after a full disk: a new first connection would need free space even to read.
    """
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return bool(code & _PRIMARY_CODE == sqlite3.SQLITE_READONLY)
    return getattr(error, "sqlstate", None) == READ_ONLY


def _discard_lost_sqlite(context: ExceptionContext) -> None:
    if is_lost(context.original_exception):
        context.is_disconnect = True
        context.invalidate_pool_on_disconnect = False


_ENCODING = "UTF8"


def _connect_postgresql(dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
    """Connect, and refuse a database that cannot store all of Unicode, before SQLAlchemy reads texts from it."""
    connection = dialect.connect(*arguments, **options)
    encoding = connection.info.parameter_status("server_encoding") or _ENCODING  # a pooler may not report it
    if encoding != _ENCODING:
        connection.close()
        raise _wrong_encoding(dialect.loaded_dbapi.OperationalError)(
            f"The encoding of the PostgreSQL database is {encoding}, which cannot store all names. Create a database "
            f"with the encoding {_ENCODING} ('createdb --encoding=UTF8 --template=template0') and copy the data."
        )
    return connection


@cache
def _wrong_encoding(operational_error: type[Exception]) -> type[Exception]:
    """Return an error of the driver, which is imported only where it is used."""
    return type("WrongEncoding", (Unservable, operational_error), {})


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    connection.autocommit = True  # transactions begin only in _begin
    with connection.cursor() as cursor:
        for name, limit in POSTGRESQL_LIMITS.items():
            cursor.execute(
                "SELECT set_config(%(name)s, %(limit)s, false) WHERE current_setting(%(name)s) = '0'",
                {"name": name, "limit": limit},
            )


def _prepare_pooled(connection: Any, _record: Any) -> None:
    connection.autocommit = True  # transactions begin only in _begin, with their limits


def _discard_lost_postgresql(context: ExceptionContext) -> None:
    if is_lost(context.original_exception):
        context.is_disconnect = True
