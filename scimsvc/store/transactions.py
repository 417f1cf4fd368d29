"""Transactions: reads are reads, and a write begins as a write.

A service does its work in one of these; leaving it commits, an exception rolls everything back. A single SELECT sees
one state by itself and needs no transaction: ``read_rows``, ``read_each``.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from types import TracebackType
from typing import Any, TypeAlias, TypeVar, overload

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from scimsvc.extensions import db
from scimsvc.store.fast import driver
from scimsvc.store.fast.connections import READS, WRITES, Keeper, KeptConnection, keeper_of
from scimsvc.store.fast.fair_lock import Turns
from scimsvc.store.fast.prepared import Prepared
from scimsvc.store.statements import Query

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

#: Seconds that a thread queues for SQLite's writer within its process, before it asks SQLite itself.
TURN_TIMEOUT = 10.0

# SQLite's own waiting is not fair: with this, threads of one process queue for the writer in turn, and the
# slowest write of eight clients takes a fifth of the time.
_sqlite_writer = Turns()

#: The transaction of a rehearsal, in which everything that this thread reads and writes happens.
_rehearsal: ContextVar[Connection | None] = ContextVar("rehearsal", default=None)


RowT = TypeVar("RowT", bound=tuple[Any, ...])
OtherRowT = TypeVar("OtherRowT", bound=tuple[Any, ...])
Question: TypeAlias = tuple[Query[Any] | Prepared, Mapping[str, Any]]


@overload
def read_rows(statement: Query[RowT], parameters: Mapping[str, Any]) -> list[RowT]: ...
@overload
def read_rows(statement: Prepared, parameters: Mapping[str, Any]) -> list[Any]: ...
def read_rows(statement: Query[Any] | Prepared, parameters: Mapping[str, Any]) -> list[Any]:
    """Return all rows of one SELECT, outside of any transaction."""
    return read_each((statement, parameters))[0]


@overload
def read_each(
    first: tuple[Query[RowT], Mapping[str, Any]], second: tuple[Query[OtherRowT], Mapping[str, Any]], /
) -> tuple[list[RowT], list[OtherRowT]]: ...
@overload
def read_each(*questions: Question) -> list[list[Any]]: ...
def read_each(*questions: Question) -> Any:
    """Return all rows of each SELECT, one after another, outside of any transaction.

    A connection that was lost meanwhile, as by a restart of the database, is replaced and everything asked again.
    """
    rehearsal = _rehearsal.get()
    if rehearsal is not None:
        return _ask(rehearsal, questions)
    keeper = keeper_of(db.engine)
    kept = keeper.take(READS)
    if kept is None:  # this thread is in the middle of a transaction, which others must not see half done
        with reading() as connection:
            return _ask(connection, questions)
    sound = False
    try:
        with keeper.reading:
            try:
                answers = _ask(kept.alone, questions)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                kept = keeper.renew(kept, READS)
                answers = _ask(kept.alone, questions)
        sound = True
    finally:
        keeper.give_back(kept, sound=sound)
    return answers


def _ask(connection: Connection, questions: Iterable[Question]) -> list[list[Any]]:
    return [statement.all(connection, parameters) for statement, parameters in questions]


def reading() -> AbstractContextManager[Connection]:
    """Open a transaction that changes nothing: on SQLite it sees one state, on PostgreSQL what is committed by then."""
    rehearsal = _rehearsal.get()
    return _Transaction(READS) if rehearsal is None else nullcontext(rehearsal)


def writing() -> AbstractContextManager[Connection]:
    """Open a transaction that holds the right to write from its first statement; commit on leaving it."""
    rehearsal = _rehearsal.get()
    return _Transaction(WRITES) if rehearsal is None else _part_of(rehearsal)


@contextmanager
def _part_of(rehearsal: Connection) -> Iterator[Connection]:
    with rehearsal.begin_nested():
        yield rehearsal


class _Transaction:
    """A transaction on the connection that is kept for it, or on another one within a transaction of its own.

    A class, as three generators that wrap one another took as long as one of a write's statements.
    """

    __slots__ = ("_is_queued", "_keeper", "_kept", "_other", "_way")

    def __init__(self, way: str) -> None:
        self._way = way
        self._keeper = keeper_of(db.engine)
        self._is_queued = way == WRITES and self._keeper.has_one_writer
        self._kept: KeptConnection | None = None
        self._other: AbstractContextManager[Connection] | None = None

    def __enter__(self) -> Connection:
        if self._is_queued:
            _sqlite_writer.take(TURN_TIMEOUT)
        try:
            kept = self._keeper.take(self._way)
            if kept is None:
                self._other = _on_another(self._keeper, self._way)
                return self._other.__enter__()
            self._kept = _begin(self._keeper, kept, self._way)
        except BaseException:
            self._pass_on()
            raise
        return self._kept.alone

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if self._kept is not None:
                self._end(self._kept, failed=kind is not None)
            elif self._other is not None:
                self._other.__exit__(kind, error, traceback)
        finally:
            self._pass_on()

    def _end(self, kept: KeptConnection, *, failed: bool) -> None:
        sound = False
        try:
            if not failed:
                (driver.commit if self._way == WRITES else driver.roll_back)(kept.alone)
                sound = True
        finally:
            self._keeper.give_back(kept, sound=sound)

    def _pass_on(self) -> None:
        if self._is_queued:
            _sqlite_writer.pass_on()


@contextmanager
def _on_another(keeper: Keeper, way: str) -> Iterator[Connection]:
    with keeper.engines[way].connect() as connection, connection.begin() as transaction:
        yield connection
        if way == READS:
            transaction.rollback()  # there is nothing to commit


def _begin(keeper: Keeper, kept: KeptConnection, way: str) -> KeptConnection:
    """Begin on ``kept``, or on what takes its place; what cannot begin is given back."""
    try:
        driver.begin(kept.alone, keeper.begins[way])
    except BaseException as error:
        keeper.give_back(kept, sound=False)
        if not (isinstance(error, DBAPIError) and error.connection_invalidated):
            raise
    else:
        return kept
    # Lost since it was used last, as by a restart of the database: nothing was begun, and another one will do.
    other = keeper.take(way)
    assert other is not None
    try:
        driver.begin(other.alone, keeper.begins[way])
    except BaseException:
        keeper.give_back(other, sound=False)
        raise
    return other


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
    engine = keeper_of(db.engine).engines[WRITES]
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
