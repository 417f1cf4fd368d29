"""Transactions for reading and for writing.

A use case runs in one transaction. Leaving the block commits, and an exception rolls everything back. A single SELECT
reads one consistent state and needs no transaction: use ``read_rows`` or ``read_each``.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from time import monotonic
from types import TracebackType
from typing import Any, TypeAlias, TypeVar, overload

from sqlalchemy import Connection, Transaction, text
from sqlalchemy.exc import DBAPIError

from scimsvc.extensions import BUSY_TIMEOUT
from scimsvc.store.engine import rehearsals
from scimsvc.store.engine.database import Database, current_database
from scimsvc.store.engine.deadlines import commit_in_time, note_hang, refuse_overdue
from scimsvc.store.engine.statements import Query
from scimsvc.store.engine.watchdog import watched
from scimsvc.store.fast import driver
from scimsvc.store.fast.connections import READ, WRITE, KeptConnection
from scimsvc.store.fast.fair_lock import LOCK_TIMEOUT, FairLockTimeout

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

    If the connection was lost, for example by a restart of the database, it is replaced and every SELECT runs again.
    """
    database = current_database()
    kept = None if database.thread.rehearsal is not None else database.kept.take(READ)
    if kept is None:  # for example, this thread is in a transaction, and its uncommitted changes must stay hidden
        with reading() as connection:
            return _ask(connection, questions)
    try:
        return _ask_kept(database, kept, questions)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
    replacement = database.kept.take(READ)
    assert replacement is not None
    return _ask_kept(database, replacement, questions)


def _ask_kept(database: Database, kept: KeptConnection, questions: Iterable[Question]) -> list[list[Any]]:
    """Ask the ``questions`` on the connection ``kept``, and give it back."""
    deadlines, reusable, began = database.deadlines, False, monotonic()
    try:
        kept.watched.begin(deadlines.expiry(READ))
        answers = _ask(kept.connection, questions)
        reusable = True
    except DBAPIError as error:
        refuse_overdue(kept.watched, READ, error)
        raise
    finally:
        database.kept.give_back(kept, reusable=reusable)
        deadlines.spend(began)
    return answers


def _ask(connection: Connection, questions: Iterable[Question]) -> list[list[Any]]:
    return [query.all(connection, parameters) for query, parameters in questions]


def reading() -> AbstractContextManager[Connection]:
    """Open a transaction for reading.

    On SQLite it reads one consistent state. On PostgreSQL each statement reads the state that is committed by then.
    """
    database = current_database()
    rehearsal = database.thread.rehearsal
    return _Transaction(database, READ) if rehearsal is None else rehearsal.reading()


def writing() -> AbstractContextManager[Connection]:
    """Open a transaction for writing. On SQLite it begins with the write lock. Leaving the block commits."""
    database = current_database()
    rehearsal = database.thread.rehearsal
    return _Transaction(database, WRITE) if rehearsal is None else rehearsal.writing()


class _Transaction:
    """A transaction on the kept connection, or on another connection while the kept one is in use.

    This is a class because three nested generators took as long as one statement of a write.
    """

    __slots__ = ("_began", "_database", "_expires", "_general", "_kept", "_mode", "_needs_lock")

    def __init__(self, database: Database, mode: str) -> None:
        self._database = database
        self._mode = mode
        self._needs_lock = mode == WRITE and database.has_one_writer
        self._kept: KeptConnection | None = None
        self._general: AbstractContextManager[Connection] | None = None

    def __enter__(self) -> Connection:
        database, mode = self._database, self._mode
        self._expires = database.deadlines.expiry(mode)
        self._began = began = monotonic()
        if self._needs_lock:
            try:
                database.write_lock.acquire(min(LOCK_TIMEOUT, self._expires - began))
            except FairLockTimeout:
                note_hang()
                database.deadlines.spend(began)
                raise
        try:
            kept = database.kept.take(mode)
            if kept is None:
                self._general = _general_transaction(database, mode, self._expires)
                return self._general.__enter__()
            self._kept = self._begin(kept)
        except BaseException:
            self._finish()
            raise
        return self._kept.connection

    def _begin(self, kept: KeptConnection) -> KeptConnection:
        """Begin a transaction on ``kept``, or on its replacement if ``kept`` was lost."""
        try:
            self._begin_on(kept)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        else:
            return kept
        # The connection was lost since its last use, for example by a restart of the database. No transaction had
        # begun, so another connection can be used.
        replacement = self._database.kept.take(self._mode)
        assert replacement is not None
        self._begin_on(replacement)
        return replacement

    def _begin_on(self, kept: KeptConnection) -> None:
        """Begin a transaction on ``kept``. A connection that cannot begin one returns to the pool."""
        try:
            kept.watched.begin(self._expires)
            if self._needs_lock:
                self._shorten_wait(kept)
            driver.begin(kept.connection, self._database.begins[self._mode])
        except BaseException as error:
            self._database.kept.give_back(kept, reusable=False)
            refuse_overdue(kept.watched, self._mode, error)
            raise

    def _shorten_wait(self, kept: KeptConnection) -> None:
        """Let SQLite wait for the writer of another process only until the deadline.

        SQLite does not interrupt this wait.
        """
        left = self._expires - monotonic()
        if left < BUSY_TIMEOUT:
            driver.execute(kept.connection, f"PRAGMA busy_timeout={max(left, 0) * 1000:.0f}", (), driver.all_rows)
            kept.has_shorter_wait = True
        elif kept.has_shorter_wait:
            driver.execute(kept.connection, f"PRAGMA busy_timeout={BUSY_TIMEOUT * 1000}", (), driver.all_rows)
            kept.has_shorter_wait = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if self._kept is not None:
                self._end(self._kept, error)
            elif self._general is not None:
                self._general.__exit__(kind, error, traceback)
        finally:
            self._finish()

    def _end(self, kept: KeptConnection, error: BaseException | None) -> None:
        reusable = False
        try:
            if error is not None:
                _roll_back(kept.connection)
                refuse_overdue(kept.watched, self._mode, error)
            elif self._mode == READ:
                reusable = _end_reading(kept)
            else:
                commit_in_time(kept.watched, driver.commit, kept.connection)
                reusable = True
        finally:
            self._database.kept.give_back(kept, reusable=reusable)

    def _finish(self) -> None:
        if self._needs_lock:
            self._database.write_lock.release()
        self._database.deadlines.spend(self._began)


def _end_reading(kept: KeptConnection) -> bool:
    """Roll back after a complete read. Return whether the connection can be used again."""
    try:
        driver.roll_back(kept.connection)
    except DBAPIError:
        if not kept.watched.is_overdue:
            raise
        return False
    return True


def _roll_back(connection: Connection) -> None:
    """Roll back after an error, within the deadline. The pool does it otherwise, and could wait forever."""
    if not connection.invalidated:
        with suppress(DBAPIError):
            driver.roll_back(connection)


def _roll_back_general(transaction: Transaction) -> None:
    """Roll back after an error, within the deadline. An interrupted rollback does not replace the error."""
    if transaction.is_active:
        with suppress(DBAPIError):
            transaction.rollback()


@contextmanager
def _general_transaction(database: Database, mode: str, expires: float) -> Iterator[Connection]:
    """Open a transaction through SQLAlchemy, on a connection from the pool."""
    with database.engines[mode].connect() as connection:
        use = watched(connection)
        use.begin(expires)
        try:
            transaction = connection.begin()
            try:
                yield connection
                if mode == READ:
                    transaction.rollback()  # a read commits nothing
                else:
                    commit_in_time(use, Transaction.commit, transaction)
            except BaseException:
                _roll_back_general(transaction)
                raise
        except DBAPIError as error:
            refuse_overdue(use, mode, error)
            raise
        finally:
            use.end()
            if use.may_be_interrupted_late:
                connection.invalidate()


def rehearsing() -> AbstractContextManager[None]:
    """Run the block in a transaction that is always rolled back at its end."""
    return rehearsals.rehearsing(current_database())


@contextmanager
def snapshot() -> Iterator[Connection]:
    """Read one consistent state of the database for as long as needed. Use it for copies and checks, not requests."""
    with current_database().engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            without_timeouts(connection)
        yield connection


def without_timeouts(connection: Connection) -> None:
    """Remove the timeout of the statements in this transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))


@contextmanager
def between_writes() -> Iterator[None]:
    """Block the writers of this app during the block."""
    with current_database().write_lock.held(LOCK_TIMEOUT):
        yield
