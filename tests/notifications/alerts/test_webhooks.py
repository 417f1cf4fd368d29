"""A webhook that the service disables raises an alert in the same transaction, and every webhook gets alerts."""

import json
from pathlib import Path

import pytest
from flask import Flask

from tests.support.alerts import AlertWatch
from tests.support.receivers import THIS_MACHINE, Answer, Receiver, receiving
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
