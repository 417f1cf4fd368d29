"""A webhook that the service disables raises an alert in the same transaction, and every webhook gets alerts."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.support.alerts import AlertWatch
from tests.support.receivers import THIS_MACHINE, Answer, Received, Receiver, receiving
from tests.support.types import MakeApp
from tests.support.webhooks import deliver, make_hook


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app(WEBHOOK_NETWORKS=THIS_MACHINE)


def test_a_disabled_webhook_is_announced_once_to_the_others(watch: AlertWatch, trusted: Path) -> None:
    acme = watch.enterprise
    acme.create(email="a@x.example")
    with receiving(trusted, Receiver(lambda _: Answer(410))) as gone, receiving(trusted, Receiver()) as other:
        broken = make_hook(acme, gone.url)
        make_hook(acme, other.url, types=["alert.*"])
        deliver(acme)
        assert broken.row().disabled_reason == "gone"
        assert watch.check_in(minutes=1) == []  # announced when it was disabled
        deliver(acme)

    (event,) = watch.events()
    (request,) = other.requests
    message = json.loads(request.body)
    assert message["type"] == "alert.webhook_disabled"
    assert message["data"] == {name: value for name, value in event.items() if name != "type"}
    assert event["title"] == "Webhook to localhost disabled"
    assert (event["webhook_id"], event["host"], event["reason"]) == (broken.id, "localhost", "gone")

    broken.update(enabled=True, disabled_reason=None)
    assert (watch.check(), watch.open()) == ([], [])


def test_a_webhook_that_is_enabled_again_gets_other_alerts_but_not_its_own(watch: AlertWatch, trusted: Path) -> None:
    acme = watch.enterprise
    acme.create(email="a@x.example")
    answers = [Answer(410), Answer(204)]
    with (
        receiving(trusted, Receiver(lambda _: answers[min(len(one.requests), 2) - 1])) as one,
        receiving(trusted, Receiver(lambda _: Answer(410))) as gone,
    ):
        hook = make_hook(acme, one.url)
        deliver(acme)
        assert hook.row().disabled_reason == "gone"
        other = make_hook(acme, gone.url)
        hook.update(enabled=True, disabled_reason=None)
        acme.create(email="b@x.example")
        deliver(acme)
        assert other.row().disabled_reason == "gone"
        watch.check_in(minutes=1)
        deliver(acme)

    types = [(message["type"], message["data"].get("webhook_id")) for message in map(_body, one.requests)]
    assert ("alert.webhook_disabled", other.id) in types
    assert ("alert.webhook_disabled", hook.id) not in types


def _body(request: Received) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(request.body)
    return body
