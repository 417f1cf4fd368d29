"""The databases of the tests. Each test starts with an empty one, or with one that contains ``acme``."""

import atexit
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, LiteralString, NamedTuple

import psycopg
from psycopg import sql
from sqlalchemy import select

from scimsvc import create_app
from scimsvc.extensions import db
from scimsvc.models import User
from tests.support.apps import SECRET_KEY, dispose, run_command

POSTGRESQL_URL = os.environ.get("SCIMSVC_TEST_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432/postgres")

#: A folder in memory if the system has one; None means the default folder for temporary files.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

#: Every table, after the tables that it refers to.
_TABLES = User.metadata.sorted_tables
_EMPTY = ";".join(f"DELETE FROM {table.name}" for table in reversed(_TABLES))


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite file."""
    return f"sqlite:///{path}"


def create_schema(url: str) -> None:
    """Run ``init`` on the database at ``url``."""
    app = create_app({"DATABASE_URL": url, "SECRET_KEY": SECRET_KEY})
    run_command(app, "init")
    dispose(app)


@contextmanager
def new_postgresql(options: LiteralString = "") -> Iterator[str]:
    """Create an empty database with ``options`` and drop it at the end. Raises ``OperationalError`` without a server."""
    name = f"scimsvc_test_{secrets.token_hex(6)}"
    with psycopg.connect(POSTGRESQL_URL, autocommit=True, connect_timeout=3) as server:
        server.execute(sql.SQL("CREATE DATABASE {} " + options).format(sql.Identifier(name)))
        try:
            server.execute(
                f'ALTER DATABASE "{name}" SET synchronous_commit = off'
            )  # safe because tests never cut the power
            yield POSTGRESQL_URL.rpartition("/")[0] + "/" + name
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def empty_postgresql(url: str) -> None:
    """Delete all rows of all tables."""
    _kept_connection(url).execute(_EMPTY)


@cache
def _kept_connection(url: str) -> psycopg.Connection:
    """Return this process's only connection to the database, because the server needs 15 ms to warm up another one."""
    connection = psycopg.connect(url, autocommit=True)
    atexit.register(connection.close)
    return connection


class StoredRows:
    """All rows of a SQLite file, to copy into empty databases. This is faster than repeating the commands."""

    def __init__(self, path: Path) -> None:
        app = create_app({"DATABASE_URL": sqlite_url(path), "SECRET_KEY": SECRET_KEY})
        with app.app_context(), db.engine.connect() as connection:
            read = {table.name: connection.execute(select(table)).mappings() for table in _TABLES}
            rows = [(name, dict(row)) for name, result in read.items() for row in result]
        dispose(app)
        copies = ";".join(f"INSERT INTO {name} SELECT * FROM stored.{name}" for name in dict(rows))
        self._sqlite = f"PRAGMA synchronous=OFF; ATTACH '{path}' AS stored; BEGIN; {copies}; COMMIT"
        self._postgresql = ";".join(_insert(name, row) for name, row in rows)

    def copy_to(self, url: str) -> None:
        """Insert the rows into the database at ``url``."""
        if url.startswith("sqlite"):
            with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
                connection.executescript(self._sqlite)
        else:
            _kept_connection(url.replace("postgresql+psycopg", "postgresql")).execute(self._postgresql)


class StoredAcme(NamedTuple):
    """An enterprise as its rows, the response to its creation, and its SCIM token."""

    rows: StoredRows
    result: dict[str, Any]
    token: str


def _insert(table: str, row: dict[str, Any]) -> str:
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(map(sql.Literal, row.values())),
    )
    return statement.as_string()
