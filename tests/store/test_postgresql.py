"""PostgreSQL: bounded waits, retried transactions, and connections that survive a restart."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from scimsvc.extensions import POSTGRESQL_LIMITS, db, engine_options
from scimsvc.store.engine.retries import RETRIES, retried
from scimsvc.store.engine.transactions import snapshot, writing
from tests.support.client import Enterprise, assert_scim_error, replace
from tests.support.records import edit_profile, feed_of
from tests.support.types import MakeApp


@pytest.fixture
def database_url(empty_postgresql_url: str) -> str:
    """The URL of an empty PostgreSQL database with the schema."""
    return empty_postgresql_url


def limits_of(app: Flask) -> dict[str, str]:
    with app.app_context(), db.engine.connect() as connection:
        return {name: connection.execute(text(f"SHOW {name}")).scalar_one() for name in POSTGRESQL_LIMITS}


def test_waits_are_bounded(app: Flask) -> None:
    assert limits_of(app) == {
        "statement_timeout": "30s",
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "1min",
    }


def test_limits_of_the_url_take_precedence(make_app: MakeApp, database_url: str) -> None:
    url = f"{database_url}?options=-c%20statement_timeout%3D5000&application_name=other&connect_timeout=2"

    app = make_app(DATABASE_URL=url)

    assert limits_of(app)["statement_timeout"] == "5s"
    assert limits_of(app)["lock_timeout"] == "10s"
    with app.app_context(), db.engine.connect() as connection:
        assert connection.execute(text("SHOW application_name")).scalar_one() == "other"


def test_the_pool_is_no_narrower_than_a_server_s_threads() -> None:
    options = engine_options("postgresql+psycopg://postgres@127.0.0.1/db")

    assert options["pool_size"] + options["max_overflow"] >= 256  # the maximum of serve --threads
    assert options["pool_timeout"] == 10
    assert options["pool_pre_ping"] is True
    assert options["connect_args"]["connect_timeout"] == 5


def test_a_copy_may_take_its_time_and_changes_nothing(app: Flask) -> None:
    with app.app_context():
        with snapshot() as connection:
            assert connection.execute(text("SHOW statement_timeout")).scalar_one() == "0"
            assert connection.execute(text("SHOW transaction_isolation")).scalar_one() == "repeatable read"
            with pytest.raises(DBAPIError, match="read-only"):
                connection.execute(text("DELETE FROM users"))
        assert limits_of(app)["statement_timeout"] == "30s"


def test_a_lock_timeout_is_a_503(acme: Enterprise, database_url: str) -> None:
    user = acme.create()
    with acme.app.app_context():
        db.engine.dispose()  # the next connections have the limit below

    with psycopg.connect(database_url) as other:
        name = other.info.dbname
        other.execute(f"ALTER DATABASE \"{name}\" SET lock_timeout = '100ms'")
        other.commit()
        other.execute("SELECT 1 FROM users FOR UPDATE")
        refused = acme.patch(user, replace("title", "Lead"))
        other.rollback()
        other.execute(f'ALTER DATABASE "{name}" RESET lock_timeout')
    done = acme.patch(user, replace("title", "Lead"))

    assert_scim_error(refused, 503, None, "later")
    assert int(refused.headers["Retry-After"]) > 0
    assert done.status_code == 200


# Rows that a statement read before it waited for a lock.


def while_waiting_for(url: str, statements: list[str], call: Callable[[], Any]) -> Any:
    """Run ``call`` while it waits for the locks of ``statements``, commit these, and return its result."""
    with (
        psycopg.connect(url) as other,
        psycopg.connect(url, autocommit=True) as observer,
        ThreadPoolExecutor(1) as pool,
    ):
        for statement in statements:
            other.execute(statement)
        done = pool.submit(call)
        deadline = time.monotonic() + 30
        while observer.execute(_WAITING).fetchone() != (1,):
            assert time.monotonic() < deadline, "the call does not wait"
            time.sleep(0.01)
        other.commit()
        return done.result(timeout=30)


_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
_RENAMED = ["SELECT 1 FROM enterprises FOR UPDATE", "UPDATE roles SET name = 'Everybody' WHERE is_default"]
_MOVED = [
    "SELECT 1 FROM enterprises FOR UPDATE",
    "UPDATE roles SET is_default = false WHERE is_default",
    "UPDATE roles SET is_default = true WHERE name = 'User'",
]


@pytest.mark.parametrize(("statements", "role"), [(_RENAMED, "Everybody"), (_MOVED, "User")])
def test_a_write_that_waited_for_new_settings_uses_them(
    acme: Enterprise, database_url: str, statements: list[str], role: str
) -> None:
    user = acme.create()

    changed = while_waiting_for(database_url, statements, lambda: acme.patch(user, replace("title", "Lead")))
    entry = feed_of(acme)["items"][-1]

    assert [each["value"] for each in changed.get_json()["roles"]] == [role]
    assert (entry["role"], entry["old_role"]) == (role, role)


@pytest.mark.parametrize("write", [
    lambda acme, user: acme.patch(user, replace("displayName", "Somebody")),
    lambda acme, user: edit_profile(acme, user["id"], title="Chief"),
])  # fmt: skip
def test_a_write_that_waited_for_another_write_of_its_user_uses_the_new_role(
    acme: Enterprise, database_url: str, write: Callable[[Enterprise, dict[str, Any]], Any]
) -> None:
    user = acme.create(roles=[{"value": "User", "primary": True}])
    other_role = (
        "UPDATE users SET role_id = (SELECT id FROM roles WHERE name = 'SigningHub_Admin'), "
        """document = replace(document, '"User","primary"', '"SigningHub_Admin","primary"')"""
    )

    while_waiting_for(database_url, [other_role], lambda: write(acme, user))
    entry = feed_of(acme)["items"][-1]

    assert [each["value"] for each in acme.get(user)["roles"]] == ["SigningHub_Admin"]
    assert (entry["role"], entry["old_role"]) == ("SigningHub_Admin", "SigningHub_Admin")


# Transactions that PostgreSQL aborts.


@pytest.fixture
def counters(app: Flask) -> Flask:
    """The app, and two rows to lock."""
    with app.app_context(), writing() as connection:
        connection.execute(text("INSERT INTO settings VALUES ('a', 0), ('b', 0)"))
    return app


def read_counters(app: Flask) -> dict[str, int]:
    with app.app_context(), db.engine.connect() as connection:
        return {row.name: row.value for row in connection.execute(text("SELECT name, value FROM settings"))}


def test_deadlocked_transactions_are_retried(counters: Flask) -> None:
    meeting, attempts = threading.Barrier(2), []

    @retried
    def count(first: str, second: str) -> None:
        attempts.append(first)
        with writing() as connection:
            connection.execute(text("SET LOCAL deadlock_timeout = '50ms'"))
            connection.execute(text("UPDATE settings SET value = value + 1 WHERE name = :name"), {"name": first})
            if len(attempts) <= 2:
                meeting.wait(10)  # each transaction locks one row and waits for the other
            connection.execute(text("UPDATE settings SET value = value + 1 WHERE name = :name"), {"name": second})

    def run(first: str, second: str) -> None:
        with counters.app_context():
            count(first, second)

    threads = [threading.Thread(target=run, args=names) for names in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert read_counters(counters) == {"a": 2, "b": 2}
    assert len(attempts) > 2


@pytest.mark.parametrize("failures", range(RETRIES + 2))
def test_a_serialization_failure_is_retried_and_then_reported(counters: Flask, failures: int) -> None:
    left = [failures]

    @retried
    def count() -> None:
        with writing() as connection:
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            connection.execute(text("SELECT value FROM settings")).all()
            if left[0] > 0:
                left[0] -= 1
                with writing() as other:
                    other.execute(text("UPDATE settings SET value = value + 100 WHERE name = 'a'"))
            connection.execute(text("UPDATE settings SET value = value + 1 WHERE name = 'a'"))

    with counters.app_context():
        if failures <= RETRIES:
            count()
        else:
            with pytest.raises(DBAPIError, match="could not serialize"):
                count()

    assert read_counters(counters)["a"] == 100 * failures + (failures <= RETRIES)


def test_other_errors_are_not_retried(counters: Flask) -> None:
    attempts = []

    @retried
    def fail() -> None:
        attempts.append(1)
        with writing() as connection:
            connection.execute(text("INSERT INTO settings VALUES ('a', 1)"))

    with counters.app_context(), pytest.raises(DBAPIError, match="settings_pkey"):
        fail()

    assert attempts == [1]


# A server that stops and starts again.
