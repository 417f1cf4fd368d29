"""Receivers that fail: the schedule of retries, Retry-After, 410, and the end of all retries."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from scimsvc import clock
from scimsvc.notifications.delivery.schedule import RETRIES
from tests.support.client import Enterprise
from tests.support.long_runs import outside_the_database
from tests.support.receivers import THIS_MACHINE, Answer, Receiver, receiving
from tests.support.types import MakeApp
from tests.support.webhooks import Hook, deliver, emails, is_signed, make_hook

#: Seconds from one attempt to the next one (contract section 9).
SCHEDULE = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app(WEBHOOK_NETWORKS=THIS_MACHINE)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], datetime]:
    """Set the clock to a number of seconds after the start of the test."""
    start = datetime.now(UTC).replace(microsecond=0)

    def at(seconds: float) -> datetime:
        now = start + timedelta(seconds=seconds)
        monkeypatch.setattr(clock, "now", lambda: now)
        return now

    at(0)
    return at


def state(hook: Hook) -> tuple[Any, ...]:
    row = hook.row()
    return row.enabled, row.disabled_reason, row.failures, row.cursor


def test_a_message_is_tried_by_the_schedule_and_then_the_webhook_is_disabled(
    acme: Enterprise, trusted: Path, at: Callable[[float], datetime], caplog: pytest.LogCaptureFixture
) -> None:
    acme.create(email="a@x.example")
    acme.create(email="b@x.example")
    times, seconds, start = [], 0.0, at(0)
    with receiving(trusted, Receiver(lambda _: Answer(500))) as receiver:
        hook = make_hook(acme, receiver.url, types=["user.*"])
        for number, wait in enumerate([*SCHEDULE, 0], 1):
            deliver(acme)
            times.append((hook.row().failures, hook.row().failing_since, len(receiver.requests)))
            at(seconds + wait - 0.001)
            deliver(acme)  # too early
            assert len(receiver.requests) == number
            seconds += wait
            at(seconds)
        disabled = state(hook)
        at(seconds + 10**6)
        deliver(acme)
        receiver.answer = lambda _: Answer()
        hook.update(enabled=True, disabled_reason=None, failures=0, failing_since=None)
        deliver(acme)

    assert [int(wait.total_seconds()) for wait in RETRIES] == SCHEDULE
    assert times == [(number, clock.timestamp(start), number) for number in range(1, 11)]
    assert disabled == (False, "failing", 10, 0)
    assert f"The webhook {hook.id} is disabled after 10 failed attempts: The receiver answered 500." in caplog.text
    assert emails(receiver.requests) == ["a@x.example"] * 11 + ["b@x.example"]
    assert [each.attempt for each in hook.deliveries()] == [*range(1, 11), 1, 1]
    assert state(hook) == (True, None, 0, 2)


def test_a_receiver_that_is_down_for_an_hour_gets_everything_in_order(
    acme: Enterprise, trusted: Path, at: Callable[[float], datetime]
) -> None:
    with receiving(trusted, Receiver()) as receiver:
        hook = make_hook(acme, receiver.url)
        acme.create(email="before@x.example")
        deliver(acme)
    port = int(receiver.url.split(":")[2].partition("/")[0])
    for second in range(0, 3600, 60):
        at(second)
        if second % 600 == 0:
            acme.create(email=f"{second}@x.example")
        deliver(acme)
    failed = state(hook)
    with receiving(trusted, receiver, port=port):
        for second in range(3600, 10200, 600):
            at(second)
            deliver(acme)

    expected = ["before@x.example", *(f"{second}@x.example" for second in range(0, 3600, 600))]
    assert failed == (True, None, 4, 1)
    assert emails(receiver.requests) == expected
    assert all(is_signed(request, hook.secret) for request in receiver.requests)
    assert state(hook) == (True, None, 0, 7)
    assert "cannot be reached (Connection refused)" in str(hook.deliveries()[1].error)


@outside_the_database
@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (Answer(429, {"Retry-After": "120"}), 120),
        (Answer(503, {"Retry-After": "1"}), 5),
        (Answer(503, {"Retry-After": "9999999"}), 86400),
        (Answer(429, {"Retry-After": "soon"}), 5),
        (Answer(302, {"Location": "https://localhost/"}), 5),
        (Answer(None), 5),
    ],
)
def test_the_next_attempt_waits_for_the_schedule_and_for_retry_after(
    acme: Enterprise, trusted: Path, at: Callable[[float], datetime], answer: Answer, wait: int
) -> None:
    acme.create()
    with receiving(trusted, Receiver(lambda _: answer)) as receiver:
        hook = make_hook(acme, receiver.url)
        deliver(acme)

    [delivery] = hook.deliveries()
    assert len(receiver.requests) == 1
    assert (delivery.status, delivery.attempt) == (answer.status, 1)
    assert hook.row().next_attempt_at == clock.timestamp(at(wait))


def test_a_receiver_that_answers_410_is_disabled_at_once(acme: Enterprise, trusted: Path) -> None:
    acme.create()
    with receiving(trusted, Receiver(lambda _: Answer(410))) as receiver:
        hook = make_hook(acme, receiver.url)
        deliver(acme)
        deliver(acme)

    assert len(receiver.requests) == 1
    assert state(hook) == (False, "gone", 1, 0)
    assert hook.deliveries()[0].error == (
        "The receiver answered 410, which says that it is gone. The webhook is disabled."
    )


@outside_the_database
def test_a_failing_webhook_blocks_only_itself(acme: Enterprise, trusted: Path) -> None:
    acme.create()
    answers = {"/hook": 204, "/hook?bad": 500}
    with receiving(trusted, Receiver(lambda request: Answer(answers[request.path]))) as receiver:
        bad, good = make_hook(acme, receiver.url + "?bad"), make_hook(acme, receiver.url)
        deliver(acme)

    assert (bad.row().cursor, good.row().cursor) == (0, 1)
    assert (bad.row().failures, good.row().failures) == (1, 0)
