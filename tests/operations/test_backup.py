"""``scimsvc backup`` copies and verifies the database while others write; the copy can be served (requirement R10)."""

import shutil
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from scimsvc.extensions import db
from scimsvc.models import SCHEMA_REVISION
from scimsvc.operations import backup as backups
from scimsvc.store.upkeep import sqlite_backup
from tests.support.apps import is_sqlite
from tests.support.client import Enterprise, replace
from tests.support.commands import misuse, refusal, text_of
from tests.support.ledger import Client, Writer, documents, writing_to
from tests.support.live import SCIMSVC, environment, on_a_terminal, serving
from tests.support.types import Cli


@pytest.fixture
def sqlite_acme(acme: Enterprise) -> Enterprise:
    """The enterprise, only on SQLite."""
    if not is_sqlite(acme.app):
        pytest.skip("PostgreSQL is backed up by its own tools")
    return acme


def test_a_backup_is_one_complete_file_of_mode_600(sqlite_acme: Enterprise, cli: Cli, tmp_path: Path) -> None:
    user = sqlite_acme.create()
    target = tmp_path / "backups" / "today.db"
    target.parent.mkdir()

    result = cli("backup", str(target))

    assert result == {
        "file": str(target),
        "bytes": target.stat().st_size,
        "schema": SCHEMA_REVISION,
        "enterprises": 1,
        "users": 1,
    }
    assert [path.name for path in target.parent.iterdir()] == ["today.db"]
    assert target.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(target)) as copy:
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert list(documents(copy.execute("SELECT document FROM users"))) == [user["emails"][0]["value"]]


def test_a_backup_overwrites_nothing(sqlite_acme: Enterprise, tmp_path: Path) -> None:
    target, dangling = tmp_path / "old.db", tmp_path / "link.db"
    target.write_text("yesterday's")
    dangling.symlink_to(tmp_path / "nowhere")

    assert "already exists" in refusal(sqlite_acme.app, "backup", str(target))
    assert "already exists" in refusal(sqlite_acme.app, "backup", str(dangling))
    assert target.read_text() == "yesterday's"
    assert "No such file" in refusal(sqlite_acme.app, "backup", str(tmp_path / "no" / "such.db"))
    assert "directory" in misuse(sqlite_acme.app, "backup", str(tmp_path))


def test_a_backup_of_a_damaged_database_is_refused_and_leaves_nothing(sqlite_acme: Enterprise, tmp_path: Path) -> None:
    with sqlite_acme.app.app_context(), db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
    with sqlite_acme.app.app_context():
        database: Any = db.engine.raw_connection()
        database.execute("PRAGMA foreign_keys=OFF")
        database.execute("UPDATE roles SET enterprise_id = 'nobody'")
        database.execute("PRAGMA foreign_keys=ON")
        database.close()

    line = refusal(sqlite_acme.app, "backup", str(tmp_path / "b.db"))

    assert "is damaged" in line
    assert "scimsvc check" in line
    assert list(tmp_path.glob("b.db*")) == []


def test_a_backup_on_postgresql_names_the_tool_to_use(acme: Enterprise, tmp_path: Path) -> None:
    if is_sqlite(acme.app):
        pytest.skip("SQLite is what backup is for")

    assert "pg_dump" in refusal(acme.app, "backup", str(tmp_path / "b.db"))


def test_a_write_during_the_copy_neither_waits_nor_gets_into_it(
    sqlite_acme: Enterprise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_backup, "_PAGES_PER_STEP", 4)
    users = [sqlite_acme.create(email=f"u{n}@contoso.example") for n in range(3)]
    steps: list[tuple[int, int]] = []

    def write(done: int, of: int) -> None:
        steps.append((done, of))
        answer = sqlite_acme.patch(users[0], replace("title", f"during step {len(steps)}"))
        assert answer.status_code == 200

    with sqlite_acme.app.app_context():
        result = backups.back_up(tmp_path / "b.db", write)

    with closing(sqlite3.connect(tmp_path / "b.db")) as copy:
        stored = documents(copy.execute("SELECT document FROM users"))
    assert result["users"] == 3
    assert len(steps) > 3
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)  # the copy never started again
    assert steps[-1][0] == steps[-1][1]
    assert "title" not in stored["u0@contoso.example"]
    assert sqlite_acme.get(users[0])["title"] == f"during step {len(steps)}"


@pytest.mark.system
def test_a_terminal_shows_the_progress(sqlite_acme: Enterprise, database_url: str, tmp_path: Path) -> None:
    settings = {"INSTANCE_PATH": str(tmp_path / "instance"), "DATABASE_URL": database_url}
    done, shown = on_a_terminal("backup", str(tmp_path / "b.db"), settings=settings)

    assert done.returncode == 0
    assert "Copying" in shown
    assert "100%" in shown
    assert b"users" in done.stdout


def test_without_a_terminal_only_the_result_is_printed(sqlite_acme: Enterprise, tmp_path: Path) -> None:
    assert text_of(sqlite_acme.app, "backup", str(tmp_path / "b.db")).startswith("file         /")


@pytest.mark.slow
@pytest.mark.system
@pytest.mark.requirement("R10")
def test_a_backup_under_heavy_load_is_sound_and_can_be_served(tmp_path: Path) -> None:
    variables = environment(INSTANCE_PATH=str(tmp_path / "instance"))
    copies = [tmp_path / f"{n}.db" for n in range(2)]
    with serving(tmp_path) as live:
        token = live.token
        writers = [Writer(live.base_url, token) for _ in range(4)]
        with writing_to(*writers):
            time.sleep(0.3)
            for copy in copies:
                subprocess.run([SCIMSVC, "backup", str(copy)], env=variables, check=True, capture_output=True)
        assert live.stop() == 0

    kept = []
    for copy in copies:
        with closing(sqlite3.connect(copy)) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            kept.append(documents(database.execute("SELECT document FROM users")))
    assert all(writer.breaks == 0 for writer in writers)
    assert len(kept[0]) > 0

    restored = tmp_path / "restored" / "instance"
    restored.mkdir(parents=True)
    shutil.copy(copies[-1], restored / "scimsvc.db")
    shutil.copy(tmp_path / "instance" / "secret_key", restored)
    with serving(tmp_path / "restored", command="serve") as live, closing(Client(live.base_url, token)) as client:
        listed = client.send("GET", "/Users?count=0")[2]["totalResults"]
        writer = Writer(live.base_url, token)
        with writing_to(writer):
            time.sleep(0.5)
        found = subprocess.run(
            [SCIMSVC, "check"], env=environment(INSTANCE_PATH=str(restored)), capture_output=True, text=True
        )

    assert listed == len(kept[-1])
    assert writer.breaks == 0
    assert sum(writer.counts.values()) > 2
    assert (found.returncode, found.stderr) == (0, "")
