"""Pruning deletes what is old, in small batches with rests."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from scimsvc import clock
from scimsvc.activity import pruning
from scimsvc.activity.pruning import FEED, LOG, paced, prune, prune_everything
from scimsvc.enterprises.sessions import Client, begin_session
from tests.support.apps import make_enterprise, run_command
from tests.support.client import Enterprise
from tests.support.console import make_admin
from tests.support.moved_clock import MovedClock
from tests.support.records import log_of
from tests.support.types import Cli, MakeApp


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> MovedClock:
    return MovedClock(monkeypatch)


def test_the_settings_decide_which_rows_are_old(acme: Enterprise, cli: Cli, time: MovedClock) -> None:
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


def test_each_transaction_is_small(acme: Enterprise, time: MovedClock, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_two_that_prune_at_once_count_each_row_once(acme: Enterprise, time: MovedClock) -> None:
    for number in range(4):
        acme.create(email=f"{number}@x.example")
    time.move(days=91)

    with acme.app.app_context():
        first = LOG.prune()
        entries = pruning.TABLES[0]
        (batch,) = entries.find(entries.scope(acme.made["id"], entries.end()))
        deleted = [next(first), pruning.delete_batch(entries.rows, batch)]

    assert deleted == [4, 0]


def test_the_newest_change_of_each_enterprise_stays(acme: Enterprise, time: MovedClock) -> None:
    acme.create()
    time.move(days=400)

    with acme.app.app_context():
        assert sum(FEED.prune()) == 0
        assert prune(progress=lambda _more, _of: None)["changes"] == 0


def test_the_oldest_entries_over_the_quota_are_deleted(make_app: MakeApp, time: MovedClock) -> None:
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


def test_many_ended_tokens_are_deleted_after_a_day(make_app: MakeApp, time: MovedClock) -> None:
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
