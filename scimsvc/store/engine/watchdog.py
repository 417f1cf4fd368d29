"""Interrupt connections whose deadline has passed.

The drivers do not limit how long a call takes: SQLite computes until it is done, and a PostgreSQL server that is
frozen, or that waits for a standby within COMMIT, never answers. Therefore one thread for all databases of the process
looks at the connections in use a few times a second. This costs a use of a connection less than a microsecond.
"""

import logging
import os
import socket
import sqlite3
import threading
import time
from contextlib import suppress
from math import inf
from typing import Any, Protocol
from weakref import WeakSet

from sqlalchemy import Connection, Engine, event

_log = logging.getLogger("scimsvc")

#: Seconds between two looks at the connections in use.
_LOOK_EVERY = 0.2
#: Seconds that PostgreSQL has to obey a request to cancel, before the connection is cut.
CANCELLED_WITHIN = 2.0
#: Requests to cancel that may be on their way at the same time. A frozen server does not answer them.
_MOST_CANCELLING = 4


class Interruption(Protocol):
    """Ends the current call on a connection, from another thread."""

    #: Whether an interruption may arrive late, so that the connection must not be used again.
    may_arrive_late: bool

    def begin(self) -> None:
        """Interrupt the current call, without waiting."""

    def repeat(self, since: float) -> bool:
        """Interrupt again, ``since`` seconds after the deadline. Return whether the server is considered hanging."""


class Watched:
    """A connection that is interrupted if a use of it exceeds its deadline."""

    __slots__ = ("__weakref__", "_expires", "_interruption", "_lock", "hangs", "is_overdue")

    def __init__(self, interruption: Interruption) -> None:
        self._interruption = interruption
        #: Excludes an interruption while the use ends, so that the next use is never interrupted for this one.
        self._lock = threading.Lock()
        self._expires = inf
        #: Whether the current use exceeded its deadline.
        self.is_overdue = False
        #: Whether the server did not even answer the interruption.
        self.hangs = False
        _watchdog.add(self)

    @property
    def may_be_interrupted_late(self) -> bool:
        """Whether the connection must not be used again, because its interruption may arrive late."""
        return self.is_overdue and self._interruption.may_arrive_late

    def begin(self, expires: float) -> None:
        """Begin a use that is interrupted at ``expires``, by ``time.monotonic``."""
        self.is_overdue = self.hangs = False
        self._expires = expires
        if not _watchdog.is_running:
            _watchdog.start()

    def end(self) -> None:
        """End the use. It is not interrupted afterwards."""
        with self._lock:
            self._expires = inf

    def interrupt_if_overdue(self, now: float) -> None:
        """Interrupt the use if its deadline has passed. Does not wait for the server."""
        if now < self._expires:
            return
        with self._lock:
            if now < self._expires:
                return
            if not self.is_overdue:
                self.is_overdue = True
                self._interruption.begin()
            elif not self.hangs:
                self.hangs = self._interruption.repeat(now - self._expires)


class _Watchdog:
    """The thread that interrupts. It starts with the first deadline of the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connections: WeakSet[Watched] = WeakSet()
        self.is_running = False

    def add(self, watched: Watched) -> None:
        """Look at ``watched`` from now on, until it is deleted."""
        with self._lock:
            self._connections.add(watched)

    def start(self) -> None:
        """Start the thread unless it runs."""
        with self._lock:
            if self.is_running:
                return
            threading.Thread(target=self._run, name="scimsvc-watchdog", daemon=True).start()
            self.is_running = True

    def _run(self) -> None:
        while True:
            time.sleep(_LOOK_EVERY)
            try:
                self._look()
            except Exception:  # noqa: BLE001  # without this thread, nothing has a deadline
                _log.exception("The watchdog of database connections failed. It continues.")

    def _look(self) -> None:
        with self._lock:
            connections = list(self._connections)
        now = time.monotonic()
        for each in connections:
            each.interrupt_if_overdue(now)


_watchdog = _Watchdog()


def _after_fork() -> None:
    global _watchdog  # noqa: PLW0603  # the thread exists only in the parent process
    _watchdog = _Watchdog()


os.register_at_fork(after_in_child=_after_fork)


class InterruptSQLite:
    """Ends a statement on a SQLite connection. SQLite rolls back what the statement did."""

    may_arrive_late = False

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def begin(self) -> None:
        """Interrupt the running statement."""
        with suppress(sqlite3.Error):  # the connection was just closed
            self._connection.interrupt()

    def repeat(self, since: float) -> bool:
        """Interrupt the statement that runs now. SQLite forgets an interruption between two statements."""
        self.begin()
        return False


class InterruptPostgreSQL:
    """Asks PostgreSQL to cancel the current call, and cuts the connection if the call does not end."""

    may_arrive_late = True

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def begin(self) -> None:
        """Ask the server to cancel, in a thread, because a frozen server does not answer this request either."""
        if _cancelling.acquire(blocking=False):
            threading.Thread(target=self._cancel, name="scimsvc-cancel", daemon=True).start()

    def repeat(self, since: float) -> bool:
        """Shut the socket down if the server had its time, so that the waiting thread gets an error."""
        if since < CANCELLED_WITHIN:
            return False
        self._cut()
        return True

    def _cancel(self) -> None:
        from psycopg import Error, capabilities

        try:
            # An older libpq would wait without a limit, and without releasing the interpreter.
            if capabilities.has_cancel_safe():
                self._connection.cancel_safe(timeout=CANCELLED_WITHIN)
        except Error as error:
            _log.warning("PostgreSQL did not cancel a statement that exceeded its deadline: %s", type(error).__name__)
        finally:
            _cancelling.release()

    def _cut(self) -> None:
        from psycopg import Error

        try:
            number = self._connection.fileno()
            with socket.socket(fileno=os.dup(number)) as same:
                # If the connection is still open, the number cannot have passed to another file before its copy.
                if not self._connection.closed:
                    same.shutdown(socket.SHUT_RDWR)
        except (Error, OSError):  # the connection has just been closed
            pass


_cancelling = threading.BoundedSemaphore(_MOST_CANCELLING)


#: The key of a pooled connection's ``Watched``.
_WATCHED = "scimsvc_watched"
#: Seconds to prepare a new connection, and to check an idle one.
_PREPARED_WITHIN = 5.0
_CHECKED_WITHIN = 2.0


def watched(connection: Connection) -> Watched:
    """Return the ``Watched`` of a connection of a watched engine."""
    of_connection: Watched = connection.connection.info[_WATCHED]
    return of_connection


def watch_engine(engine: Engine) -> None:
    """Watch the connections of ``engine``, also while they are prepared, and while the pool checks them."""
    is_sqlite = engine.dialect.name == "sqlite"

    def on_connect(connection: Any, record: Any) -> None:
        interruption = InterruptSQLite(connection) if is_sqlite else InterruptPostgreSQL(connection)
        record.info[_WATCHED] = Watched(interruption)
        record.info[_WATCHED].begin(time.monotonic() + _PREPARED_WITHIN)

    def on_prepared(_connection: Any, record: Any) -> None:
        record.info[_WATCHED].end()

    event.listen(engine, "connect", on_connect, insert=True)
    event.listen(engine, "connect", on_prepared)
    if not is_sqlite:
        _watch_checks(engine)


def _watch_checks(engine: Engine) -> None:
    check = engine.dialect.do_ping

    def watched_check(connection: Any) -> bool:
        # The pool does not say to which of its records the connection belongs.
        watched = Watched(InterruptPostgreSQL(connection))
        watched.begin(time.monotonic() + _CHECKED_WITHIN)
        try:
            return check(connection)
        finally:
            watched.end()
            if watched.is_overdue:
                connection.close()

    engine.dialect.do_ping = watched_check  # type: ignore[assignment, method-assign]
