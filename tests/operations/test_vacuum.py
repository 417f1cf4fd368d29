"""``scimsvc vacuum``: unused space of a SQLite file is given back, and nothing else changes."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from scimsvc.extensions import db
from tests.support.apps import is_sqlite
from tests.support.client import Enterprise
from tests.support.commands import refusal
from tests.support.types import Cli


def path_of(acme: Enterprise) -> Path:
    with acme.app.app_context():
        return Path(str(db.engine.url.database))


@pytest.fixture
def bloated(acme: Enterprise) -> Enterprise:
    """An enterprise with a user, and pages that no row uses."""
    if not is_sqlite(acme.app):
        pytest.skip("PostgreSQL has its own tools")
    acme.create()
    with acme.app.app_context(), db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE bloat AS SELECT randomblob(1000) AS content"))
        for _ in range(12):
            connection.execute(text("INSERT INTO bloat SELECT randomblob(1000) FROM bloat"))
        connection.execute(text("DROP TABLE bloat"))
    return acme


def test_unused_space_is_given_back_and_recorded(bloated: Enterprise, cli: Cli) -> None:
    users = bloated.send("GET", "/Users").json

    result = cli("vacuum")

    assert result["bytes"] == path_of(bloated).stat().st_size
    assert result["bytes_before"] - result["bytes"] > 4_000_000
    assert bloated.send("GET", "/Users").json == users
    assert cli("check")["sound"]
    assert cli("audit")[0]["action"] == "database.vacuumed"


def test_a_writer_that_does_not_end_is_named_and_nothing_changes(
    bloated: Enterprise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scimsvc.store.upkeep.vacuum._PATIENCE", 0)
    size = path_of(bloated).stat().st_size
    with closing(sqlite3.connect(path_of(bloated), isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        line = refusal(bloated.app, "vacuum")
        writer.execute("ROLLBACK")

    assert "database is locked" in line
    assert path_of(bloated).stat().st_size == size


def test_a_disk_without_room_is_named_and_nothing_changes(bloated: Enterprise, monkeypatch: pytest.MonkeyPatch) -> None:
    size = path_of(bloated).stat().st_size
    monkeypatch.setattr("scimsvc.operations.vacuum._COPIES", 10**9)

    assert "Free some space first." in refusal(bloated.app, "vacuum")
    assert path_of(bloated).stat().st_size == size


def test_postgresql_is_refused(acme: Enterprise) -> None:
    if is_sqlite(acme.app):
        pytest.skip("SQLite is rebuilt")

    assert "VACUUM FULL" in refusal(acme.app, "vacuum")
