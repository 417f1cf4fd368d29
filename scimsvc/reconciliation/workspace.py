"""The temporary database of a comparison: the people of the file, the users, and the differences.

It is a file without a name that SQLite deletes when it is closed, also after a crash. Its cache has a few megabytes.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from scimsvc.errors import ServiceError

_SCHEMA = """
CREATE TABLE person (
    line INTEGER PRIMARY KEY, external_id TEXT, user_name TEXT, email TEXT, user_name_key TEXT, email_key TEXT,
    active INTEGER, given_name TEXT, family_name TEXT, display_name TEXT, role TEXT, sent_role TEXT,
    is_invalid INTEGER NOT NULL, is_repeated INTEGER NOT NULL DEFAULT 0, user_id TEXT, matched_by TEXT
);
CREATE TABLE user (
    id TEXT PRIMARY KEY, external_id TEXT, user_name TEXT, email TEXT, user_name_key TEXT, email_key TEXT,
    active INTEGER, given_name TEXT, family_name TEXT, display_name TEXT, role TEXT, source TEXT, confirmed_at TEXT,
    line INTEGER
) WITHOUT ROWID;
CREATE TABLE pair (line INTEGER PRIMARY KEY, user_id TEXT UNIQUE);
CREATE TABLE finding (
    number INTEGER PRIMARY KEY, kind TEXT, line INTEGER, user_id TEXT, user_name TEXT, email TEXT, external_id TEXT,
    attribute TEXT, directory TEXT, here TEXT, detail TEXT
);
"""
#: Created when the rows are there, because that is faster.
_INDEXES = """
CREATE INDEX person_external_id ON person (external_id, line);
CREATE INDEX person_user_name ON person (user_name_key, line);
CREATE INDEX person_email ON person (email_key, line);
CREATE INDEX user_external_id ON user (external_id);
CREATE INDEX user_user_name ON user (user_name_key);
CREATE INDEX user_email ON user (email_key);
"""
#: Kibibytes of the cache.
_CACHE = 16_000


class WorkspaceFailed(ServiceError):
    """The temporary database cannot be written, for example because the disk is full."""

    status = 503


@contextmanager
def workspace() -> Iterator[sqlite3.Connection]:
    """Open an empty workspace, and delete it at the end. Raises ``WorkspaceFailed``."""
    try:
        with _opened() as connection:
            yield connection
    except sqlite3.Error as error:  # those of the service's database are of another type
        raise WorkspaceFailed(
            f"The temporary database of the comparison failed: {error}. Free space in the temporary folder, or name "
            "another folder by the variable SQLITE_TMPDIR."
        ) from None


@contextmanager
def _opened() -> Iterator[sqlite3.Connection]:
    # An empty name is a temporary file. A statement runs by itself, because nothing is to be kept after a failure.
    with closing(sqlite3.connect("", isolation_level=None)) as connection:
        connection.execute(f"PRAGMA cache_size = -{_CACHE}")
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA temp_store = FILE")
        connection.executescript(_SCHEMA)
        connection.execute("BEGIN")
        yield connection


def create_indexes(connection: sqlite3.Connection) -> None:
    """Create the indexes by which people and users are matched."""
    for statement in _INDEXES.strip().split(";\n"):
        connection.execute(statement)
