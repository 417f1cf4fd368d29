"""Nothing starts on a database that cannot be served, and the reason is one line. Later faults make it not ready."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

from scimsvc import extensions
from scimsvc.operations.readiness import why_not_ready
from tests.support.apps import run_command
from tests.support.commands import refusal
from tests.support.databases import new_postgresql, sqlite_url
from tests.support.types import MakeApp

STARTS = (("serve", "--port=0"), ("deliver",), ("quickstart", "--port=0"), ("init",))
_NOBODY = 65534


@pytest.fixture
def database_url(sqlite_file: Path) -> str:
    """The URL of a SQLite database, for apps that name no other one."""
    return sqlite_url(sqlite_file)


@pytest.mark.parametrize(
    ("encoding", "options"),
    [
        ("LATIN1", "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"),
        ("SQL_ASCII", "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"),
    ],
)
def test_a_postgresql_database_that_is_not_utf_8_is_refused(
    make_app: MakeApp, encoding: str, options: LiteralString
) -> None:
    with new_postgresql(options) as url:
        app = make_app(DATABASE_URL=url)

        refused = [refusal(app, *words) for words in STARTS]
        answer = app.test_client().get("/readyz")

    assert all(f"The encoding of the PostgreSQL database is {encoding}" in line for line in refused), refused
    assert answer.status_code == 503


def test_the_encoding_of_clients_does_not_matter(
    make_app: MakeApp, empty_postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    app = make_app(DATABASE_URL=empty_postgresql_url)

    run_command(app, "enterprise", "create", "Жизнь")

    with psycopg.connect(empty_postgresql_url, client_encoding="utf8") as connection:
        assert connection.execute("SELECT name FROM enterprises").fetchall() == [("Жизнь",)]


@pytest.fixture
def brief_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let connections wait a tenth of a second for locks, which otherwise are ten seconds."""
    monkeypatch.setattr(extensions, "BUSY_TIMEOUT", 0.1)


@pytest.mark.usefixtures("brief_waits")
def test_a_sqlite_file_whose_locks_fail_is_refused(make_app: MakeApp, sqlite_file: Path) -> None:
    # A file system without working locks fails like this: SQLite takes ENOLCK for the lock of another program.
    with closing(sqlite3.connect(sqlite_file)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        app = make_app(DATABASE_URL=f"sqlite:///{sqlite_file}")

        refused = [refusal(app, *words) for words in STARTS]

    assert all("database is locked" in line for line in refused), refused
    assert f"{sqlite_file} cannot be used: database is locked." in refused[0]


@pytest.mark.parametrize(
    "content", [b"This is a letter and not a database. " * 50, b"SQLite format 3\0" + b"\xff" * 4080]
)
def test_a_file_that_is_not_a_database_is_refused(make_app: MakeApp, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "scimsvc.db"
    path.write_bytes(content)
    app = make_app(DATABASE_URL=f"sqlite:///{path}")

    assert all("is not a database" in refusal(app, *words) for words in STARTS)
    assert path.read_bytes() == content


@contextmanager
def another_user() -> Iterator[None]:
    """Run the block as a user who is not root, because root can write every file."""
    user = os.geteuid()
    os.seteuid(user or _NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.fixture(params=["closed", "open elsewhere"])
def read_only_file(request: pytest.FixtureRequest, sqlite_file: Path) -> Iterator[Path]:
    """A database that everyone can read and no one but root can write. If it is open elsewhere, SQLite can read it."""
    with closing(sqlite3.connect(sqlite_file)) as other:
        if request.param != "closed":
            other.execute("PRAGMA journal_mode=WAL")
            other.execute("SELECT * FROM alembic_version").fetchall()
        for path in sqlite_file.parent.iterdir():
            path.chmod(0o444)
        sqlite_file.parent.chmod(0o555)
        yield sqlite_file
    sqlite_file.parent.chmod(0o700)


def test_a_read_only_folder_is_refused(make_app: MakeApp, read_only_file: Path, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("This is not a database. " * 50)
    folder = str(read_only_file.parent)
    other, app = (
        make_app(DATABASE_URL=sqlite_url(path), INSTANCE_PATH=folder) for path in (tmp_path / "letter", read_only_file)
    )
    assert all(refusal(other, *words) for words in STARTS)  # imports everything, while this user may read it

    with another_user():
        refused = [refusal(app, *words) for words in STARTS]

    assert f"Cannot serve the database: {read_only_file} " in refused[0]
    assert all("read-only" in line or "readonly" in line for line in refused), refused


def test_the_replacement_of_the_database_file_makes_a_server_not_ready(
    make_app: MakeApp, sqlite_file: Path, sqlite_template: Path
) -> None:
    app = make_app(DATABASE_URL=f"sqlite:///{sqlite_file}")
    with app.app_context():
        assert why_not_ready() is None
        Path(shutil.copy(sqlite_template, sqlite_file.with_name("restored.db"))).rename(sqlite_file)
        assert "was removed or replaced" in str(why_not_ready())
    answer = app.test_client().get("/readyz")

    assert (answer.status_code, "was removed or replaced" in answer.get_json()["reason"]) == (503, True)
    assert make_app(DATABASE_URL=f"sqlite:///{sqlite_file}").test_client().get("/readyz").status_code == 200
