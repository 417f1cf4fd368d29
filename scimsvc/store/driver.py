"""What is asked of the database's driver itself, past SQLAlchemy, and the errors that come of it.

For statements that a request cannot do without: by SQLAlchemy's ways to begin, execute and commit, a write took twice
as long as by the driver's. What the driver raises is raised as SQLAlchemy raises it, so that nobody need know.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from scimsvc.extensions import is_lost

#: Where a connection of the pool keeps its cursor.
_CURSOR = "scimsvc_cursor"


def execute(connection: Connection, text: str, values: Any, fetch: Callable[[Any], list[Any]]) -> list[Any]:
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
    except connection.dialect.loaded_dbapi.Error as error:
        raise _as_sqlalchemy_does(connection, text, error) from error
    return rows


def begin(connection: Connection, text: str) -> None:
    """Begin a transaction by ``text``; SQLAlchemy's own statements on ``connection`` take part in it."""
    execute(connection, text, (), no_rows)


def commit(connection: Connection) -> None:
    """Commit what ``begin`` began."""
    try:
        connection.connection.commit()
    except connection.dialect.loaded_dbapi.Error as error:
        raise _as_sqlalchemy_does(connection, "COMMIT", error) from error


def roll_back(connection: Connection) -> None:
    """Undo what ``begin`` began."""
    try:
        connection.connection.rollback()
    except connection.dialect.loaded_dbapi.Error as error:
        raise _as_sqlalchemy_does(connection, "ROLLBACK", error) from error


def no_rows(_cursor: Any) -> list[Any]:
    """Take nothing from a cursor."""
    return []


def all_rows(cursor: Any) -> list[Any]:
    """Take all rows from a cursor."""
    rows: list[Any] = cursor.fetchall()
    return rows


def _as_sqlalchemy_does(connection: Connection, text: str, error: Exception) -> BaseException:
    """Return the exception that SQLAlchemy makes of the driver's, having parted with a connection that is lost."""
    dialect = connection.dialect
    lost = is_lost(error) or dialect.is_disconnect(error, connection.connection.driver_connection, None)  # type: ignore[arg-type]
    if lost:
        connection.invalidate(error)
    return DBAPIError.instance(
        text, None, error, dialect.loaded_dbapi.Error,
        hide_parameters=True, connection_invalidated=lost, dialect=dialect,
    )  # fmt: skip
