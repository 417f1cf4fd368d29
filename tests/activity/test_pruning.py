"""A serving process prunes once a day, in small batches and in a thread of its own, and only by a steady clock."""

import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from scimsvc import clock
from scimsvc.activity import housekeeping as module
from scimsvc.activity import pruning
from scimsvc.activity.housekeeping import Housekeeping, housekeeping
from scimsvc.activity.pruning import FEED, LOG, paced, prune, prune_everything
from scimsvc.enterprises.sessions import Client, begin_session
from scimsvc.web.state import web_state
from tests.support.apps import make_enterprise, run_command
from tests.support.client import Enterprise
from tests.support.console import make_admin
from tests.support.records import feed_of, log_of
from tests.support.types import Cli, MakeApp


class Clock:
    """A clock that a test moves, and that can be set without time elapsing."""

    def __init__(self) -> None:
        self._start, self._elapsed = clock.now(), clock.elapsed()
        self._moved = self._set = timedelta(0)

    def now(self) -> Any:
        return self._start + self._moved + self._set

    def elapsed(self) -> float:
        return self._elapsed + self._moved.total_seconds()

    def move(self, **span: float) -> None:
        """Let time elapse."""
        self._moved += timedelta(**span)

    def set(self, **span: float) -> None:
        """Set the clock to a wrong time: the right one and ``span``."""
        self._set = timedelta(**span)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    moved = Clock()
    monkeypatch.setattr(clock, "now", moved.now)
    monkeypatch.setattr(clock, "elapsed", moved.elapsed)
    return moved


@pytest.fixture
def keeper(acme: Enterprise, cli: Cli, time: Clock) -> Iterator[Housekeeping]:
    """A new object for the app, which has already answered requests."""
    acme.token = cli("token", "issue", "Acme", "--days=3650")["access_token"]
    housekeeping.init_app(acme.app, Housekeeping(acme.app))
    keeper = housekeeping.of(acme.app)
    yield keeper
    if keeper.thread is not None:
        keeper.thread.join(10)


def send(enterprise: Enterprise) -> None:
    """Send a request, and wait for the thread that it may have started."""
    enterprise.send("GET", "/Users", query={"count": "0"}).close()
    thread = housekeeping.of(enterprise.app).thread
    if thread is not None:
        thread.join(10)


def test_a_serving_process_prunes_with_the_second_look_at_the_clock(
    acme: Enterprise, keeper: Housekeeping, time: Clock
) -> None:
    for number in range(3):
        acme.create(email=f"{number}@x.example")
    time.move(days=91)

    left = []
    for minutes in (0, 30, 30, 1):
        time.move(minutes=minutes)
        send(acme)
        left.append(len(log_of(acme)))

    assert left == [3, 3, 0, 0]
    assert len(feed_of(acme)["items"]) == 1


def test_a_clock_that_is_wrong_for_a_while_deletes_nothing(acme: Enterprise, keeper: Housekeeping, time: Clock) -> None:
    acme.create()
    send(acme)
    time.move(days=2)
    time.set(days=91)
    for _ in range(3):
        time.move(minutes=20)
        send(acme)

    time.set(days=0)
    for _ in range(4):
        time.move(minutes=25)
        send(acme)

    assert len(log_of(acme)) == 1
    assert keeper.thread is not None  # it ran when the clock was right again


def test_a_clock_that_is_set_while_rows_are_deleted_ends_pruning(
    acme: Enterprise, keeper: Housekeeping, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = []

    def prune_everything() -> Iterator[int]:
        for step in range(3):
            steps.append(step)
            time.set(days=step)
            yield 1

    monkeypatch.setattr(module, "prune_everything", prune_everything)
    send(acme)
    time.move(minutes=61)
    send(acme)

    assert steps == [0, 1]


def test_a_process_that_stops_ends_pruning(
    acme: Enterprise, keeper: Housekeeping, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = []

    def prune_everything() -> Iterator[int]:
        for step in range(3):
            steps.append(step)
            web_state.of(acme.app).stopping.set()
            yield 1

    monkeypatch.setattr(module, "prune_everything", prune_everything)
    send(acme)
    time.move(minutes=61)
    send(acme)

    assert steps == [0]


def test_it_begins_once_a_day_and_not_in_the_thread_of_a_request(
    acme: Enterprise, keeper: Housekeeping, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []

    def prune_everything() -> Iterator[int]:
        threads.append(threading.current_thread().name)
        yield from ()

    monkeypatch.setattr(module, "prune_everything", prune_everything)
    begun = []
    for hours in (0, 1, 22, 2, 1, 25):
        time.move(hours=hours)
        send(acme)
        begun.append(len(threads))

    assert begun == [0, 1, 1, 2, 2, 3]
    assert set(threads) == {"scimsvc-pruning"}


def test_a_thread_that_still_prunes_is_the_only_one(acme: Enterprise, keeper: Housekeeping, time: Clock) -> None:
    released = threading.Event()
    running = threading.Thread(target=released.wait, daemon=True)
    running.start()
    keeper.start()
    keeper.thread = running
    time.move(minutes=61)

    keeper.start()
    keeper.start()

    assert keeper.thread is running
    released.set()


def test_a_failure_is_a_warning_and_is_tried_again_the_next_day(
    acme: Enterprise, keeper: Housekeeping, time: Clock, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    def fail() -> Any:
        raise OperationalError("DELETE", {}, ConnectionError())

    caplog.set_level(logging.WARNING, "scimsvc")
    send(acme)
    time.move(minutes=61)
    monkeypatch.setattr(module, "prune_everything", fail)
    send(acme)

    assert "cannot delete old rows: ConnectionError. The next attempt is in a day." in caplog.text
    assert not keeper.is_due(clock.now())
    time.move(hours=24)
    assert keeper.is_due(clock.now())


def test_the_settings_decide_which_rows_are_old(acme: Enterprise, cli: Cli, time: Clock) -> None:
    for number in range(3):
        acme.create(email=f"{number}@x.example")
    time.move(days=3)

    cli("settings", "set", "log_days", "4")
    cli("settings", "set", "change_days", "2")
    with acme.app.app_context():
        pruned = [sum(prune_everything())]
        time.move(days=2)
        pruned.append(sum(prune_everything()))

    assert pruned == [2, 3]
    assert log_of(acme) == []


def test_each_transaction_is_small(acme: Enterprise, time: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        acme.create(email=f"{number}@x.example")
    monkeypatch.setattr(pruning, "_PRUNED_AT_ONCE", 2)
    time.move(days=91)

    with acme.app.app_context():
        assert list(prune_everything()) == [2, 2, 1, 2, 2]


def test_others_get_their_turn_for_at_least_as_long_as_a_batch_takes() -> None:
    import time as real

    rests: list[float] = []

    def steps() -> Iterator[int]:
        for _ in range(2):
            real.sleep(0.01)
            yield 1

    assert list(paced(steps(), rests.append)) == [1, 1]
    assert len(rests) == 2
    assert min(rests) >= 0.01


def test_two_that_prune_at_once_count_each_row_once(acme: Enterprise, time: Clock) -> None:
    for number in range(4):
        acme.create(email=f"{number}@x.example")
    time.move(days=91)

    with acme.app.app_context():
        first = LOG.prune()
        entries = pruning.TABLES[0]
        (batch,) = entries.find(entries.scope(acme.made["id"], entries.end()))
        deleted = [next(first), pruning.delete_batch(entries.rows, batch)]

    assert deleted == [4, 0]


def test_the_newest_change_of_each_enterprise_stays(acme: Enterprise, time: Clock) -> None:
    acme.create()
    time.move(days=400)

    with acme.app.app_context():
        assert sum(FEED.prune()) == 0
        assert prune(progress=lambda _more, _of: None)["changes"] == 0


def test_the_oldest_entries_over_the_quota_are_deleted(make_app: MakeApp, time: Clock) -> None:
    acme = make_enterprise(make_app(MAX_LOG_ENTRIES="3"), "Acme")
    other = make_enterprise(acme.app, "Other")
    other.create()
    for number in range(5):
        time.move(seconds=1)
        acme.send("POST", "/Users", {"userName": f"{number}"})
    newest = [entry["id"] for entry in log_of(acme)][:3]

    with acme.app.app_context():
        pruned = [sum(LOG.prune()), sum(LOG.prune())]

    assert pruned == [2, 0]
    assert ([entry["id"] for entry in log_of(acme)], len(log_of(other))) == (newest, 1)


def test_many_ended_tokens_are_deleted_after_a_day(make_app: MakeApp, time: Clock) -> None:
    app = make_app(MAX_TOKENS="4")
    acme = make_enterprise(app, "Acme")
    for count in (3, 3, 3):
        for _ in range(count):
            run_command(app, "token", "issue", "Acme", "--days=1")
        time.move(days=1.5)

    with app.app_context():
        deleted = prune(progress=lambda _more, _of: None)

    assert deleted["tokens"] == 6
    assert acme.made["name"] == "Acme"


def test_ended_sessions_are_deleted(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    account, other = make_admin(app, "op@example.com"), make_admin(app, "other@example.com")
    begin = clock.now() - timedelta(hours=13)
    with app.app_context(), monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: begin)
        begin_session(account, Client("", ""))
        patch.setattr(clock, "now", lambda: begin + timedelta(hours=2))
        begin_session(other, Client("", ""))
    [sessions] = [table for table in pruning.TABLES if table.name == "sessions"]

    with app.app_context():
        deleted = sum(sessions.prune())
        left = sessions.count(timedelta(0))

    assert (deleted, left) == (1, 1)
