"""What is asked of the database's driver itself, past SQLAlchemy, and the errors that come of it.

For statements that a request cannot do without: by SQLAlchemy's ways to begin, execute and commit, a write took twice
as long as by the driver's. What the driver raises is raised as SQLAlchemy raises it, so that nobody need know.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from scimsvc.extensions import is_lost

#: Where a connection of the pool keeps its cursor.
_CURSOR = "scimsvc_cursor"

_Result = TypeVar("_Result")


def execute(connection: Connection, text: str, values: Any, fetch: Callable[[Any], _Result]) -> _Result:
    """Execute ``text`` and return what ``fetch`` takes from the cursor.

    A connection keeps one cursor for all of them: to make one costs PostgreSQL's driver as much as to read a row.
    """
    try:
        pooled = connection.connection
        cursor = pooled.info.get(_CURSOR)
        if cursor is None:
            cursor = pooled.info[_CURSOR] = pooled.cursor()
        cursor.execute(text, values)
        rows = fetch(cursor)  # SQLite meets in part here what may go wrong
    except BaseException as error:  # noqa: BLE001  # it is raised again
        _raise_as_sqlalchemy_does(connection, text, error)
    return rows


def begin(connection: Connection, text: str) -> None:
    """Begin a transaction by ``text``; SQLAlchemy's own statements on ``connection`` take part in it."""
    execute(connection, text, (), no_rows)


def commit(connection: Connection) -> None:
    """Commit what ``begin`` began."""
    try:
        connection.connection.commit()
    except BaseException as error:  # noqa: BLE001  # it is raised again
        _raise_as_sqlalchemy_does(connection, "COMMIT", error)


def roll_back(connection: Connection) -> None:
    """Undo what ``begin`` began."""
    try:
        connection.connection.rollback()
    except BaseException as error:  # noqa: BLE001  # it is raised again
        _raise_as_sqlalchemy_does(connection, "ROLLBACK", error)


def no_rows(_cursor: Any) -> list[Any]:
    """Take nothing from a cursor."""
    return []


def row_count(cursor: Any) -> int:
    """Take the number of rows that a cursor's statement changed."""
    count: int = cursor.rowcount
    return count


def all_rows(cursor: Any) -> list[Any]:
    """Take all rows from a cursor."""
    rows: list[Any] = cursor.fetchall()
    return rows


def _raise_as_sqlalchemy_does(connection: Connection, text: str, error: BaseException) -> NoReturn:
    """Raise the exception that SQLAlchemy makes of the driver's, having parted with a connection that is lost.

    One that was interrupted, as by Ctrl-C, may be in the middle of an answer, and is parted with too.
    """
    dialect = connection.dialect
    if not isinstance(error, dialect.loaded_dbapi.Error):
        if not isinstance(error, Exception):
            _part_with(connection, error)
        raise error
    lost = is_lost(error) or dialect.is_disconnect(error, connection.connection.driver_connection, None)
    if lost:
        _part_with(connection, error)
    raise DBAPIError.instance(
        text, None, error, dialect.loaded_dbapi.Error,
        hide_parameters=True, connection_invalidated=lost, dialect=dialect,
    ) from error  # fmt: skip


def _part_with(connection: Connection, error: BaseException) -> None:
    # With a statement half done SQLite would go on holding its locks.
    cursor = connection.connection.info.pop(_CURSOR, None)
    if cursor is not None:
        with suppress(connection.dialect.loaded_dbapi.Error):
            cursor.close()
    connection.invalidate(error)
