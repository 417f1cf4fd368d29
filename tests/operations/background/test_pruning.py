"""The background worker prunes once a day, and only by a steady clock."""

import threading
from collections.abc import Iterator

import pytest

from scimsvc.operations.background import pruning as module
from scimsvc.operations.background.pruning import Pruning
from scimsvc.web.turns import Turn
from tests.support.client import Enterprise
from tests.support.moved_clock import MovedClock
from tests.support.records import feed_of, log_of
from tests.support.types import Cli

HOUR, DAY = 3600.0, 86400.0


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> MovedClock:
    return MovedClock(monkeypatch)


@pytest.fixture
def turn() -> Turn:
    return Turn(threading.Event())


def prune(enterprise: Enterprise, job: Pruning, turn: Turn) -> float:
    """Run the job, and return the seconds until the next run."""
    with enterprise.app.app_context():
        wait = job.run(turn)
    return job.INTERVAL if wait is None else wait


def test_the_second_look_at_a_steady_clock_prunes(acme: Enterprise, cli: Cli, time: MovedClock, turn: Turn) -> None:
    acme.token = cli("token", "issue", "Acme", "--days=3650")["access_token"]
    for number in range(3):
        acme.create(email=f"{number}@x.example")
    time.move(days=91)
    job = Pruning()

    looks = []
    for minutes in (0, 30, 31, 1):
        time.move(minutes=minutes)
        looks.append((prune(acme, job, turn), len(log_of(acme))))

    assert looks == [(HOUR, 3), (HOUR, 3), (DAY, 0), (DAY, 0)]
    assert len(feed_of(acme)["items"]) == 1


def test_a_clock_that_is_wrong_for_a_while_deletes_nothing(acme: Enterprise, time: MovedClock, turn: Turn) -> None:
    acme.create()
    job = Pruning()
    waits = [prune(acme, job, turn)]
    time.move(days=2)
    time.set(days=91)
    for _ in range(3):
        time.move(minutes=20)
        waits.append(prune(acme, job, turn))
    time.set(days=0)
    for _ in range(4):
        time.move(minutes=25)
        waits.append(prune(acme, job, turn))

    assert len(log_of(acme)) == 1
    assert waits == [HOUR] * 7 + [DAY]  # it prunes when the clock has been right for an hour


def steps(monkeypatch: pytest.MonkeyPatch, time: MovedClock, *, then_set_days: int, turn: Turn | None) -> list[int]:
    """Replace the pruned rows by three steps. After each, set the clock, and end ``turn`` if there is one."""
    begun: list[int] = []

    def prune_everything() -> Iterator[int]:
        for step in range(3):
            begun.append(step)
            time.set(days=step * then_set_days)
            if turn is not None:
                turn.stopping.set()
            yield 1

    monkeypatch.setattr(module, "prune_everything", prune_everything)
    return begun


def test_a_clock_that_is_set_while_rows_are_deleted_ends_pruning(
    acme: Enterprise, time: MovedClock, turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, job = steps(monkeypatch, time, then_set_days=1, turn=None), Pruning()
    prune(acme, job, turn)
    time.move(minutes=61)

    assert prune(acme, job, turn) == HOUR
    assert begun == [0, 1]


def test_the_end_of_the_turn_ends_pruning_and_the_next_turn_continues(
    acme: Enterprise, time: MovedClock, turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, job = steps(monkeypatch, time, then_set_days=0, turn=turn), Pruning()
    prune(acme, job, turn)
    time.move(minutes=61)

    assert prune(acme, job, turn) == 0
    assert begun == [0]
