"""SQLite by docs/design/storage.md: durable, fair, without lock errors, and usable again after a full disk."""

import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, text

from scimsvc.extensions import BUSY_TIMEOUT, db
from scimsvc.operations.startup import has_wal_reset_fault
from scimsvc.store.engine import transactions
from scimsvc.store.engine.database import current_database
from scimsvc.store.fast.fair_lock import FairLock, FairLockTimeout
from tests.support.client import Enterprise, assert_scim_error, replace
from tests.support.live import PATIENCE
from tests.support.types import Cli


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of an empty SQLite database with the schema."""
    path = tmp_path / "database" / "scimsvc.db"
    path.parent.mkdir()
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


def test_each_connection_has_the_pragmas(app: Flask) -> None:
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


# The queue for the write lock.


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


def test_an_abandoned_wait_for_the_lock_blocks_no_one() -> None:
    lock = FairLock()

    with lock.held(0), pytest.raises(FairLockTimeout), lock.held(0.01):
        pass
    with lock.held(0):
        pass


def test_a_stuck_writer_causes_only_temporary_503s(acme: Enterprise, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
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
    assert said.stderr == "Error: The database is not usable: the write lock was not available within 0.1 seconds.\n"
    assert done.status_code == 200


# A full disk, a file that cannot be written.


@contextmanager
def pragma(app: Flask, on: str, off: str) -> Iterator[None]:
    """Set a pragma on every connection of the app until the end of the block."""

    def set_(connection: sqlite3.Connection, *_: Any) -> None:
        connection.execute(f"PRAGMA {current[0]}").close()

    current = [on]
    with app.app_context():
        db.engine.dispose()  # a thread checks out its connection only once
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
def test_a_full_disk_stops_only_writes_and_only_while_it_is_full(acme: Enterprise, on: str, off: str) -> None:
    user = acme.create()

    with pragma(acme.app, on, off):
        for _ in range(3):  # free pages can still be written
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
def test_connections_opened_to_a_read_only_file_are_replaced(acme: Enterprise, database_url: str) -> None:
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
    # The reading connection is still open and read-only. Writes use a separate connection.
    done = acme.patch(user, replace("title", "Lead"))

    assert [answer.status_code for answer in refused] == [503, 503]
    assert read == user
    assert done.status_code == 200


@pytest.mark.requirement("R60")
def test_a_missing_folder_is_a_503_until_it_returns(acme: Enterprise, database_url: str) -> None:
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


# Durability and load.
