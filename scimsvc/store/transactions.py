"""Transactions: reads are reads, and a write begins as a write.

A service does its work in one of these; leaving it commits, an exception rolls everything back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sqlalchemy import Connection, text

from scimsvc.extensions import WRITES, db
from scimsvc.store.turns import Turns

#: Seconds that a thread queues for SQLite's writer within its process, before it asks SQLite itself.
TURN_TIMEOUT = 10.0

# SQLite's own waiting is not fair: with this, threads of one process queue for the writer in turn, and the
# slowest write of eight clients takes a fifth of the time.
_sqlite_writer = Turns()

#: The transaction of a rehearsal, in which everything that this thread reads and writes happens.
_rehearsal: ContextVar[Connection | None] = ContextVar("rehearsal", default=None)


@contextmanager
def reading() -> Iterator[Connection]:
    """Open a transaction that changes nothing: on SQLite it sees one state, on PostgreSQL what is committed by then."""
    rehearsal = _rehearsal.get()
    if rehearsal is not None:
        yield rehearsal
        return
    with db.engine.connect() as connection:
        yield connection


@contextmanager
def writing() -> Iterator[Connection]:
    """Open a transaction that holds the right to write from its first statement; commit on leaving it."""
    rehearsal = _rehearsal.get()
    if rehearsal is not None:
        with rehearsal.begin_nested():
            yield rehearsal
        return
    with _writer() as connection, connection.begin():
        yield connection


@contextmanager
def rehearsing() -> Iterator[None]:
    """Let everything within happen in one transaction that is rolled back at the end, whatever happened."""
    with _writer() as connection:
        token = _rehearsal.set(connection)
        try:
            yield
        finally:
            _rehearsal.reset(token)
            connection.rollback()


@contextmanager
def _writer() -> Iterator[Connection]:
    engine = db.engine.execution_options(**{WRITES: True})
    if engine.dialect.name != "sqlite":
        with engine.connect() as connection:
            yield connection
        return
    with _sqlite_writer.turn(TURN_TIMEOUT), engine.connect() as connection:
        yield connection


@contextmanager
def snapshot() -> Iterator[Connection]:
    """Read one state of everything, for as long as it takes: for copies and checks, never for a request."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            without_timeouts(connection)
        yield connection


def without_timeouts(connection: Connection) -> None:
    """Let the statements of this transaction take their time where the database bounds it."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))


@contextmanager
def between_writes() -> Iterator[None]:
    """Keep the writers of this process waiting, for what must not meet one of them."""
    with _sqlite_writer.turn(TURN_TIMEOUT):
        yield
