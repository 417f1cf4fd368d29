"""One process at a time holds the lease, whatever happens to the holder, on both databases."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from scimsvc.extensions import db
from scimsvc.operations.background.lease import Lease, Periods
from scimsvc.store.leases import find_lease
from tests.support.moved_clock import MovedClock
from tests.support.types import MakeApp


class Process:
    """A process that competes for the lease, with its own connection to the database."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.lease = Lease("worker", Periods())

    def keep(self) -> bool:
        """Do what the worker does each half second. Return whether the process may work."""
        with self.app.app_context():
            self.lease.keep()
        return self.lease.is_held()

    def release(self) -> None:
        with self.app.app_context():
            self.lease.release()


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> MovedClock:
    return MovedClock(monkeypatch)


@pytest.fixture
def two(make_app: MakeApp, time: MovedClock) -> tuple[Process, Process]:
    """A holder and a contender."""
    holder, contender = Process(make_app()), Process(make_app())
    assert (holder.keep(), contender.keep()) == (True, False)
    return holder, contender


@pytest.fixture
def without_database(monkeypatch: pytest.MonkeyPatch) -> Callable[[Process], None]:
    """Let a process try to keep the lease while its database does not answer."""

    def fail(*_args: object, **_arguments: object) -> bool:
        raise OperationalError("UPDATE", {}, ConnectionError())

    def try_to_keep(process: Process) -> None:
        with monkeypatch.context() as patch, suppress(OperationalError):
            for name in ("find_lease", "beat_lease"):
                patch.setattr(f"scimsvc.store.leases.{name}", fail)
            process.keep()

    return try_to_keep


def seconds_until(process: Process, time: MovedClock, *others: Process) -> float:
    """Return the seconds until ``process`` holds the lease, while ``others`` keep it as well as they can."""
    began = time.elapsed()
    while not process.keep():
        assert time.elapsed() - began < 600
        time.move(seconds=0.5)
        for other in others:
            other.keep()
    return time.elapsed() - began


def test_a_holder_that_beats_keeps_the_lease(two: tuple[Process, Process], time: MovedClock) -> None:
    holder, contender = two
    held = []
    for _ in range(240):
        time.move(seconds=0.5)
        held.append((holder.keep(), contender.keep()))

    assert set(held) == {(True, False)}


def test_a_holder_beats_every_ten_seconds(two: tuple[Process, Process], time: MovedClock) -> None:
    for _ in range(121):
        two[0].keep()
        time.move(seconds=0.5)

    with two[0].app.app_context():
        row = find_lease("worker")
    assert row is not None
    assert (row.holder, row.beat) == (two[0].lease.holder, 7)


def test_a_killed_holder_is_replaced_within_a_minute(two: tuple[Process, Process], time: MovedClock) -> None:
    assert 30 <= seconds_until(two[1], time) <= 40


def test_a_released_lease_is_taken_at_the_next_look(two: tuple[Process, Process], time: MovedClock) -> None:
    holder, contender = two
    holder.release()

    assert not holder.lease.is_held()
    assert seconds_until(contender, time) <= 5


def test_a_stalled_holder_stops_before_another_process_begins(two: tuple[Process, Process], time: MovedClock) -> None:
    holder, contender = two
    held = []
    for _ in range(100):  # the holder does nothing, as after SIGSTOP
        time.move(seconds=0.5)
        held.append((holder.lease.is_held(), contender.keep()))

    assert held[0] == (True, False)
    assert (False, False) in held
    assert held[-1] == (False, True)
    assert (True, True) not in held
    assert not holder.keep()  # it finds that the lease was taken over
    time.move(seconds=5)
    assert (holder.keep(), contender.keep()) == (False, True)


def test_a_holder_that_loses_its_database_for_a_while_continues(
    two: tuple[Process, Process], time: MovedClock, without_database: Callable[[Process], None]
) -> None:
    holder, contender = two
    held = []
    for _ in range(5):
        time.move(seconds=5.5)
        without_database(holder)
        held.append(holder.lease.is_held())

    assert held == [True, True, True, False, False]
    time.move(seconds=5.5)
    assert holder.keep()
    assert not contender.keep()


def test_a_holder_that_loses_its_database_for_long_is_replaced(
    two: tuple[Process, Process], time: MovedClock, without_database: Callable[[Process], None]
) -> None:
    holder, contender = two
    for _ in range(7):
        time.move(seconds=5.5)
        without_database(holder)
        contender.keep()

    assert contender.lease.is_held()
    time.move(seconds=5.5)
    assert not holder.keep()


def test_of_two_contenders_one_gets_a_stale_lease(
    make_app: MakeApp, two: tuple[Process, Process], time: MovedClock
) -> None:
    second = Process(make_app())
    assert not second.keep()
    time.move(seconds=31)

    assert sorted((two[1].keep(), second.keep())) == [False, True]


def test_a_deleted_row_is_created_again(two: tuple[Process, Process], time: MovedClock) -> None:
    holder = two[0]
    with holder.app.app_context(), db.engine.begin() as connection:
        connection.execute(text("DELETE FROM leases"))
    time.move(seconds=10.5)

    assert holder.keep()
    assert not two[1].keep()
