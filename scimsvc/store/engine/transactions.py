"""Transactions: reads are reads, and a write begins as a write.

A use case does its work in one of these; leaving it commits, an exception rolls everything back. A single SELECT sees
one state by itself and needs no transaction: ``read_rows``, ``read_each``.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import TracebackType
from typing import Any, TypeAlias, TypeVar, overload

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from scimsvc.store.engine.database import Database, current_database
from scimsvc.store.engine.statements import Query
from scimsvc.store.fast import driver
from scimsvc.store.fast.connections import READ, WRITE, KeptConnection

__all__ = [
    "Connection",
    "between_writes",
    "read_each",
    "read_rows",
    "reading",
    "rehearsing",
    "snapshot",
    "without_timeouts",
    "writing",
]

#: Seconds that a thread waits for SQLite's write lock within its app, before it asks SQLite itself.
LOCK_TIMEOUT = 10.0

RowT = TypeVar("RowT", bound=tuple[Any, ...])
OtherRowT = TypeVar("OtherRowT", bound=tuple[Any, ...])
Question: TypeAlias = tuple[Query[Any], Mapping[str, Any]]


def read_rows(query: Query[RowT], parameters: Mapping[str, Any]) -> list[RowT]:
    """Return all rows of one SELECT, outside of any transaction."""
    rows: list[RowT] = read_each((query, parameters))[0]
    return rows


@overload
def read_each(
    first: tuple[Query[RowT], Mapping[str, Any]], second: tuple[Query[OtherRowT], Mapping[str, Any]], /
) -> tuple[list[RowT], list[OtherRowT]]: ...
@overload
def read_each(*questions: Question) -> list[list[Any]]: ...
def read_each(*questions: Question) -> Any:
    """Return all rows of each SELECT, one after another, outside of any transaction.

    A connection that was lost meanwhile, as by a restart of the database, is replaced and every question asked again.
    """
    database = current_database()
    kept = None if database.thread.rehearsal is not None else database.kept.take(READ)
    if kept is None:  # as within a transaction of this thread, whose uncommitted changes must not be seen
        with reading() as connection:
            return _ask(connection, questions)
    reusable = False
    try:
        try:
            answers = _ask(kept.connection, questions)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            kept = database.kept.replace(kept, READ)
            answers = _ask(kept.connection, questions)
        reusable = True
    finally:
        database.kept.give_back(kept, reusable=reusable)
    return answers


def _ask(connection: Connection, questions: Iterable[Question]) -> list[list[Any]]:
    return [query.all(connection, parameters) for query, parameters in questions]


def reading() -> AbstractContextManager[Connection]:
    """Open a transaction that changes nothing: on SQLite it sees one state, on PostgreSQL what is committed by then."""
    database = current_database()
    rehearsal = database.thread.rehearsal
    return _Transaction(database, READ) if rehearsal is None else nullcontext(rehearsal)


def writing() -> AbstractContextManager[Connection]:
    """Open a transaction that holds the right to write from its first statement; commit on leaving it."""
    database = current_database()
    rehearsal = database.thread.rehearsal
    return _Transaction(database, WRITE) if rehearsal is None else _savepoint(rehearsal)


@contextmanager
def _savepoint(rehearsal: Connection) -> Iterator[Connection]:
    with rehearsal.begin_nested():
        yield rehearsal


class _Transaction:
    """A transaction on the kept connection, or on another one while that is in use.

    A class, because three nested generators took as long as one of a write's statements.
    """

    __slots__ = ("_database", "_general", "_kept", "_mode", "_needs_lock")

    def __init__(self, database: Database, mode: str) -> None:
        self._database = database
        self._mode = mode
        self._needs_lock = mode == WRITE and database.has_one_writer
        self._kept: KeptConnection | None = None
        self._general: AbstractContextManager[Connection] | None = None

    def __enter__(self) -> Connection:
        if self._needs_lock:
            self._database.write_lock.acquire(LOCK_TIMEOUT)
        try:
            kept = self._database.kept.take(self._mode)
            if kept is None:
                self._general = _general_transaction(self._database, self._mode)
                return self._general.__enter__()
            self._kept = _begin(self._database, kept, self._mode)
        except BaseException:
            self._release_lock()
            raise
        return self._kept.connection

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if self._kept is not None:
                self._end(self._kept, failed=kind is not None)
            elif self._general is not None:
                self._general.__exit__(kind, error, traceback)
        finally:
            self._release_lock()

    def _end(self, kept: KeptConnection, *, failed: bool) -> None:
        reusable = False
        try:
            if not failed:
                (driver.commit if self._mode == WRITE else driver.roll_back)(kept.connection)
                reusable = True
        finally:
            self._database.kept.give_back(kept, reusable=reusable)

    def _release_lock(self) -> None:
        if self._needs_lock:
            self._database.write_lock.release()


@contextmanager
def _general_transaction(database: Database, mode: str) -> Iterator[Connection]:
    """Open a transaction as SQLAlchemy does, on a connection from the pool."""
    with database.engines[mode].connect() as connection, connection.begin() as transaction:
        yield connection
        if mode == READ:
            transaction.rollback()  # there is nothing to commit


def _begin(database: Database, kept: KeptConnection, mode: str) -> KeptConnection:
    """Begin on ``kept``, or on its replacement; a connection on which nothing can begin is given back."""
    try:
        driver.begin(kept.connection, database.begins[mode])
    except BaseException as error:
        database.kept.give_back(kept, reusable=False)
        if not (isinstance(error, DBAPIError) and error.connection_invalidated):
            raise
    else:
        return kept
    # Lost since it was last used, as by a restart of the database: nothing was begun, so another one can be used.
    replacement = database.kept.take(mode)
    assert replacement is not None
    try:
        driver.begin(replacement.connection, database.begins[mode])
    except BaseException:
        database.kept.give_back(replacement, reusable=False)
        raise
    return replacement


@contextmanager
def rehearsing() -> Iterator[None]:
    """Run the block in one transaction that is rolled back at its end, whatever happened."""
    database = current_database()
    lock = database.write_lock.held(LOCK_TIMEOUT) if database.has_one_writer else nullcontext()
    with lock, database.engines[WRITE].connect() as connection:
        database.thread.rehearsal = connection
        try:
            yield
        finally:
            database.thread.rehearsal = None
            connection.rollback()


@contextmanager
def snapshot() -> Iterator[Connection]:
    """Read one state of everything, however long it takes: for copies and checks, never for a request."""
    with current_database().engine.connect() as connection:
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
    """Keep the writers of this app waiting during a task that must not meet one of them."""
    with current_database().write_lock.held(LOCK_TIMEOUT):
        yield
