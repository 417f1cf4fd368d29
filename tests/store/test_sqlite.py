"""SQLite as the best run it (docs/design/storage.md): durable, fair, never locked, and back after the disk was full."""

import os
import resource
import shutil
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, text

from scimsvc import __version__
from scimsvc.extensions import BUSY_TIMEOUT, db
from scimsvc.operations.startup import has_wal_reset_fault
from scimsvc.store import transactions
from scimsvc.store.database import current_database
from scimsvc.store.fast.fair_lock import FairLock, FairLockTimeout
from tests.support.client import Enterprise, assert_scim_error, replace
from tests.support.ledger import LONG, Client, Writer, totals, writing_to
from tests.support.live import PATIENCE, SCIMSVC, environment, serving
from tests.support.types import Cli


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of an empty SQLite database with the schema."""
    path = tmp_path / "database" / "scimsvc.db"
    path.parent.mkdir()
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


def test_each_connection_has_the_discipline(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection:
        found = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "trusted_schema", "busy_timeout", "mmap_size")
        }

    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "trusted_schema": 0,
        "busy_timeout": BUSY_TIMEOUT * 1000,
        "mmap_size": 0,
    }


# The queue for the writer.


def test_threads_acquire_the_lock_in_the_order_in_which_they_asked() -> None:
    lock, order = FairLock(), []

    def take(number: int) -> None:
        with lock.held(PATIENCE):
            order.append(number)

    with lock.held(0):
        threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
        for number, thread in enumerate(threads):
            thread.start()
            while len(lock._waiting) <= number:
                time.sleep(0.001)
    for thread in threads:
        thread.join()

    assert order == list(range(8))


def test_a_wait_for_the_lock_that_was_given_up_blocks_no_one_else() -> None:
    lock = FairLock()

    with lock.held(0), pytest.raises(FairLockTimeout), lock.held(0.01):
        pass
    with lock.held(0):
        pass


def test_a_stuck_writer_costs_others_a_503_and_not_for_ever(
    acme: Enterprise, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = acme.create()
    monkeypatch.setattr(transactions, "LOCK_TIMEOUT", 0.1)
    with acme.app.app_context():
        write_lock = current_database().write_lock

    with write_lock.held(PATIENCE):
        refused = acme.patch(user, replace("title", "Lead"))
        read = acme.get(user)
        said = acme.app.test_cli_runner().invoke(args=["settings", "set", "log_days", "9"])
    done = acme.patch(user, replace("title", "Lead"))

    assert_scim_error(refused, 503, None, "later")
    assert int(refused.headers["Retry-After"]) > 0
    assert read == user
    assert (said.exit_code, said.stdout) == (1, "")
    assert said.stderr == "Error: the database cannot be used: no turn to write within 0.1 seconds\n"
    assert done.status_code == 200


# A full disk, a file that cannot be written.


@contextmanager
def pragma(app: Flask, on: str, off: str) -> Iterator[None]:
    """Set a pragma on every connection that the app uses, until the end."""

    def set_(connection: sqlite3.Connection, *_: Any) -> None:
        connection.execute(f"PRAGMA {current[0]}").close()

    current = [on]
    with app.app_context():
        db.engine.dispose()  # a connection that a thread keeps is checked out once for all
        event.listen(db.engine, "checkout", set_)
        yield
        current[0] = off
        db.engine.dispose()


@pytest.mark.requirement("R60")
@pytest.mark.parametrize(
    ("on", "off"),
    [
        pytest.param("max_page_count=1", "max_page_count=1073741823", id="full"),
        pytest.param("query_only=ON", "query_only=OFF", id="read-only"),
    ],
)
def test_a_disk_that_takes_no_more_costs_writes_alone_and_only_as_long(acme: Enterprise, on: str, off: str) -> None:
    user = acme.create()

    with pragma(acme.app, on, off):
        for _ in range(3):  # pages that are free already may still be written
            refused = acme.send("POST", "/Users", _large_user("a"))
        changed = acme.patch(user, replace("nickName", "n" * 100_000))
        bulk = acme.send("POST", "/Bulk", _bulk(_large_user("b")))
        read = acme.get(user)
        found = acme.find('title eq "large"')
    after = acme.send("POST", "/Users", _large_user("a"))

    for answer in (refused, changed):
        assert_scim_error(answer, 503, None, "later")
        assert int(answer.headers["Retry-After"]) > 0
    assert bulk.get_json()["Operations"][0]["status"] == "503"
    assert (read, found) == (user, [])
    assert after.status_code == 201
    with acme.app.app_context(), db.engine.connect() as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"


def _large_user(name: str) -> dict[str, Any]:
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": name,
        "title": "large",
        "nickName": "n" * 200_000,
        "emails": [{"type": "work", "value": f"{name}@contoso.example"}],
    }


def _bulk(user: dict[str, Any]) -> dict[str, Any]:
    operation = {"method": "POST", "path": "/Users", "bulkId": "1", "data": user}
    return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [operation]}


@pytest.mark.requirement("R60")
def test_a_running_server_outlives_a_full_disk(tmp_path: Path) -> None:
    with serving(tmp_path) as live:
        client = Client(live.base_url, live.token)
        status, _, user = client.send("POST", "/Users", _large_user("before"))
        # No file of the process can grow or be written, as on a disk that is full.
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


@pytest.mark.requirement("R60")
def test_connections_that_were_opened_while_the_file_was_read_only_do_not_stay_so(
    acme: Enterprise, database_url: str
) -> None:
    user = acme.create()
    path = database_url.removeprefix("sqlite:///")

    def read_only(_dialect: Any, _record: Any, _args: Any, arguments: dict[str, Any]) -> sqlite3.Connection:
        connection: sqlite3.Connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, **arguments)
        return connection

    with acme.app.app_context():
        db.engine.dispose()
        event.listen(db.engine, "do_connect", read_only)
        refused = [acme.patch(user, replace("title", "Lead")) for _ in range(2)]
        read = acme.get(user)
        event.remove(db.engine, "do_connect", read_only)
    # The connection that read is still there, and opened read-only; writes are done on one of their own.
    done = acme.patch(user, replace("title", "Lead"))

    assert [answer.status_code for answer in refused] == [503, 503]
    assert read == user
    assert done.status_code == 200


@pytest.mark.requirement("R60")
def test_a_folder_that_is_gone_is_a_503_and_may_come_back(acme: Enterprise, database_url: str) -> None:
    path = Path(database_url.removeprefix("sqlite:///"))
    user = acme.create()
    with acme.app.app_context():
        db.engine.dispose()

    away = path.parent.with_name("away")
    path.parent.rename(away)
    refused = acme.send("GET", f"/Users/{user['id']}")
    away.rename(path.parent)
    read = acme.send("GET", f"/Users/{user['id']}")

    assert_scim_error(refused, 503, None, "later")
    assert (read.status_code, read.get_json()) == (200, user)


# Starting and stopping.


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
    # This way of locking has no shared memory, as on a network share.
    url = f"sqlite:///file:{tmp_path}/other.db?vfs=unix-dotfile&uri=true"

    assert "journal_mode stays 'delete'" in _refused_start(tmp_path, DATABASE_URL=url)


@pytest.mark.requirement("R61")
def test_a_later_schema_is_not_served(tmp_path: Path, database_url: str) -> None:
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()

    assert "schema 9999, which is of a later version" in _refused_start(tmp_path, DATABASE_URL=database_url)


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


@pytest.mark.requirement("R63")
def test_the_start_names_the_versions(tmp_path: Path, database_url: str) -> None:
    with serving(tmp_path, command="serve", DATABASE_URL=database_url) as live:
        log = live.log

    for name in (f"scimsvc {__version__}", "Python 3.", f"SQLite {sqlite3.sqlite_version}", "Flask 3.", "waitress 3."):
        assert name in log
    assert ("WAL-reset fault" in log) is has_wal_reset_fault(sqlite3.sqlite_version_info)


@pytest.mark.requirement("R63")
@pytest.mark.parametrize(
    ("version", "faulty"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 0), True),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((4, 0, 0), False),
    ],
)
def test_versions_with_the_wal_reset_fault(version: tuple[int, int, int], faulty: bool) -> None:
    assert has_wal_reset_fault(version) is faulty


@pytest.mark.requirement("R11")
def test_a_stop_leaves_everything_in_the_one_file(tmp_path: Path) -> None:
    path = tmp_path / "instance" / "scimsvc.db"
    with serving(tmp_path) as live, closing(sqlite3.connect(path)) as bystander:
        bystander.execute("SELECT count(*) FROM users").fetchone()  # else the last connection to go empties the log
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


@pytest.mark.requirement("R11")
def test_a_start_empties_the_log_that_a_crash_left(tmp_path: Path) -> None:
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


# Durability and the storm.


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
        client.send("GET", "/Users")  # its last use is written now, and the next ones' in a minute
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


@pytest.mark.requirement("R9")
def test_in_a_storm_nobody_is_told_that_the_database_is_locked(tmp_path: Path) -> None:
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


def test_nobody_else_may_read_what_the_service_keeps(tmp_path: Path) -> None:
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
