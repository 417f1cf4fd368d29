"""A connection kept by each thread, as fetching one from the pool costs more than a statement on it.

SQLite has one writer at a time, and the threads of this process share the connection on which they write: it knows the
pages that it wrote last, where each of several would have to read anew what another one has changed.

SQLAlchemy begins nothing on a kept connection: statements stand alone, unless ``store.transactions`` has begun a
transaction by the driver. It goes back to the pool, which puts it right, whenever anything fails on it, when its thread
is no more, and when the engine is disposed of.
"""

import os
import threading
from contextlib import AbstractContextManager, nullcontext
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Engine, event

from scimsvc.extensions import BEGIN, BEGINS, begins_write

READS, WRITES = "reads", "writes"


class KeptConnection:
    """One connection; whoever holds ``lock`` may use it."""

    def __init__(self, keeper: "Keeper", place: Any) -> None:
        self.lock = threading.Lock()
        #: Where the keeper finds it again.
        self.place = place
        self.thread = threading.current_thread()
        self.alone = keeper.alone.connect()

    def close(self, *, for_good: bool) -> None:
        """Give the connection back to the pool, or end it ``for_good``, as where that pool is no more."""
        if for_good and not self.alone.invalidated:
            self.alone.detach()
        self.alone.close()


class Keeper:
    """Keeps the connections of one engine's threads."""

    def __init__(self, engine: Engine) -> None:
        #: Whether those who write must take turns.
        self.has_one_writer = engine.dialect.name == "sqlite"
        self.begins = {READS: BEGIN, WRITES: begins_write(engine)}
        #: On which SQLAlchemy begins nothing, and as the two ways to begin say.
        self.alone = engine.execution_options(**{BEGINS: ""})
        self.engines = {way: engine.execution_options(**{BEGINS: text}) for way, text in self.begins.items()}
        #: Held while a thread reads rows: SQLite's driver lets go of the interpreter at each row, which threads that
        #: read at once would hand to and fro for longer than they read.
        self.reading: AbstractContextManager[Any] = threading.Lock() if self.has_one_writer else nullcontext()
        self._own = threading.local()
        self._writer = SimpleNamespace() if self.has_one_writer else self._own
        self._all: set[KeptConnection] = set()
        self._lock = threading.Lock()
        self._closed = False

    def take(self, way: str) -> KeptConnection | None:
        """Return the connection to use in this ``way``, which must be given back; None while it is used already.

        Who takes SQLite's writer has the turn to write.
        """
        place: Any = self._writer if way == WRITES else self._own
        kept: KeptConnection | None = getattr(place, "kept", None)
        if kept is None:
            kept = place.kept = self._keep(place)
        return kept if kept.lock.acquire(blocking=False) else None

    def _keep(self, place: Any) -> KeptConnection:
        kept = KeptConnection(self, place)
        with self._lock:
            ended = [each for each in self._all if each.place is self._own and not each.thread.is_alive()]
            self._all.add(kept)
        for each in ended:
            self._close(each)
        return kept

    def give_back(self, kept: KeptConnection, *, sound: bool) -> None:
        """Let the connection be used again; one that is not ``sound`` goes back to the pool."""
        if not sound:
            kept.place.kept = None
        kept.lock.release()
        if not sound or self._closed:
            self._close(kept)

    def renew(self, kept: KeptConnection, way: str) -> KeptConnection:
        """Return another connection in place of one that was found broken before anything was done on it."""
        self.give_back(kept, sound=False)
        renewed = self.take(way)
        assert renewed is not None
        return renewed

    def close(self) -> None:
        """Give back what nobody uses now; the rest follows when it is given back."""
        self._closed = True
        for kept in list(self._all):
            self._close(kept)

    def _close(self, kept: KeptConnection) -> None:
        if kept.lock.acquire(blocking=False):  # and never let go of again: what is closed is not to be taken
            with self._lock:
                self._all.discard(kept)
            kept.close(for_good=self._closed)


_keepers: dict[Engine, Keeper] = {}
_making = threading.Lock()


def keeper_of(engine: Engine) -> Keeper:
    """Return the keeper of ``engine``'s connections."""
    return _keepers.get(engine) or _make_keeper(engine)


def _make_keeper(engine: Engine) -> Keeper:
    with _making:
        if engine not in _keepers:
            if not event.contains(engine, "engine_disposed", _on_disposed):
                event.listen(engine, "engine_disposed", _on_disposed)
            _keepers[engine] = Keeper(engine)
        return _keepers[engine]


def _on_disposed(engine: Engine) -> None:
    keeper = _keepers.pop(engine, None)
    if keeper is not None:
        keeper.close()


#: What a parent process opened, held so that nothing of it is ever closed or spoken to from here.
_parents: list[Keeper] = []


def _leave_to_parent() -> None:
    engines = list(_keepers)
    _parents.extend(_keepers.values())
    _keepers.clear()
    for engine in engines:
        engine.dispose(close=False)


os.register_at_fork(after_in_child=_leave_to_parent)
