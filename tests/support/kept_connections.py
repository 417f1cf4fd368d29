"""Let the apps of a process use the same connections to PostgreSQL, one app after the other.

Nearly every test creates an app. The server needs 25 ms to begin a connection and to read the catalog for its first
statements, more than it needs for the statements of most tests.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

#: The most idle connections to a database. Tests with many threads need more, and close the others.
_MOST = 4
#: Ends everything that a session holds, except prepared statements.
_RESET = "CLOSE ALL; UNLISTEN *; RESET ALL; SELECT pg_advisory_unlock_all(); DISCARD TEMP"
#: Whether an app of a test ends. Connections that the package closes are closed.
_ends = ContextVar("ends", default=False)


@contextmanager
def end_of_app() -> Iterator[None]:
    """Keep the connections that the block closes."""
    token = _ends.set(True)
    yield
    _ends.reset(token)


def keep_postgresql_connections(patch: pytest.MonkeyPatch) -> list[psycopg.Connection]:
    """Let the connections of an app that ends wait for the next app, until ``patch`` is undone.

    Return the waiting connections, which the caller closes at the end.
    """
    connect, close = PGDialect_psycopg.connect, PGDialect_psycopg.do_close
    idle: dict[Any, list[psycopg.Connection]] = defaultdict(list)
    waiting: list[psycopg.Connection] = []

    def connect_again(dialect: PGDialect_psycopg, *arguments: Any, **options: Any) -> Any:
        # The adapters in "context" are another object for each app, and equal for all of them.
        key = repr((arguments, sorted((name, value) for name, value in options.items() if name != "context")))
        while idle[key]:
            kept = idle[key].pop()
            waiting.remove(kept)
            if _is_reset(kept):
                return kept
            kept.close()
        connection = connect(dialect, *arguments, **options)
        connection.opened_by_tests_with = key
        return connection

    def keep(dialect: PGDialect_psycopg, connection: Any) -> None:
        key = getattr(connection, "opened_by_tests_with", None)
        is_idle = not connection.closed and connection.info.transaction_status == TransactionStatus.IDLE
        if not _ends.get() or key is None or not is_idle or len(idle[key]) >= _MOST:
            close(dialect, connection)  # type: ignore[no-untyped-call]
            return
        idle[key].append(connection)
        waiting.append(connection)

    patch.setattr(PGDialect_psycopg, "connect", connect_again)
    patch.setattr(PGDialect_psycopg, "do_close", keep)
    patch.setattr(PGDialect_psycopg, "do_terminate", close)  # of an invalidated connection
    return waiting


def _is_reset(connection: psycopg.Connection) -> bool:
    try:
        connection.autocommit = True
        connection.execute(_RESET)
    except psycopg.Error:  # a test ended the connection on the server
        return False
    return True
