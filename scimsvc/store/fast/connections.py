"""Kept connections: each thread keeps the connection that it read on last, instead of returning it to the pool.

SQLite has one writer at a time, so all threads of an app share the connection on which they write: its page cache holds
the pages that it wrote last, which each of several connections would have to read again after another one's write.

SQLAlchemy begins no transaction on a kept connection. A statement on it is its own transaction, unless
``store.engine`` has begun one through the driver. A kept connection returns to the pool, which resets it, when
anything fails on it, when its thread has ended, and when the engine is disposed of.
"""

import threading
from typing import Final

from sqlalchemy import Connection, Engine

from scimsvc import fast_paths
from scimsvc.extensions import BEGINS

READ: Final = "read"
WRITE: Final = "write"


class _Slot(threading.local):
    """Where a thread finds its kept connection."""

    kept: "KeptConnection | None" = None


class _SharedSlot:
    """Where all threads find the connection on which they write to SQLite."""

    kept: "KeptConnection | None" = None


class KeptConnection:
    """A connection that the thread which holds ``lock`` may use."""

    def __init__(self, engine: Engine, slot: _Slot | _SharedSlot) -> None:
        self.lock = threading.Lock()
        self.slot = slot
        self.thread = threading.current_thread()
        self.connection: Connection = engine.connect()

    def close(self, *, discard: bool) -> None:
        """Return the connection to the pool, or close it where ``discard`` says that its pool no longer exists."""
        if discard and not self.connection.invalidated:
            self.connection.detach()
        self.connection.close()


class KeptConnections:
    """The kept connections of one engine, until it is disposed of."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(**{BEGINS: ""})
        self._thread_slot = _Slot()
        has_one_writer = engine.dialect.name == "sqlite"
        self._write_slot: _Slot | _SharedSlot = _SharedSlot() if has_one_writer else self._thread_slot
        self._all: set[KeptConnection] = set()
        self._lock = threading.Lock()
        self._is_closed = False

    def take(self, mode: str) -> KeptConnection | None:
        """Return the connection to ``READ`` or ``WRITE`` on, which must be given back.

        Returns None while the connection is in use, as by a transaction of this thread, and while fast paths are
        disabled. To ``WRITE`` on SQLite, the caller must hold the database's write lock.
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
        """Let ``kept`` be taken again; one that is not ``reusable`` returns to the pool."""
        if not reusable:
            kept.slot.kept = None
        kept.lock.release()
        if not reusable or self._is_closed:
            self._close_unused(kept)

    def replace(self, kept: KeptConnection, mode: str) -> KeptConnection:
        """Return another connection instead of ``kept``, which was lost before anything was done on it."""
        self.give_back(kept, reusable=False)
        replacement = self.take(mode)
        assert replacement is not None
        return replacement

    def close(self) -> None:
        """Close the connections that are not in use; each of the others is closed when it is given back."""
        self._is_closed = True
        for kept in list(self._all):
            self._close_unused(kept)

    def _close_unused(self, kept: KeptConnection) -> None:
        # The lock is never released: nobody can take a closed connection.
        if kept.lock.acquire(blocking=False):
            with self._lock:
                self._all.discard(kept)
            kept.close(discard=self._is_closed)
