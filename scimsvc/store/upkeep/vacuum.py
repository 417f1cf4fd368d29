"""Rebuild a SQLite file without the space that no row uses."""

import sqlite3

from scimsvc.store.engine.database import current_database
from scimsvc.store.engine.outages import DATABASE_ERRORS
from scimsvc.store.engine.transactions import between_writes

#: Seconds that other processes may still write.
_PATIENCE = 10
#: A raw connection raises the errors of the driver.
VACUUM_ERRORS: tuple[type[Exception], ...] = (*DATABASE_ERRORS, sqlite3.Error)


def vacuum_file() -> None:
    """Rebuild the file. Reads go on meanwhile, and writes wait. Raises one of ``VACUUM_ERRORS``."""
    with between_writes():
        pooled = current_database().engine.raw_connection()
        try:
            pooled.execute(f"PRAGMA busy_timeout={_PATIENCE * 1000}")
            pooled.execute("VACUUM")
            # Until then the new content is in the write-ahead log.
            pooled.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            pooled.invalidate()
