"""A server on SQLite is durable and fair, reports no locks, and recovers from a full disk."""

import os
import resource
import shutil
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from scimsvc import __version__
from scimsvc.extensions import db
from scimsvc.operations.startup import has_wal_reset_fault
from tests.support.client import Enterprise
from tests.support.ledger import Client, Writer, totals, writing_to
from tests.support.live import PATIENCE, SCIMSVC, environment, serving
from tests.support.long_runs import LONG

pytestmark = pytest.mark.system


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of an empty SQLite database with the schema."""
    path = tmp_path / "database" / "scimsvc.db"
    path.parent.mkdir()
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


def _large_user(name: str) -> dict[str, Any]:
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": name,
        "title": "large",
        "nickName": "n" * 200_000,
        "emails": [{"type": "work", "value": f"{name}@contoso.example"}],
    }


@pytest.mark.slow
@pytest.mark.requirement("R60")
def test_a_running_server_survives_a_full_disk(tmp_path: Path) -> None:
    with serving(tmp_path) as live:
        client = Client(live.base_url, live.token)
        status, _, user = client.send("POST", "/Users", _large_user("before"))
        # Files of the process cannot grow, as on a full disk.
        resource.prlimit(live.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        refused = [client.send("POST", "/Users", _large_user(f"u{n}")) for n in range(3)]
        read = client.send("GET", f"/Users/{user['id']}")
        resource.prlimit(live.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        after = client.send("POST", "/Users", _large_user("after"))
        client.close()
        assert live.stop() == 0

    assert status == 201
    for answer in refused:
        assert (answer[0], int(answer[1]["Retry-After"])) == (503, 5)
        assert "later" in answer[2]["detail"]
    assert (read[0], read[2]) == (200, user)
    assert after[0] == 201
    assert _integrity(tmp_path / "instance" / "scimsvc.db") == ("ok", [], 2)


def _integrity(path: Path) -> tuple[str, list[Any], int]:
    with closing(sqlite3.connect(path)) as database:
        return (
            database.execute("PRAGMA integrity_check").fetchone()[0],
            database.execute("PRAGMA foreign_key_check").fetchall(),
            database.execute("SELECT count(*) FROM users").fetchone()[0],
        )


def _refused_start(folder: Path, *options: str, **settings: str) -> str:
    variables = environment(INSTANCE_PATH=str(folder), **settings)
    done = subprocess.run(
        [SCIMSVC, "serve", "--port=0", *options], env=variables, capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.mark.requirement("R61")
def test_without_a_write_ahead_log_nothing_starts(tmp_path: Path) -> None:
    # This lock mode has no shared memory, as on a network share.
    url = f"sqlite:///file:{tmp_path}/other.db?vfs=unix-dotfile&uri=true"

    assert "SQLite keeps the journal_mode 'delete'" in _refused_start(tmp_path, DATABASE_URL=url)


@pytest.mark.requirement("R61")
def test_a_later_schema_is_not_served(tmp_path: Path, database_url: str) -> None:
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.execute("UPDATE schema_support SET oldest_code = '9998'")
        database.commit()

    assert "schema 9999 of a later version" in _refused_start(tmp_path, DATABASE_URL=database_url)


@pytest.mark.requirement("R61")
def test_a_damaged_file_is_not_served_with_check(acme: Enterprise, tmp_path: Path, database_url: str) -> None:
    path = Path(database_url.removeprefix("sqlite:///"))
    for n in range(40):
        acme.create(email=f"u{n}@contoso.example", nickName="n" * 2000)
    with acme.app.app_context():
        db.engine.dispose()
    content = bytearray(path.read_bytes())
    for page in range(len(content) // 4096 - 20, len(content) // 4096):
        content[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    path.write_bytes(content)

    assert "damaged" in _refused_start(tmp_path, "--check", DATABASE_URL=database_url)


@pytest.mark.slow
@pytest.mark.requirement("R63")
def test_the_start_names_the_versions(tmp_path: Path, database_url: str) -> None:
    with serving(tmp_path, command="serve", DATABASE_URL=database_url) as live:
        log = live.log

    for name in (f"scimsvc {__version__}", "Python 3.", f"SQLite {sqlite3.sqlite_version}", "Flask 3.", "waitress 3."):
        assert name in log
    assert ("WAL-reset fault" in log) is has_wal_reset_fault(sqlite3.sqlite_version_info)


@pytest.mark.slow
@pytest.mark.requirement("R11")
def test_a_stop_leaves_everything_in_one_file(tmp_path: Path) -> None:
    path = tmp_path / "instance" / "scimsvc.db"
    with serving(tmp_path) as live, closing(sqlite3.connect(path)) as bystander:
        bystander.execute(
            "SELECT count(*) FROM users"
        ).fetchone()  # otherwise the last connection to close checkpoints the write-ahead log
        client = Client(live.base_url, live.token)
        for n in range(5):
            assert client.send("POST", "/Users", _large_user(f"u{n}"))[0] == 201
        client.close()
        before = path.with_name("scimsvc.db-wal").stat().st_size
        status = live.stop()
        after = path.with_name("scimsvc.db-wal").stat().st_size
        shutil.copy(path, tmp_path / "alone.db")

    assert status == 0
    assert before > 0
    assert after == 0
    assert _integrity(tmp_path / "alone.db") == ("ok", [], 5)


@pytest.mark.slow
@pytest.mark.requirement("R11")
def test_a_start_checkpoints_the_write_ahead_log_of_a_crash(tmp_path: Path) -> None:
    wal = tmp_path / "instance" / "scimsvc.db-wal"
    with serving(tmp_path) as live:
        client = Client(live.base_url, live.token)
        assert client.send("POST", "/Users", _large_user("u"))[0] == 201
        client.close()
        live.process.kill()
        live.process.wait()
    left = wal.stat().st_size
    with serving(tmp_path, command="serve"):
        after = wal.stat().st_size if wal.exists() else 0

    assert left > 0
    assert after == 0
    assert _integrity(tmp_path / "instance" / "scimsvc.db")[2] == 1


@pytest.mark.slow
@pytest.mark.requirement("R8")
def test_each_acknowledged_create_was_synced(tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    trace = tmp_path / "trace"
    probe = subprocess.run([strace, "-f", "-e", "trace=fdatasync", "true"], capture_output=True, text=True)
    if probe.returncode != 0:
        pytest.skip(f"strace may not trace here: {probe.stderr.splitlines()[-1]}")
    with serving(tmp_path) as live:
        client = Client(live.base_url, live.token)
        client.send("GET", "/Users")  # the last use of the token is written now, and again in a minute
        time.sleep(0.2)
        tracer = subprocess.Popen(
            [strace, "-f", "-p", str(live.process.pid), "-e", "trace=fsync,fdatasync", "-o", str(trace)],
            stderr=subprocess.PIPE,
        )
        assert tracer.stderr is not None
        tracer.stderr.readline()  # attached
        syncs = []
        for n in range(20):
            assert client.send("POST", "/Users", _large_user(f"u{n}"))[0] == 201
            syncs.append(trace.read_text().count("sync("))
        client.close()
        tracer.terminate()
        tracer.wait()
        tracer.stderr.close()

    assert all(later > earlier for earlier, later in zip([0, *syncs], syncs, strict=False))


@pytest.mark.slow
@pytest.mark.requirement("R9")
def test_heavy_load_never_reports_a_locked_database(tmp_path: Path) -> None:
    seconds = 30.0 if LONG else 3.0
    with serving(tmp_path) as first, serving(tmp_path, command="serve") as second:
        path = tmp_path / "instance" / "scimsvc.db"
        writers = [Writer(live.base_url, first.token) for live in (first, second) for _ in range(6)]
        readers = [_Reader(live.base_url, first.token) for live in (first, second) for _ in range(2)]
        with closing(sqlite3.connect(path, isolation_level=None)) as long_reader:
            long_reader.execute("BEGIN")
            long_reader.execute("SELECT count(*) FROM users").fetchone()
            with writing_to(*writers, *readers):
                _hold_the_lock_now_and_then(path, until=time.monotonic() + seconds)
        answers = [_all_users(live.base_url, first.token) for live in (first, second)]
        logs = first.log + second.log

    everybody = [*writers, *readers]
    assert sum(each.breaks for each in everybody) == 0
    assert set(totals(everybody)) <= {200, 201, 204}
    assert max(each.slowest for each in everybody) < 8
    assert answers[0] == answers[1]
    assert [list(writer.disagreements(answers[0])) for writer in writers] == [[]] * len(writers)
    assert "locked" not in logs
    assert _integrity(path)[:2] == ("ok", [])


class _Reader(Writer):
    def _write(self) -> None:
        begin = time.monotonic()
        status, _, _ = self.client.send("GET", "/Users?count=20&sortBy=userName")
        self.slowest = max(self.slowest, time.monotonic() - begin)
        self.counts[status] = self.counts.get(status, 0) + 1


def _hold_the_lock_now_and_then(path: Path, *, until: float) -> None:
    with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as foreign:
        while time.monotonic() < until:
            foreign.execute("BEGIN IMMEDIATE")
            time.sleep(0.6)
            foreign.execute("ROLLBACK")
            time.sleep(0.2)


def _all_users(base_url: str, token: str) -> dict[str, dict[str, Any]]:
    client = Client(base_url, token)
    users: dict[str, dict[str, Any]] = {}
    start = 1
    while True:
        _, _, page = client.send("GET", f"/Users?count=1000&startIndex={start}")
        users |= {user["emails"][0]["value"]: user | {"meta": None} for user in page["Resources"]}
        start += 1000
        if start > page["totalResults"]:
            client.close()
            return users


@pytest.mark.slow
def test_no_other_user_may_read_the_files_of_the_service(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        with serving(tmp_path) as live:
            client = Client(live.base_url, live.token)
            client.send("POST", "/Users", _large_user("u"))
            client.close()
            modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "instance").iterdir()}
    finally:
        os.umask(old)

    assert modes == {"scimsvc.db": 0o600, "scimsvc.db-wal": 0o600, "scimsvc.db-shm": 0o600, "secret_key": 0o600}
