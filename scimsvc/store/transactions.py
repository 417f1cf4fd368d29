"""Transactions: reads are reads, and a write begins as a write.

A service does its work in one of these; leaving it commits, an exception rolls everything back.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from scimsvc.extensions import WRITES, db

# SQLite's own waiting is not fair: with this, threads of one process queue for the writer in turn, and the
# slowest write of eight clients takes a fifth of the time.
_sqlite_writer = threading.Lock()


@contextmanager
def reading() -> Iterator[Connection]:
    """Open a transaction that changes nothing: on SQLite it sees one state, on PostgreSQL what is committed by then."""
    with db.engine.connect() as connection:
        yield connection


@contextmanager
def writing() -> Iterator[Connection]:
    """Open a transaction that holds the right to write from its first statement; commit on leaving it."""
    engine = db.engine.execution_options(**{WRITES: True})
    if engine.dialect.name != "sqlite":
        with engine.begin() as connection:
            yield connection
        return
    with _sqlite_writer, engine.begin() as connection:
        yield connection
