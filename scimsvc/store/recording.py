"""Record the write of one user: the entry of the log and the change of the feed, in one statement.

The statement increments the row of the feed, which numbers the change and locks the feed until the transaction ends.
PostgreSQL does this in common table expressions, which saves two round trips. SQLite has none that write. There the
statement inserts into a temporary view, and the trigger of the view writes the three rows.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Engine, event, text

from scimsvc.store.engine.statements import Write
from scimsvc.store.feed import ADVANCE, ChangeRow, difference_of
from scimsvc.store.log import LogRow

_ENTRY_COLUMNS = ("enterprise_id", *LogRow._fields)
_CHANGE_COLUMNS = ("enterprise_id", *ChangeRow._fields)
_ENTRY_PARAMETERS = tuple(f"entry_{name}" for name in _ENTRY_COLUMNS)
_CHANGE_PARAMETERS = tuple(f"change_{name}" for name in _CHANGE_COLUMNS)
_PARAMETERS = (*_ENTRY_PARAMETERS, *_CHANGE_PARAMETERS, "feed", "changes", "difference")
_VIEW = "recorded_writes"


def _parameters(prefix: str, names: tuple[str, ...]) -> str:
    return ", ".join(f"{prefix}{name}" for name in names)


def _columns(names: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _insert_change(prefix: str, feed: str) -> str:
    """Return the INSERT of a change with the end of the feed in the rows of ``feed``."""
    into = f"INSERT INTO changes ({_columns(_CHANGE_COLUMNS)}, number, users)"
    return f"{into} SELECT {_parameters(prefix, _CHANGE_PARAMETERS)}, feed.number, feed.users FROM {feed}"  # noqa: S608  # constants


def _insert_entry(prefix: str) -> str:
    into = f"INSERT INTO provisioning_log ({_columns(_ENTRY_COLUMNS)})"
    return f"{into} VALUES ({_parameters(prefix, _ENTRY_PARAMETERS)})"


_FEED_AND_CHANGE = f"WITH feed AS ({ADVANCE} RETURNING number, users), change AS ({_insert_change(':', 'feed')})"
_RECORD = {
    "postgresql": Write(text(f"{_FEED_AND_CHANGE} {_insert_entry(':')}")),
    "sqlite": Write(text(f"INSERT INTO {_VIEW} VALUES ({_parameters(':', _PARAMETERS)})")),  # noqa: S608  # constants
}


def _view_and_trigger() -> Iterator[str]:
    columns = ", ".join(f"NULL AS {name}" for name in _PARAMETERS)
    yield f"CREATE TEMP VIEW {_VIEW} AS SELECT {columns}"
    steps = (
        ADVANCE.replace(":", "NEW."),
        _insert_change("NEW.", "feeds AS feed WHERE feed.enterprise_id = NEW.feed"),
        _insert_entry("NEW."),
    )
    yield f"CREATE TEMP TRIGGER record_write INSTEAD OF INSERT ON {_VIEW} BEGIN {'; '.join(steps)}; END"


def init_recording(engine: Engine) -> None:
    """Create the view and its trigger on each new connection of ``engine`` to SQLite."""
    if engine.dialect.name == "sqlite":
        statements = list(_view_and_trigger())

        def create(connection: Any, _record: Any) -> None:
            for statement in statements:
                connection.execute(statement).close()

        event.listen(engine, "connect", create)


def insert_entry_and_change(connection: Connection, enterprise_id: str, entry: LogRow, change: ChangeRow) -> None:
    """Insert the log entry and the change of a write, and lock the feed until the transaction ends."""
    values = (enterprise_id, *entry, enterprise_id, *change, enterprise_id, 1, difference_of(change))
    _RECORD[connection.dialect.name].run(connection, dict(zip(_PARAMETERS, values, strict=True)))
