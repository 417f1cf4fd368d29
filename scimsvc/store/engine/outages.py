"""Distinguish an unavailable database and an exceeded deadline from a fault of this service."""

from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from scimsvc.extensions import READ_ONLY
from scimsvc.protocol.errors import Unavailable
from scimsvc.store.engine.deadlines import DeadlineExceeded
from scimsvc.store.fast.connections import WRITE

#: The exceptions of the database. ``find_unavailable`` distinguishes outages and deadlines from errors of a statement.
DATABASE_ERRORS: tuple[type[Exception], ...] = (DBAPIError, PoolTimeout)

#: Seconds after which a client may retry.
RETRY_AFTER = "5"
UNDEFINED_TABLE = "42P01"


def is_outage(error: Exception) -> bool:
    """Return whether the database is unavailable: unreachable, locked, full, or without a schema.

    Work that exceeded its deadline counts only if the database did not answer at all.
    """
    if isinstance(error, DeadlineExceeded):
        return error.hangs
    if isinstance(error, PoolTimeout | OperationalError | InterfaceError):
        return True
    sqlstate = getattr(getattr(error, "orig", None), "sqlstate", None)
    if isinstance(error, ProgrammingError):
        return sqlstate == UNDEFINED_TABLE
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


def find_unavailable(error: Exception) -> Unavailable | None:
    """Return the 503 for the client after an outage or an exceeded deadline, or None for other errors."""
    if isinstance(error, DeadlineExceeded):
        return Unavailable(_describe_deadline(error), {"Retry-After": RETRY_AFTER})
    return unavailable() if is_outage(error) else None


def _describe_deadline(error: DeadlineExceeded) -> str:
    if error.may_be_applied:
        return (
            "The database did not confirm the change in time, so it is unknown whether the request was applied. "
            "Read the resource, or send the request again later."
        )
    if error.mode == WRITE:
        return "The database did not complete the change in time. The request was not applied. Retry it later."
    return (
        "The database did not complete the request in time. Retry it later. If it is a search, narrow it, for example "
        "to a shorter period."
    )


def unavailable() -> Unavailable:
    """Return the error for the client.

    It does not promise that nothing was changed. If the connection broke during the commit, the result is unknown.
    """
    detail = "The database is temporarily unavailable. The request was not partially applied. Retry it later."
    return Unavailable(detail, {"Retry-After": RETRY_AFTER})
