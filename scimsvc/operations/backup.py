"""Back up a SQLite database while it is in use, and verify the copy before it gets its final name."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from scimsvc import clock
from scimsvc.activity.audit import AuditLog, Target, audited
from scimsvc.errors import Conflict, InvalidInput
from scimsvc.models import SCHEMA_REVISION
from scimsvc.operations.new_files import new_file
from scimsvc.store.engine.transactions import writing
from scimsvc.store.upkeep.maintenance import is_sqlite
from scimsvc.store.upkeep.sqlite_backup import copy_database, database_path
from scimsvc.vocabulary import Action

#: Copies from before upgrades that are kept.
_KEPT_COPIES = 3
#: A function that is called with the number of completed steps and the number of all steps.
Progress = Callable[[int, int], None]


def back_up(target: Path, progress: Progress) -> dict[str, Any]:
    """Copy the database to the new file ``target`` (mode 0600), verify the copy, and return its contents.

    The copy is one consistent state, and writers are not blocked. The audit log records it. Raises ``InvalidInput`` on
    PostgreSQL, and ``Conflict`` if ``target`` exists or cannot be written.
    """
    if not is_sqlite():
        raise InvalidInput(
            "This command backs up only SQLite, and this database is PostgreSQL. "
            "Use a tool of PostgreSQL, such as 'pg_dump --format=custom'."
        )
    copied = _copy(target, progress)
    if copied["schema"] == SCHEMA_REVISION:  # an older schema may have no audit log
        _record(copied)
    return copied


@audited
def _record(copied: dict[str, Any]) -> None:
    with writing() as connection:
        AuditLog(connection).record(Action.DATABASE_BACKED_UP, Target(None, copied["file"]))


def _copy(target: Path, progress: Progress) -> dict[str, Any]:
    """Copy the database to ``target``, verify the copy, and return its contents. Raises ``Conflict``."""
    try:
        with new_file(target) as draft, closing(sqlite3.connect(draft, isolation_level=None)) as copy:
            copy_database(copy, progress)
            content = _verify(copy)
    except sqlite3.Error as error:
        raise Conflict(f"The copy to '{target}' failed: {error}.") from None
    return {"file": str(target), "bytes": target.stat().st_size, **content}


def back_up_before_upgrade(revision: str) -> Path | None:
    """Copy a SQLite database with the old schema ``revision``, and return the path of the copy; None on PostgreSQL."""
    if not is_sqlite():
        return None
    copy = Path(f"{database_path()}.{revision}.{clock.now():%Y%m%dT%H%M%S%f}")
    _copy(copy, lambda _done, _total: None)
    return copy


def list_copies() -> list[Path]:
    """Return the copies from before upgrades of a SQLite database, the oldest first."""
    path = Path(database_path())
    copies = path.parent.glob(f"{path.name}.[0-9][0-9][0-9][0-9].*T*")
    return sorted(copies, key=lambda copy: copy.name.rpartition(".")[2])


def delete_old_copies() -> None:
    """Delete all copies from before upgrades except the newest ``_KEPT_COPIES``."""
    for copy in list_copies()[:-_KEPT_COPIES]:
        copy.unlink(missing_ok=True)


def _verify(copy: sqlite3.Connection) -> dict[str, Any]:
    """Return the contents of the copy. Raises ``Conflict`` if the copy is damaged."""
    (result,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
    orphan = copy.execute("PRAGMA foreign_key_check").fetchone()
    if result != "ok" or orphan is not None:
        fault = result if result != "ok" else f"a row of {orphan[0]} refers to a missing row of {orphan[2]}"
        raise Conflict(f"The copy is damaged ({fault}), so the database is damaged too. Run 'scimsvc check'.")
    return {
        "schema": copy.execute("SELECT version_num FROM alembic_version").fetchone()[0],
        "enterprises": copy.execute("SELECT count(*) FROM enterprises").fetchone()[0],
        "users": copy.execute("SELECT count(*) FROM users").fetchone()[0],
    }
