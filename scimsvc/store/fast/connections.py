"""Keep a connection per thread for reading, instead of returning it to the pool after each request.

SQLite allows one writer at a time, so all threads of an app share one connection for writing. Its page cache contains
the pages that were written last. With several connections, each would have to read these pages again.

SQLAlchemy begins no transaction on a kept connection. Each statement is its own transaction, unless ``store.engine``
has begun one through the driver. A kept connection returns to the pool, which resets it, when a statement fails on it,
when its thread ends, and when the engine is disposed of.
"""

import threading
from typing import Final

from sqlalchemy import Connection, Engine

from scimsvc import fast_paths
from scimsvc.extensions import BEGINS
from scimsvc.store.engine.watchdog import watched

READ: Final = "read"
WRITE: Final = "write"


class _Slot(threading.local):
    """The kept connection of each thread."""

    kept: "KeptConnection | None" = None


class _SharedSlot:
    """The connection on which all threads write to SQLite."""

    kept: "KeptConnection | None" = None


class KeptConnection:
    """A connection. Only the thread that acquired ``lock`` may use it."""

    def __init__(self, engine: Engine, slot: _Slot | _SharedSlot) -> None:
        self.lock = threading.Lock()
        self.slot = slot
        self.thread = threading.current_thread()
        self.connection: Connection = engine.connect()
        self.watched = watched(self.connection)
        #: Whether the connection waits shorter for SQLite's write lock than ``BUSY_TIMEOUT``.
        self.has_shorter_wait = False

    def close(self, *, discard: bool) -> None:
        """Return the connection to the pool. With ``discard``, close it, because its pool no longer exists."""
        if (discard or self.has_shorter_wait) and not self.connection.invalidated:
            self.connection.detach()
        self.connection.close()


class KeptConnections:
    """The kept connections of one engine until the engine is disposed of."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(**{BEGINS: ""})
        self._thread_slot = _Slot()
        has_one_writer = engine.dialect.name == "sqlite"
        self._write_slot: _Slot | _SharedSlot = _SharedSlot() if has_one_writer else self._thread_slot
        self._all: set[KeptConnection] = set()
        self._lock = threading.Lock()
        self._is_closed = False

    def take(self, mode: str) -> KeptConnection | None:
        """Return the connection for ``mode`` (``READ`` or ``WRITE``). The caller must give it back.

        Returns None while the connection is in use, for example by a transaction of this thread, and while fast paths
        are disabled. On SQLite, the caller must acquire the write lock of the database before it takes ``WRITE``.
        """
        if not fast_paths.enabled:
            return None
        slot = self._write_slot if mode == WRITE else self._thread_slot
        kept = slot.kept
        if kept is None:
            kept = slot.kept = self._open(slot)
        return kept if kept.lock.acquire(blocking=False) else None

    def _open(self, slot: _Slot | _SharedSlot) -> KeptConnection:
        kept = KeptConnection(self._engine, slot)
        with self._lock:
            ended = [each for each in self._all if each.slot is self._thread_slot and not each.thread.is_alive()]
            self._all.add(kept)
        for each in ended:
            self._close_unused(each)
        return kept

    def give_back(self, kept: KeptConnection, *, reusable: bool) -> None:
        """End the use of ``kept`` and make it available again. If it is not ``reusable``, return it to the pool."""
        kept.watched.end()
        if kept.watched.may_be_interrupted_late:
            kept.connection.invalidate()
            reusable = False
        if not reusable:
            kept.slot.kept = None
        kept.lock.release()
        if not reusable or self._is_closed:
            self._close_unused(kept)

    def close(self) -> None:
        """Close the connections that are not in use. The others are closed when they are given back."""
        self._is_closed = True
        for kept in list(self._all):
            self._close_unused(kept)

    def _close_unused(self, kept: KeptConnection) -> None:
        # The lock is not released again, so no thread can take a closed connection.
        if kept.lock.acquire(blocking=False):
            with self._lock:
                self._all.discard(kept)
            kept.close(discard=self._is_closed)
