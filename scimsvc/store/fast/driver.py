"""Run statements and transactions on the database driver itself, with the errors that SQLAlchemy would raise."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from scimsvc.extensions import is_lost

#: The key of a pooled connection's cursor.
_CURSOR = "scimsvc_cursor"

_Result = TypeVar("_Result")


def execute(connection: Connection, text: str, values: Any, fetch: Callable[[Any], _Result]) -> _Result:
    """Execute ``text`` and return what ``fetch`` returns of the cursor; raises SQLAlchemy's exceptions.

    A connection keeps one cursor for all statements: creating one costs PostgreSQL's driver as much as reading a row.
    """
    try:
        pooled = connection.connection
        cursor = pooled.info.get(_CURSOR)
        if cursor is None:
            cursor = pooled.info[_CURSOR] = pooled.cursor()
        cursor.execute(text, values)
        result = fetch(cursor)  # SQLite raises some errors only here
    except BaseException as error:  # noqa: BLE001  # it is raised again
        _raise_as_sqlalchemy(connection, text, error)
    return result


def begin(connection: Connection, text: str) -> None:
    """Begin a transaction by ``text``; SQLAlchemy's own statements on ``connection`` take part in it."""
    execute(connection, text, (), no_rows)


def commit(connection: Connection) -> None:
    """Commit the transaction that ``begin`` began."""
    try:
        connection.connection.commit()
    except BaseException as error:  # noqa: BLE001  # it is raised again
        _raise_as_sqlalchemy(connection, "COMMIT", error)


def roll_back(connection: Connection) -> None:
    """Roll back the transaction that ``begin`` began."""
    try:
        connection.connection.rollback()
    except BaseException as error:  # noqa: BLE001  # it is raised again
        _raise_as_sqlalchemy(connection, "ROLLBACK", error)


def no_rows(_cursor: Any) -> list[Any]:
    """Fetch nothing from the cursor of a statement without rows."""
    return []


def row_count(cursor: Any) -> int:
    """Return how many rows the statement of ``cursor`` changed."""
    count: int = cursor.rowcount
    return count


def all_rows(cursor: Any) -> list[Any]:
    """Fetch all rows from ``cursor``."""
    rows: list[Any] = cursor.fetchall()
    return rows


def _raise_as_sqlalchemy(connection: Connection, text: str, error: BaseException) -> NoReturn:
    """Raise the exception that SQLAlchemy makes of the driver's; a lost connection is discarded before.

    A connection that was interrupted, as by Ctrl-C, is discarded too: it may be in the middle of a result.
    """
    dialect = connection.dialect
    if not isinstance(error, dialect.loaded_dbapi.Error):
        if not isinstance(error, Exception):
            _discard(connection, error)
        raise error
    lost = is_lost(error) or dialect.is_disconnect(error, connection.connection.driver_connection, None)
    if lost:
        _discard(connection, error)
    raise DBAPIError.instance(
        text, None, error, dialect.loaded_dbapi.Error,
        hide_parameters=True, connection_invalidated=lost, dialect=dialect,
    ) from error  # fmt: skip


def _discard(connection: Connection, error: BaseException) -> None:
    # With a statement that is not finished, SQLite would keep its locks.
    cursor = connection.connection.info.pop(_CURSOR, None)
    if cursor is not None:
        with suppress(connection.dialect.loaded_dbapi.Error):
            cursor.close()
    connection.invalidate(error)
