"""The background worker of a serving process writes last uses, so that no request has to."""

import threading

import pytest

from scimsvc import clock
from scimsvc.auth.last_uses import last_uses, write_due_last_uses
from scimsvc.web.turns import Turn
from tests.support.client import Enterprise
from tests.support.moved_clock import MovedClock
from tests.support.types import Cli


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> MovedClock:
    return MovedClock(monkeypatch)


@pytest.fixture
def served(acme: Enterprise) -> Enterprise:
    """An enterprise in an app whose process runs a worker."""
    last_uses.of(acme.app).has_writer = True
    return acme


def use(enterprise: Enterprise, time: MovedClock, *, times: int = 1) -> str:
    """Send requests, and return the time of the last one."""
    for _ in range(times):
        time.move(seconds=1)
        enterprise.send("GET", "/Users", query={"count": "0"}).close()
    return clock.timestamp(time.now())


def last_use_after_a_look(enterprise: Enterprise, cli: Cli) -> str | None:
    """Let the worker look, and return the stored time of last use."""
    write_due_last_uses(enterprise.app, Turn(threading.Event()))
    (token,) = cli("token", "list", "Acme")
    return None if token["last_used_at"] is None else str(token["last_used_at"])


def test_the_first_use_is_written_by_the_next_look(served: Enterprise, cli: Cli, time: MovedClock) -> None:
    used_at = use(served, time)
    (before,) = cli("token", "list", "Acme")

    assert before["last_used_at"] is None
    assert last_use_after_a_look(served, cli) == used_at


def test_later_uses_are_written_once_a_minute_also_without_further_requests(
    served: Enterprise, cli: Cli, time: MovedClock
) -> None:
    first = use(served, time)
    written = [last_use_after_a_look(served, cli)]
    last = use(served, time, times=3)
    for _ in range(3):
        written.append(last_use_after_a_look(served, cli))
        time.move(seconds=30)

    assert written == [first, first, first, last]
