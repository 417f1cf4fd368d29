"""The database of an app: its engine, and the state that the threads of the app share.

Two apps in one process share nothing, even if they use the same database. Each has its own write lock and its own
caches.
"""

import itertools
import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakSet

from flask import Flask, current_app
from sqlalchemy import Engine, event

from scimsvc.extensions import (
    BEGINS,
    begins_read,
    begins_write,
    db,
    engine_options,
    prepare_engine,
    refuse_startup_options,
    sqlite_file,
)
from scimsvc.protocol.limits import Limits
from scimsvc.store.engine.compiled_statements import bound_compiled_statements
from scimsvc.store.engine.deadlines import Deadlines
from scimsvc.store.engine.watchdog import watch_engine
from scimsvc.store.fast.connections import READ, WRITE, KeptConnections
from scimsvc.store.fast.fair_lock import FairLock

if TYPE_CHECKING:
    from scimsvc.store.engine.rehearsals import Rehearsal

_EXTENSION = "scimsvc.database"


class FileId(NamedTuple):
    """The identity of a file, which stays the same if it is renamed."""

    device: int
    inode: int

    @classmethod
    def find(cls, path: Path) -> "FileId | None":
        """Return the identity of the file at ``path``, or None if it does not exist."""
        try:
            status = path.stat()
        except OSError:
            return None
        return cls(status.st_dev, status.st_ino)


class _Thread(threading.local):
    """The state of one thread."""

    #: While a rehearsal is set, all reads and writes of the thread take place in it.
    rehearsal: "Rehearsal | None" = None


class Database:
    """An engine, the connections that threads keep, the write lock, and the epoch of cached settings."""

    def __init__(self, engine: Engine, *, read_seconds: float, write_seconds: float) -> None:
        self.engine = engine
        bound_compiled_statements(engine)
        watch_engine(engine)
        #: Whether the database allows only one writer at a time.
        self.has_one_writer = engine.dialect.name == "sqlite"
        #: The statement that begins a transaction, by mode (``READ`` or ``WRITE``).
        self.begins = {READ: begins_read(engine), WRITE: begins_write(engine)}
        #: Engines with which SQLAlchemy begins transactions by that statement, by mode.
        self.engines = {mode: engine.execution_options(**{BEGINS: text}) for mode, text in self.begins.items()}
        self.kept = KeptConnections(engine)
        #: SQLite does not queue writers fairly. With this lock, the slowest write of eight clients takes a fifth of
        #: the time.
        self.write_lock = FairLock()
        #: Lets one rehearsal at a time queue for the write lock.
        self.rehearsal_lock = FairLock()
        self.thread = _Thread()
        self.deadlines = Deadlines({READ: read_seconds, WRITE: write_seconds})
        #: A number that changes with the cached settings. Read it before reading the settings.
        self.settings_epoch = 0
        self._epochs = itertools.count(1)
        #: Connections of the parent process. The reference prevents this process from closing them.
        self._left_to_parent: list[KeptConnections] = []
        #: The SQLite file that the first connection opened.
        self.opened_file: FileId | None = None
        event.listen(engine, "connect", self._on_connect)
        event.listen(engine, "engine_disposed", self._on_disposed)
        _databases.add(self)

    def note_settings_change(self) -> None:
        """Invalidate cached settings. Call it after the change of the settings is committed."""
        self.settings_epoch = next(self._epochs)

    def leave_to_parent(self) -> None:
        """Start over in a forked process, without the connections and locks of the parent process."""
        self._left_to_parent.append(self.kept)
        self.kept = KeptConnections(self.engine)
        self.write_lock = FairLock()
        self.rehearsal_lock = FairLock()
        self.engine.dispose(close=False)

    def _on_connect(self, _connection: object, _record: object) -> None:
        path = sqlite_file(self.engine.url.database or "") if self.has_one_writer else None
        if path is not None and self.opened_file is None:
            self.opened_file = FileId.find(path)

    def _on_disposed(self, _engine: Engine) -> None:
        kept, self.kept = self.kept, KeptConnections(self.engine)
        self.opened_file = None
        kept.close()


#: Every database of this process, for ``_after_fork``.
_databases: WeakSet[Database] = WeakSet()


def _after_fork() -> None:
    for database in list(_databases):
        database.leave_to_parent()


os.register_at_fork(after_in_child=_after_fork)


def init_database(app: Flask, url: str, limits: Limits, *, pooler: str | None) -> None:
    """Connect ``app`` to the database at ``url``, directly or through a ``pooler``.

    Raises ``SettingsError`` if its driver is not installed, or if the URL has a parameter that a pooler refuses.
    """
    if pooler is not None:
        refuse_startup_options(url)
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(url, pooler=pooler)
    teardown_functions = list(app.teardown_appcontext_funcs)
    db.init_app(app)
    # Flask-SQLAlchemy adds a function that closes ORM sessions, and this service does not use them.
    app.teardown_appcontext_funcs[:] = teardown_functions
    with app.app_context():
        prepare_engine(db.engine, pooler=pooler)
        app.extensions[_EXTENSION] = Database(
            db.engine, read_seconds=limits.read_seconds, write_seconds=limits.write_seconds
        )


#: Seconds for work that concerns every user of a role or an enterprise. The proxy files wait as long for an answer.
LONG_SECONDS = 35.0


def database_of(app: Flask) -> Database:
    """Return the database of ``app``."""
    database: Database = app.extensions[_EXTENSION]
    return database


def current_database() -> Database:
    """Return the database of the current app."""
    # The app itself instead of its proxy, because the proxy needs five calls for each attribute.
    database: Database = current_app._get_current_object().extensions[_EXTENSION]  # type: ignore[attr-defined]  # noqa: SLF001
    return database


@contextmanager
def longer_deadline(seconds: float) -> Iterator[None]:
    """Allow at least ``seconds`` for the database work of the block.

    Use it for work that may take longer than a request, such as an export.
    """
    with current_database().deadlines.extended(seconds):
        yield


def without_deadline() -> AbstractContextManager[None]:
    """Allow the database work of the block any time. Use it for commands, not for requests."""
    return longer_deadline(inf)
