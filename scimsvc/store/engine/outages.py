"""Distinguish an unavailable database from a fault of this service."""

from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from scimsvc.extensions import READ_ONLY
from scimsvc.protocol.errors import Unavailable

#: The exceptions of an unavailable database. ``is_outage`` distinguishes them from errors of a statement.
DATABASE_ERRORS: tuple[type[Exception], ...] = (DBAPIError, PoolTimeout)

#: Seconds after which a client may retry.
RETRY_AFTER = "5"
_UNDEFINED_TABLE = "42P01"


def is_outage(error: Exception) -> bool:
    """Return whether the database is unavailable: unreachable, locked, full, or without a schema."""
    if isinstance(error, PoolTimeout | OperationalError | InterfaceError):
        return True
    sqlstate = getattr(getattr(error, "orig", None), "sqlstate", None)
    if isinstance(error, ProgrammingError):
        return sqlstate == _UNDEFINED_TABLE
    if sqlstate == READ_ONLY:
        return True
    # For a damaged file, or a file that is not a database, SQLite raises only DatabaseError.
    return type(error) is DatabaseError or (isinstance(error, DBAPIError) and error.connection_invalidated)


def describe_outage(error: Exception) -> str:
    """Return the first line of the message from the database."""
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]


def hide_values(error: Exception) -> Exception:
    """Return ``error`` without the parameters of the statement in its text."""
    if isinstance(error, DBAPIError):
        error.hide_parameters = True
    return error


def unavailable() -> Unavailable:
    """Return the error for the client.

    It does not promise that nothing was changed. If the connection broke during the commit, the result is unknown.
    """
    detail = "The database is temporarily unavailable. The request was not partially applied. Retry it later."
    return Unavailable(detail, {"Retry-After": RETRY_AFTER})
