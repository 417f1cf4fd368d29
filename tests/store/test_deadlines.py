"""Deadlines of reads and writes: what exceeds its time is interrupted, and nothing else."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from math import inf
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from scimsvc import fast_paths
from scimsvc.extensions import BUSY_TIMEOUT, db
from scimsvc.store.engine.database import current_database, longer_deadline, without_deadline
from scimsvc.store.engine.deadlines import DeadlineExceeded, hung_within
from scimsvc.store.engine.outages import DATABASE_ERRORS, find_unavailable, is_outage
from scimsvc.store.engine.retries import retried
from scimsvc.store.engine.statements import Query
from scimsvc.store.engine.transactions import between_writes, read_rows, reading, snapshot, writing
from scimsvc.store.engine.watchdog import watched
from scimsvc.store.fast.connections import READ, WRITE
from scimsvc.store.fast.fair_lock import FairLockTimeout
from tests.support.cpu import crowd
from tests.support.endless import ENDLESS, work_forever
from tests.support.live import PATIENCE
from tests.support.types import MakeApp

NAMES = Query(text("SELECT name FROM settings").columns(), tuple, dynamic=True)
INSERT = text("INSERT INTO settings VALUES ('a', 1)")


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app(MAX_READ_SECONDS=1)


@pytest.fixture(autouse=True)
def _in_context(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture(params=["fast", "general"], autouse=True)
def _both_ways(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.param == "fast":
        yield
    else:
        with fast_paths.disabled():
            yield


def write(then: Callable[[Connection], object]) -> None:
    """Add a row, call ``then``, and commit."""
    with writing() as connection:
        connection.execute(INSERT)
        then(connection)


def shorter_deadline(seconds: float) -> AbstractContextManager[None]:
    return current_database().deadlines.replaced({READ: seconds, WRITE: seconds}, seconds)


def names() -> list[str]:
    return [name for (name,) in read_rows(NAMES, {})]


def test_a_read_that_exceeds_its_limit_is_interrupted() -> None:
    begin = time.monotonic()
    with pytest.raises(DeadlineExceeded) as raised, reading() as connection:
        work_forever(connection)
    took = time.monotonic() - begin

    assert (raised.value.mode, raised.value.hangs, raised.value.may_be_applied) == (READ, False, False)
    assert 1 <= took < 3 * crowd()
    assert names() == []


def test_a_single_select_that_exceeds_its_limit_is_interrupted() -> None:
    endless: Query[Any] = Query(text(ENDLESS[db.engine.name]).columns(), tuple, dynamic=True)

    with pytest.raises(DeadlineExceeded) as raised:
        read_rows(endless, {})

    assert (raised.value.mode, raised.value.hangs) == (READ, False)
    assert names() == []


def test_a_write_that_exceeds_its_deadline_is_rolled_back_and_releases_its_locks() -> None:
    with shorter_deadline(1), pytest.raises(DeadlineExceeded) as raised:
        write(work_forever)

    assert (raised.value.mode, raised.value.may_be_applied) == (WRITE, False)
    assert names() == []
    write(lambda _: None)
    assert names() == ["a"]


def test_an_overdue_write_shows_that_the_database_hangs_and_an_overdue_read_does_not() -> None:
    begin = time.monotonic()
    with pytest.raises(DeadlineExceeded), reading() as connection:
        work_forever(connection)
    after_read = hung_within(time.monotonic() - begin)
    with shorter_deadline(1), pytest.raises(DeadlineExceeded):
        write(work_forever)

    assert not after_read
    assert hung_within(time.monotonic() - begin)
    assert not hung_within(0)


def test_a_wait_for_the_writers_of_a_locked_file_shows_it_too() -> None:
    if db.engine.name != "sqlite":
        pytest.skip("PostgreSQL has several writers")
    begin = time.monotonic()
    with between_writes(), shorter_deadline(0.5), pytest.raises(FairLockTimeout):
        write(lambda _: None)

    assert hung_within(time.monotonic() - begin)


def test_a_write_is_not_committed_after_its_deadline() -> None:
    with shorter_deadline(0.5), pytest.raises(DeadlineExceeded) as raised:
        write(lambda _: time.sleep(1))

    assert (raised.value.mode, raised.value.may_be_applied) == (WRITE, False)
    assert names() == []


def test_an_error_of_the_caller_is_not_replaced() -> None:
    def fail(_connection: Connection) -> None:
        time.sleep(1)
        raise ZeroDivisionError

    with shorter_deadline(0.5), pytest.raises(ZeroDivisionError):
        write(fail)


def test_an_interrupted_rollback_does_not_replace_the_error() -> None:
    if db.engine.name != "sqlite":
        pytest.skip("only SQLite is interrupted again and again")

    def fail_while_interrupted(connection: Connection) -> None:
        time.sleep(1)
        driver: Any = connection.connection.driver_connection
        interruptions = iter([1])
        # SQLite calls this during each statement. A result other than 0 interrupts the statement.
        driver.set_progress_handler(lambda: next(interruptions, 0), 1)
        raise ZeroDivisionError

    with shorter_deadline(0.5), pytest.raises(ZeroDivisionError):
        write(fail_while_interrupted)


def test_a_transaction_within_another_is_interrupted_too() -> None:
    def read_forever(_connection: Connection) -> None:
        with reading() as inner:
            work_forever(inner)

    with shorter_deadline(1), pytest.raises(DeadlineExceeded):
        write(read_forever)

    assert names() == []


def test_no_work_begins_after_the_deadline_of_the_request() -> None:
    with shorter_deadline(0.05):
        with suppress(DeadlineExceeded), reading():
            time.sleep(0.1)
        for mode in (reading, writing):
            with pytest.raises(DeadlineExceeded), mode():
                pass
        with pytest.raises(DeadlineExceeded):
            names()
        was_over = current_database().deadlines.are_over

    assert was_over
    assert names() == []


def test_only_the_time_of_reads_and_writes_counts() -> None:
    with shorter_deadline(1):
        for _ in range(3):
            time.sleep(0.4)
            assert names() == []


def test_a_request_that_completes_a_part_of_its_work_has_its_whole_time_again() -> None:
    deadlines = current_database().deadlines
    deadlines.begin_request()
    deadlines.spend(time.monotonic() - 100)
    were_over = deadlines.are_over
    deadlines.renew()
    are_over = deadlines.are_over
    deadlines.end_request()

    assert (were_over, are_over) == (True, False)


def test_a_longer_deadline_and_none_at_all() -> None:
    with shorter_deadline(0.5):
        with longer_deadline(60), longer_deadline(0.1), reading() as connection:
            time.sleep(0.8)
            use = watched(connection)
        was_overdue = use.is_overdue
        with without_deadline(), longer_deadline(0.1), reading() as connection:
            time.sleep(0.8)
            use = watched(connection)
        with snapshot() as connection:
            time.sleep(0.8)
            connection.execute(text("SELECT 1"))

    assert (was_overdue, use.is_overdue) == (False, False)


def test_a_command_has_no_deadline(app: Flask) -> None:
    from scimsvc.cli.output import app_command

    expiries = []

    @app.cli.command("expiry")
    @app_command()
    def expiry() -> None:
        expiries.append(current_database().deadlines.expiry(READ))

    assert app.test_cli_runner().invoke(args=["expiry"]).exit_code == 0
    assert expiries == [inf]
    assert current_database().deadlines.expiry(READ) < inf


def test_the_deadline_of_a_use_never_interrupts_the_next_use() -> None:
    stopping = threading.Event()
    with reading() as connection:
        connections = {watched(connection)}

    def hammer() -> None:
        while not stopping.is_set():
            for each in connections:
                each.interrupt_if_overdue(time.monotonic())

    thread = threading.Thread(target=hammer)
    thread.start()
    overdue = []
    try:
        for _ in range(200 if db.engine.name == "sqlite" else 20):
            with suppress(DeadlineExceeded), shorter_deadline(0.0005), reading() as connection:
                connections = {use := watched(connection)}
                connection.execute(text("SELECT 1"))
                time.sleep(0.0005)
                connection.execute(text("SELECT 1"))
            overdue.append(use.is_overdue)
            with longer_deadline(60), reading() as connection:
                for _ in range(5):
                    connection.execute(text("SELECT count(*) FROM settings"))
    finally:
        stopping.set()
        thread.join()
    assert any(overdue)


def test_aborted_transactions_are_not_retried_after_the_deadline() -> None:
    class _Aborted(Exception):
        sqlstate = "40001"

    attempts = []

    @retried
    def abort() -> None:
        attempts.append(1)
        with reading():
            time.sleep(0.4)
        raise DBAPIError(None, None, _Aborted())

    with shorter_deadline(0.3), pytest.raises(DBAPIError):
        abort()

    assert len(attempts) == 1


def test_a_deadline_is_a_503_but_no_outage() -> None:
    exceeded = DeadlineExceeded(WRITE, hangs=False)
    unknown = find_unavailable(DeadlineExceeded(WRITE, may_be_applied=True))
    refused = find_unavailable(exceeded)

    assert isinstance(exceeded, DATABASE_ERRORS)
    assert not is_outage(exceeded)
    assert is_outage(DeadlineExceeded(READ, hangs=True))
    assert unknown is not None
    assert "unknown whether the request was applied" in unknown.detail
    assert refused is not None
    assert "The request was not applied" in refused.detail
    assert int(unknown.headers["Retry-After"]) > 0


def test_sqlite_waits_for_another_process_only_until_the_deadline() -> None:
    if db.engine.name != "sqlite":
        pytest.skip("PostgreSQL interrupts a wait for a lock")
    if not fast_paths.enabled:
        pytest.skip("only kept connections shorten the wait")
    with current_database().engine.connect() as other:
        other.exec_driver_sql("ROLLBACK")
        other.exec_driver_sql("BEGIN IMMEDIATE")
        begin = time.monotonic()
        with shorter_deadline(0.5), pytest.raises(DATABASE_ERRORS), writing():
            pass
        took = time.monotonic() - begin

    assert took < 2 * crowd()
    for _ in range(2):
        with writing() as connection:
            assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() == BUSY_TIMEOUT * 1000


_INTERRUPTED = 7


def test_a_forked_process_has_a_watchdog() -> None:
    with reading():
        pass  # the watchdog of this process runs

    child = os.fork()
    if child == 0:
        try:
            with shorter_deadline(0.5), reading() as connection:
                work_forever(connection)
        except DeadlineExceeded:
            os._exit(_INTERRUPTED)
        finally:
            os._exit(1)
    begin = time.monotonic()
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0):
        assert time.monotonic() - begin < PATIENCE
        time.sleep(0.05)
    assert os.waitstatus_to_exitcode(ended[1]) == _INTERRUPTED
