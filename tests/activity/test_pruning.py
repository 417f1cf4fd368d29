"""A serving process prunes the log and the feed once a day, in small steps after its responses."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from scimsvc import clock
from scimsvc.activity import pruning
from scimsvc.activity.pruning import Pruning, prune_changes, pruner
from tests.support.client import Enterprise
from tests.support.records import feed_of, log_of
from tests.support.types import Cli


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets the clock to a time after the beginning of the test."""
    start = clock.now()
    return lambda **span: monkeypatch.setattr(clock, "now", lambda: start + timedelta(**span))


@pytest.fixture
def own(acme: Enterprise) -> Pruning:
    """A new object for the app, which has already answered requests."""
    pruner.init_app(acme.app, Pruning())
    return pruner.of(acme.app)


def prune_while_due(enterprise: Enterprise, own: Pruning) -> int:
    """Prune step by step until nothing is due, and return the number of steps."""
    steps = 0
    with enterprise.app.app_context():
        while own.is_due(clock.now()):
            own.prune_some()
            steps += 1
    return steps


def test_each_transaction_is_small_and_comes_behind_an_answer(
    acme: Enterprise, cli: Cli, own: Pruning, later: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    acme.token = cli("token", "issue", "Acme", "--days=365")["access_token"]
    for number in range(5):
        acme.create(email=f"{number}@x.example")
    pruner.init_app(acme.app, Pruning())
    monkeypatch.setattr(pruning, "_PRUNED_AT_ONCE", 2)
    later(days=91)

    left = []
    for _ in range(5):
        acme.send("GET", "/Users", query={"count": "0"}).close()
        left.append(len(log_of(acme)))

    assert left == [3, 1, 0, 0, 0]
    assert len(feed_of(acme)["items"]) == 1


def test_the_settings_decide_which_rows_are_old(
    acme: Enterprise, cli: Cli, own: Pruning, later: Callable[..., None]
) -> None:
    for number in range(3):
        acme.create(email=f"{number}@x.example")
    later(days=3)

    cli("settings", "set", "log_days", "4")
    cli("settings", "set", "change_days", "2")
    assert prune_while_due(acme, own) == 2
    assert (len(log_of(acme)), len(feed_of(acme)["items"])) == (3, 1)

    later(days=5)
    prune_while_due(acme, own)
    assert log_of(acme) == []


def test_it_begins_once_a_day(acme: Enterprise, own: Pruning, later: Callable[..., None]) -> None:
    due = []
    for hours in (0, 1, 23, 25, 26, 20, 24 * 3):  # the clock is also set back once
        later(hours=hours)
        due.append(prune_while_due(acme, own))

    assert due == [1, 0, 0, 1, 0, 1, 1]


def test_two_threads_do_not_prune_at_once(acme: Enterprise, own: Pruning, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = []

    def prune_log() -> Any:
        begun.append(1)
        own.prune_some()  # like a second thread at the same time
        yield from ()

    monkeypatch.setattr(pruning, "prune_log", prune_log)

    assert prune_while_due(acme, own) == 1
    assert begun == [1]


def test_a_failure_is_a_warning_and_is_tried_again_the_next_day(
    acme: Enterprise, own: Pruning, later: Callable[..., None], monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    def fail() -> Any:
        raise OperationalError("DELETE", {}, ConnectionError())

    acme.create()
    pruner.init_app(acme.app, Pruning())
    later(hours=1)
    with monkeypatch.context() as broken:
        broken.setattr(pruning, "prune_log", fail)
        answer = acme.send("GET", "/Users")
        answer.close()

    assert answer.status_code == 200
    assert "cannot prune the provisioning log and the change feed: ConnectionError" in caplog.text
    assert not pruner.of(acme.app).is_due(clock.now())
    later(hours=26)
    assert pruner.of(acme.app).is_due(clock.now())


def test_the_newest_change_of_each_enterprise_stays(acme: Enterprise, later: Callable[..., None]) -> None:
    acme.create()
    later(days=400)

    with acme.app.app_context():
        assert sum(prune_changes()) == 0
