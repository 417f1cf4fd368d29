"""Run statements and transactions directly on the database driver, and raise errors as SQLAlchemy does."""

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
    """Execute ``text`` and return the result of ``fetch`` on the cursor. Raises the exceptions of SQLAlchemy.

    A connection keeps one cursor for all statements. With PostgreSQL, creating a cursor takes as long as reading a row.
    """
    try:
        pooled = connection.connection
        cursor = pooled.info.get(_CURSOR)
        if cursor is None:
            cursor = pooled.info[_CURSOR] = pooled.cursor()
        cursor.execute(text, values)
        result = fetch(cursor)  # sqlite3 may raise while fetching, not only in execute()
    except BaseException as error:  # noqa: BLE001  # it is raised again
        _raise_as_sqlalchemy(connection, text, error)
    return result


def execute_partly(
    connection: Connection, text: str, values: Any, fetch: Callable[[Any], tuple[_Result, bool]]
) -> _Result:
    """Execute ``text`` like ``execute``, where ``fetch`` also returns whether it fetched all rows."""
    result, is_complete = execute(connection, text, values, fetch)
    if not is_complete:
        _close_cursor(connection)
    return result


def begin(connection: Connection, text: str) -> None:
    """Begin a transaction with ``text``. Statements that SQLAlchemy runs on ``connection`` belong to it."""
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
    """Return the number of rows that the statement of ``cursor`` changed."""
    count: int = cursor.rowcount
    return count


def all_rows(cursor: Any) -> list[Any]:
    """Fetch all rows from ``cursor``."""
    rows: list[Any] = cursor.fetchall()
    return rows


def _raise_as_sqlalchemy(connection: Connection, text: str, error: BaseException) -> NoReturn:
    """Raise ``error`` as the exception of SQLAlchemy, and first discard a lost connection.

    Interrupted connections are also discarded, for example after Ctrl-C, because a result may be incomplete.
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
    _close_cursor(connection)
    connection.invalidate(error)


def _close_cursor(connection: Connection) -> None:
    """Close the cursor of ``connection``, because SQLite keeps its locks while a statement is unfinished."""
    cursor = connection.connection.info.pop(_CURSOR, None)
    if cursor is not None:
        with suppress(connection.dialect.loaded_dbapi.Error):
            cursor.close()
