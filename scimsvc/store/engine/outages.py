"""Telling a database that is not to be had just now from a fault of this service."""

from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from scimsvc.extensions import READ_ONLY
from scimsvc.protocol.errors import Unavailable

#: What a database that cannot be used raises; ``is_outage`` tells it from a fault of a statement.
DATABASE_ERRORS: tuple[type[Exception], ...] = (DBAPIError, PoolTimeout)

#: Seconds after which a client may try again.
RETRY_AFTER = "5"
_UNDEFINED_TABLE = "42P01"


def is_outage(error: Exception) -> bool:
    """Tell whether ``error`` says that the database cannot be used: unreachable, locked, full, or without a schema."""
    if isinstance(error, PoolTimeout | OperationalError | InterfaceError):
        return True
    sqlstate = getattr(getattr(error, "orig", None), "sqlstate", None)
    if isinstance(error, ProgrammingError):
        return sqlstate == _UNDEFINED_TABLE
    if sqlstate == READ_ONLY:
        return True
    # SQLite says of a damaged file, or of one that is none of its own, no more than DatabaseError.
    return type(error) is DatabaseError or (isinstance(error, DBAPIError) and error.connection_invalidated)


def describe_outage(error: Exception) -> str:
    """Return the first line of what the database said."""
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]


def hide_values(error: Exception) -> Exception:
    """Return ``error``, whose text leaves out the values of the statement that failed."""
    if isinstance(error, DBAPIError):
        error.hide_parameters = True
    return error


def unavailable() -> Unavailable:
    """Return what a client is told of an outage.

    It does not say that nothing was changed: where the connection broke during the commit, nobody here knows.
    """
    detail = "the database cannot be used just now; nothing is half done, send the request again later"
    return Unavailable(detail, {"Retry-After": RETRY_AFTER})
