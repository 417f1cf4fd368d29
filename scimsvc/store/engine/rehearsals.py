"""Rehearsals: transactions that are always rolled back, in which all reads and writes of a thread take place."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from time import monotonic

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from scimsvc.extensions import BEGINS, BUSY_TIMEOUT
from scimsvc.store.engine.database import Database
from scimsvc.store.engine.deadlines import DeadlineExceeded, refuse_overdue
from scimsvc.store.engine.watchdog import watched
from scimsvc.store.fast.connections import READ, WRITE
from scimsvc.store.fast.fair_lock import LOCK_TIMEOUT

#: Seconds for which a rehearsal may write on SQLite, while all other writers wait.
WRITE_SECONDS = 0.5
#: The same on PostgreSQL, where only writers of the same rows wait.
WRITE_SECONDS_WITH_ROW_LOCKS = 3.0


class Rehearsal:
    """A rehearsal on one connection.

    It begins as a read, which needs no locks. The first write begins a new transaction: on SQLite it queues for the
    write lock, with at most one rehearsal in the queue, so that the writers wait for one rehearsal and not for many.
    """

    def __init__(self, database: Database, connection: Connection) -> None:
        self._database = database
        self._connection = connection
        self._use = watched(connection)
        self._use.begin(database.deadlines.expiry(READ))
        self._is_writing = False
        self._locks = ExitStack()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read within the rehearsal, including what was written in it."""
        try:
            yield self._connection
        except DBAPIError as error:
            refuse_overdue(self._use, READ, error)
            raise

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Write within the rehearsal. An exception undoes the writes of the block."""
        if self._use.is_overdue:
            raise DeadlineExceeded(WRITE, hangs=self._use.hangs)
        if not self._is_writing:
            self._begin_to_write()
        try:
            with self._connection.begin_nested():
                yield self._connection
        except DBAPIError as error:
            refuse_overdue(self._use, WRITE, error)
            raise

    def _begin_to_write(self) -> None:
        expires = self._database.deadlines.expiry(WRITE)
        self._end_transaction()
        if self._database.has_one_writer:
            for lock in (self._database.rehearsal_lock, self._database.write_lock):
                self._locks.enter_context(lock.held(min(LOCK_TIMEOUT, expires - monotonic())))
        self._connection.execution_options(**{BEGINS: self._database.begins[WRITE]})
        # SQLite may first wait for the writer of another process.
        self._use.begin(min(expires, monotonic() + BUSY_TIMEOUT))
        self._connection.begin()
        self._use.end()
        seconds = WRITE_SECONDS if self._database.has_one_writer else WRITE_SECONDS_WITH_ROW_LOCKS
        self._use.begin(min(expires, monotonic() + seconds))
        self._is_writing = True

    def end(self) -> None:
        """Roll everything back, and release the locks."""
        with self._locks:
            self._end_transaction()

    def _end_transaction(self) -> None:
        try:
            self._connection.rollback()
        finally:
            self._use.end()
            if self._use.may_be_interrupted_late:
                self._connection.invalidate()


@contextmanager
def rehearsing(database: Database) -> Iterator[None]:
    """Let all reads and writes of this thread take place in a rehearsal for the block."""
    with database.engines[READ].connect() as connection:
        rehearsal = database.thread.rehearsal = Rehearsal(database, connection)
        began = monotonic()
        try:
            yield
        finally:
            database.thread.rehearsal = None
            rehearsal.end()
            database.deadlines.spend(began)
