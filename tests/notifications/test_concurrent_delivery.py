"""Deliveries at the same time: slow receivers, the end of a turn, and a database that fails in between."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.exc import DBAPIError

from scimsvc.extensions import db
from scimsvc.notifications.delivery import deliverer
from scimsvc.notifications.delivery.deliverer import Deliverer
from scimsvc.web.turns import Turn
from tests.support.apps import make_enterprise
from tests.support.client import Enterprise
from tests.support.long_runs import outside_the_database
from tests.support.receivers import THIS_MACHINE, Answer, Received, Receiver, receiving
from tests.support.types import MakeApp
from tests.support.webhooks import deliver, emails, make_hook


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app(WEBHOOK_NETWORKS=THIS_MACHINE)


@contextmanager
def delivering(app: Flask) -> Iterator[threading.Event]:
    """Deliver in a thread like the worker. Yield the event that ends it."""
    stopping, loop = threading.Event(), Deliverer()

    def run() -> None:
        turn = Turn(stopping)
        with app.app_context():
            while not stopping.is_set():
                turn.rest(loop.run(turn))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield stopping
    finally:
        stopping.set()
        thread.join(20)
        assert not thread.is_alive()


@outside_the_database
def test_receivers_that_hang_take_half_of_the_places_of_one_enterprise_and_delay_no_other(
    acme: Enterprise, trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliverer, "GRACE", 0.1)
    other, ended = make_enterprise(acme.app, "Other"), threading.Event()

    def hang(_: Received) -> Answer:
        ended.wait(20)
        return Answer()

    with receiving(trusted, Receiver(hang)) as hanging, receiving(trusted, Receiver()) as quick:
        acme.create()
        for number in range(10):
            make_hook(acme, f"{hanging.url}?{number}")
        prompt = make_hook(other, quick.url)
        with delivering(acme.app):
            hanging.wait(8)
            for number in range(3):
                began = time.monotonic()
                other.create(email=f"{number}@x.example")
                quick.wait(number + 1)
                assert time.monotonic() - began < 5
            hung = len(hanging.requests)
        ended.set()

    assert hung == 8
    assert prompt.row().cursor == 3


@outside_the_database
def test_an_attempt_that_is_cut_off_at_the_end_of_the_turn_is_repeated_by_the_next(
    acme: Enterprise, trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliverer, "GRACE", 0.1)
    ended = threading.Event()

    def answer(_: Received) -> Answer:
        ended.wait(20)
        return Answer()

    with receiving(trusted, Receiver(answer)) as receiver:
        acme.create(email="a@x.example")
        hook = make_hook(acme, receiver.url)
        with delivering(acme.app) as stopping:
            receiver.wait(1)
            stopping.set()
        cut_off = hook.row(), hook.deliveries()
        ended.set()
        deliver(acme)

    assert (cut_off[0].cursor, cut_off[0].failures, cut_off[1]) == (0, 0, [])
    assert emails(receiver.requests) == ["a@x.example"] * 2
    assert [each.status for each in hook.deliveries()] == [204]


def test_an_outcome_that_the_database_does_not_take_is_written_later_and_not_sent_again(
    acme: Enterprise, trusted: Path
) -> None:
    acme.create(email="a@x.example")
    acme.create(email="b@x.example")

    def rename(old: str, new: str) -> None:
        with acme.app.app_context(), db.engine.begin() as connection:
            connection.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")

    def answer(_: Received) -> Answer:
        if len(receiver.requests) == 1:
            rename("webhook_deliveries", "away")
        return Answer()

    with receiving(trusted, Receiver(answer)) as receiver:
        hook, loop, turn = make_hook(acme, receiver.url), Deliverer(), Turn(threading.Event())
        with acme.app.app_context():
            for _ in range(2):
                with pytest.raises(DBAPIError):
                    loop.run(turn)
            rename("away", "webhook_deliveries")
            loop.run(turn)

    assert emails(receiver.requests) == ["a@x.example", "b@x.example"]
    assert [each.status for each in hook.deliveries()] == [204, 204]
    assert hook.row().cursor == 2


def test_an_error_in_the_messages_of_one_enterprise_does_not_stop_those_of_another(
    acme: Enterprise, trusted: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliverer, "LOOK_EVERY", 0.01)
    other = make_enterprise(acme.app, "Other")
    acme.create()
    with acme.app.app_context(), db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE changes SET type = 'a type of a later version'")
    other.create(email="fine@x.example")

    with receiving(trusted, Receiver()) as receiver, acme.app.app_context():
        broken, fine = make_hook(acme, receiver.url), make_hook(other, receiver.url)
        loop = Deliverer()
        for _ in range(2):
            loop.run(Turn(threading.Event()))
            time.sleep(0.2)  # until the next look

    assert emails(receiver.requests) == ["fine@x.example"]
    assert (broken.row().cursor, fine.row().cursor) == (0, 1)
    assert caplog.text.count(f"The webhook {broken.id} failed. It is tried again in a minute.") == 1
