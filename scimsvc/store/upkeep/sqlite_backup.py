"""Copy a SQLite database during writes."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import text

from scimsvc.store.engine.transactions import snapshot

_PAGES_PER_STEP = 256


def database_path() -> Path:
    """Return the path of the SQLite file."""
    with snapshot() as connection:
        (_, _, path), *_ = connection.execute(text("PRAGMA database_list")).all()
    return Path(path)


def copy_database(copy: sqlite3.Connection, progress: Callable[[int, int], None]) -> None:
    """Copy one consistent state of the SQLite database into ``copy`` without blocking writers."""
    with snapshot() as connection:
        # The first read fixes the state. Otherwise every write would restart the copy.
        connection.execute(text("SELECT count(*) FROM sqlite_master")).scalar_one()
        source: Any = connection.connection.driver_connection
        source.backup(
            copy, pages=_PAGES_PER_STEP, progress=lambda _, left, total: progress(total - left, total), sleep=0
        )
    # The copy is a single file, without a separate write-ahead log.
    copy.execute("PRAGMA journal_mode=DELETE").fetchone()
