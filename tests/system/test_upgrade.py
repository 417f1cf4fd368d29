"""A schema upgrade copies first, runs in one transaction, and survives a kill (requirement R62)."""

import random
import signal
import sqlite3
import subprocess
import threading
import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from scimsvc import create_app
from scimsvc.migrations import _ADVISORY_LOCK, upgrade
from scimsvc.models import SCHEMA_REVISION
from scimsvc.store.engine.transactions import writing
from tests.support.apps import dispose, run_command
from tests.support.live import PATIENCE, SCIMSVC, environment
from tests.support.long_runs import LONG
from tests.support.types import MakeApp

pytestmark = pytest.mark.system

OLD = "0001"
USERS = 3000


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A SQLite file with the first schema and users."""
    path = tmp_path / "old" / "scimsvc.db"
    path.parent.mkdir()
    app = create_app({"DATABASE_URL": f"sqlite:///{path}", "INSTANCE_PATH": str(tmp_path), "SECRET_KEY": "k" * 40})
    with app.app_context(), writing() as connection:
        upgrade(connection, revision=OLD)
        connection.execute(
            text("INSERT INTO enterprises VALUES ('e', 'Acme', 'acme', 1, 0, 0, 1, '2026-01-01T00:00:00.000Z')")
        )
        connection.execute(text("INSERT INTO roles VALUES ('e', 'r', 'Default', 1, 0)"))
        connection.execute(text("INSERT INTO role_names VALUES ('e', 'default', 'r', 'Default', 0)"))
        rows = [
            {"id": f"u{n:05}", "email": (email := f"u{n}@contoso.example"), "document": DOCUMENT % (f"u{n:05}", email)}
            for n in range(USERS)
        ]
        connection.execute(text(INSERT), rows)
    dispose(app)
    return path


DOCUMENT = (
    '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"%s","userName":"u","active":true,'
    '"emails":[{"value":"%s","type":"work"}]}'
)
INSERT = (
    "INSERT INTO users VALUES ('e', :id, :email, 0, 'u', NULL, NULL, 1, NULL, 'provisioned', 3, "
    "'2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z', NULL, NULL, :document, "
    """'{"schemas":["urn:ietf:params:scim:schemas:core:2.0:user"]}')"""
)


def init(path: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [SCIMSVC, "init", "--json"],
        env=environment(DATABASE_URL=f"sqlite:///{path}", INSTANCE_PATH=str(path.parents[1])),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def state(path: Path) -> tuple[str, int, bool]:
    """Return the revision, the number of users, and whether the tables of the second schema exist."""
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return (
            database.execute("SELECT version_num FROM alembic_version").fetchone()[0],
            database.execute("SELECT count(*) FROM users").fetchone()[0],
            {"changes", "provisioning_log"} <= tables,
        )


@pytest.mark.requirement("R62")
def test_an_upgrade_keeps_a_copy_of_the_old_database(old: Path) -> None:
    process = init(old)
    _, said = process.communicate(timeout=PATIENCE)

    assert process.returncode == 0, said
    (kept,) = (path for path in old.parent.iterdir() if path.name.startswith(f"scimsvc.db.{OLD}."))
    assert said == f"The database from before the upgrade is kept in {kept}.\n"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert state(kept) == (OLD, USERS, False)
    assert state(old) == (SCHEMA_REVISION, USERS, True)


def test_old_copies_are_deleted_and_none_is_left_of_an_upgrade_that_failed(old: Path) -> None:
    for number in range(4):
        (old.parent / f"scimsvc.db.000{number}.2026010{number}T000000000000").touch()
    with closing(sqlite3.connect(old)) as database:
        database.execute("CREATE TABLE changes (number)")  # the second schema has a table of this name
    failed = init(old)
    failed.communicate(timeout=PATIENCE)
    after_failure = len(list(old.parent.glob("scimsvc.db.*")))
    with closing(sqlite3.connect(old)) as database:
        database.execute("DROP TABLE changes")

    succeeded = init(old)
    succeeded.communicate(timeout=PATIENCE)

    assert (failed.returncode, after_failure, succeeded.returncode) == (1, 4, 0)
    copies = sorted(path.name for path in old.parent.glob("scimsvc.db.*"))
    assert copies[1:] == ["scimsvc.db.0002.20260102T000000000000", "scimsvc.db.0003.20260103T000000000000"]
    assert copies[0].startswith(f"scimsvc.db.{OLD}.")


def test_a_first_and_a_repeated_init_keep_no_copy(tmp_path: Path) -> None:
    app = create_app({"INSTANCE_PATH": str(tmp_path), "SECRET_KEY": "k" * 40})
    run_command(app, "init")
    run_command(app, "init")
    dispose(app)

    assert [path.name for path in tmp_path.iterdir()] == ["scimsvc.db"]


@pytest.mark.slow
@pytest.mark.requirement("R62")
def test_a_kill_leaves_the_old_schema_or_the_new_one(old: Path) -> None:
    found = []
    for _ in range(20 if LONG else 2):
        if state(old)[0] == SCHEMA_REVISION:
            break
        process = init(old)
        while process.poll() is None and not list(old.parent.glob("scimsvc.db.*")):
            time.sleep(0.005)  # the upgrade has begun
        time.sleep(random.uniform(0, 0.2))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=PATIENCE)
        found.append(state(old))
        for kept in old.parent.glob(f"scimsvc.db.{OLD}.*"):
            kept.unlink()
    process = init(old)
    _, said = process.communicate(timeout=PATIENCE)

    assert set(found) <= {(OLD, USERS, False), (SCHEMA_REVISION, USERS, True)}
    assert (process.returncode, state(old)) == (0, (SCHEMA_REVISION, USERS, True)), said


@pytest.fixture
def impatient(make_app: MakeApp, empty_postgresql_url: str) -> Flask:
    """An app with short lock timeouts."""
    return make_app(
        DATABASE_URL=f"{empty_postgresql_url}?options=-c%20lock_timeout%3D100%20-c%20statement_timeout%3D200"
    )


@pytest.fixture
def database_url(empty_postgresql_url: str) -> str:
    return empty_postgresql_url


@pytest.mark.requirement("R62")
def test_a_second_process_waits_until_the_first_one_is_done(impatient: Flask, database_url: str) -> None:
    answers = []
    with psycopg.connect(database_url) as first:
        first.execute("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])
        second = threading.Thread(target=lambda: answers.append(run_command(impatient, "init")))
        second.start()
        time.sleep(0.6)
        assert answers == []
        first.commit()
        second.join()

    assert answers == [{"database": "postgresql+psycopg", "schema": SCHEMA_REVISION}]
