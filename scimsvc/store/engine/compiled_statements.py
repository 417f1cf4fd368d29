"""The caches of compiled statements, bounded in bytes.

The statement of a filter has the structure of the filter. For a hundred conditions SQLAlchemy's form of it takes more
than a megabyte, and SQLite's a third of one. SQLAlchemy keeps 500 statements, and each connection of SQLite 128: one
client could fill a gigabyte with filters of different structures.
"""

import threading
from typing import Any

from sqlalchemy import Engine, event

from scimsvc.bounded import Bounded

_MOST = 200
#: Characters of the text of a cached statement. One condition of a filter adds 50 to 100 to the 800 of a list.
_LONGEST = 3000


class CompiledStatements:
    """Keeps the statements with short texts that were compiled last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._statements: Bounded[Any, Any] = Bounded(_MOST)

    def get(self, key: Any) -> Any:
        """Return the compiled statement, or None."""
        return self._statements.get(key)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        """Keep the compiled statement, unless its text is long."""
        if len(str(compiled)) <= _LONGEST:
            with self._lock:
                self._statements.put(key, compiled)


#: The number of statements that a connection of SQLite keeps: the default of ``cached_statements`` of ``sqlite3``.
_KEPT_BY_SQLITE = 128


def bound_compiled_statements(engine: Engine) -> None:
    """Bound the statements that SQLAlchemy and SQLite keep for ``engine``. Call it before its options are changed."""
    engine.update_execution_options(compiled_cache=CompiledStatements())
    if engine.dialect.name == "sqlite":
        event.listen(engine, "after_cursor_execute", _forget_long_statement)


def _forget_long_statement(_connection: Any, cursor: Any, statement: str, *_others: Any) -> None:
    """Let the driver forget a long statement. It keeps the last 128 of each connection, and has no other way."""
    if len(statement) > _LONGEST:
        other = cursor.connection.cursor()
        for number in range(_KEPT_BY_SQLITE):
            other.execute(f"SELECT {number}")
        other.close()
