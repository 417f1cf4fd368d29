"""The connection that a thread keeps, and when the thread releases it."""

import os
import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Flask, current_app
from sqlalchemy import Connection, QueuePool, select, text

from scimsvc.extensions import db
from scimsvc.models import Setting
from scimsvc.store.engine.statements import Query
from scimsvc.store.engine.transactions import read_rows, reading, writing
from scimsvc.store.fast import driver

SETTINGS = select(Setting.name)
NAMES = Query(SETTINGS, tuple)


@pytest.fixture(autouse=True)
def _in_context(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def driver_connection(connection: Connection) -> object:
    return connection.connection.dbapi_connection


def test_a_thread_uses_one_connection_for_everything_but_sqlite_s_writes() -> None:
    with reading() as connection:
        first = driver_connection(connection)
    with writing() as connection:
        second = driver_connection(connection)
    read_rows(NAMES, {})

    is_sqlite = db.engine.name == "sqlite"
    assert (first is second) is not is_sqlite
    assert checked_out() == 1 + is_sqlite


def test_the_threads_write_to_sqlite_on_one_connection() -> None:
    if db.engine.name != "sqlite":
        pytest.skip("PostgreSQL has as many writers as there are threads")
    writers: list[object] = []

    def write(app: Flask) -> None:
        with app.app_context(), writing() as connection:
            writers.append(driver_connection(connection))

    for _ in range(3):
        run(write)

    assert writers[0] is writers[1] is writers[2]
    assert checked_out() == 1


def test_a_nested_transaction_has_a_separate_connection() -> None:
    with writing() as connection:
        connection.execute(text("INSERT INTO settings VALUES ('a', 1)"))
        with reading() as other:
            assert driver_connection(other) is not driver_connection(connection)
            assert other.execute(SETTINGS).all() == []
        assert read_rows(NAMES, {}) == []

    assert [name for (name,) in read_rows(NAMES, {})] == ["a"]


def test_a_failure_is_rolled_back_and_the_connection_returns_to_the_pool() -> None:
    def fail() -> None:
        with writing() as connection:
            connection.execute(text("INSERT INTO settings VALUES ('a', 1)"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert checked_out() == 0
    assert read_rows(NAMES, {}) == []


def test_a_connection_that_was_interrupted_is_not_used_again() -> None:
    def interrupted(_cursor: object) -> list[object]:
        raise KeyboardInterrupt

    def write() -> None:
        with writing() as connection:
            used.append(driver_connection(connection))
            connection.execute(text("INSERT INTO settings VALUES ('a', 1)"))
            driver.execute(connection, "SELECT 1", (), interrupted)

    used: list[object] = []
    with pytest.raises(KeyboardInterrupt):
        write()

    with writing() as connection:
        assert driver_connection(connection) is not used[0]
    assert read_rows(NAMES, {}) == []


def test_reading_leaves_no_transaction_open() -> None:
    read_rows(NAMES, {})

    with writing() as connection:
        assert connection.get_nested_transaction() is None
        connection.execute(text("INSERT INTO settings VALUES ('a', 1)"))
    thread_read: list[int] = []

    def read(app: Flask) -> None:
        with app.app_context():
            thread_read.append(len(read_rows(NAMES, {})))

    run(read)
    assert (thread_read, len(read_rows(NAMES, {}))) == ([1], 1)


def test_the_connection_of_an_ended_thread_is_released() -> None:
    def read(app: Flask) -> None:
        with app.app_context():
            read_rows(NAMES, {})

    for _ in range(5):
        run(read)

    assert checked_out() == 1


def checked_out() -> int:
    """Return the number of connections in use."""
    pool = db.engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout()


def run(work: Callable[[Flask], None]) -> None:
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    thread = threading.Thread(target=work, args=(app,))
    thread.start()
    thread.join()


def test_disposing_of_the_engine_closes_the_connections_of_threads() -> None:
    with reading() as connection:
        kept = connection.connection.dbapi_connection
    assert kept is not None

    db.engine.dispose()

    with pytest.raises(Exception, match="closed"):
        kept.cursor().execute("SELECT 1")
    assert read_rows(NAMES, {}) == []


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_fork_uses_a_new_connection() -> None:
    with reading() as connection:
        before = driver_connection(connection)

    child = os.fork()
    if child == 0:
        status = 1
        try:
            with reading() as connection:
                status = int(driver_connection(connection) is before or connection.execute(SETTINGS).all() != [])
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert read_rows(NAMES, {}) == []
