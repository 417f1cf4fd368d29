"""Delivery of messages: what arrives at a receiver, and in which order."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from scimsvc import clock
from scimsvc.activity.pruning import FEED
from scimsvc.notifications.secrets import current_secret
from scimsvc.settings.keys import key_id
from tests.support.apps import SECRET_KEY
from tests.support.client import Api, Enterprise, replace
from tests.support.long_runs import outside_the_database
from tests.support.receivers import THIS_MACHINE, Answer, Received, Receiver, receiving
from tests.support.records import feed_of
from tests.support.scim_groups import create_group
from tests.support.types import Cli, MakeApp
from tests.support.webhooks import add_alert, deliver, emails, is_signed, make_hook, read_secret, verified

OTHER_KEY = "another key for tests alone and of no use elsewhere 0123456789"


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app(WEBHOOK_NETWORKS=THIS_MACHINE)


@pytest.fixture
def receiver(trusted: Path) -> Any:
    with receiving(trusted, Receiver()) as running:
        yield running


def create_users(acme: Enterprise, number: int) -> list[dict[str, Any]]:
    return [acme.create(email=f"{each}@x.example", userName=f"u{each}") for each in range(number)]


def test_each_change_arrives_once_in_order_with_the_entry_of_the_feed(acme: Enterprise, receiver: Receiver) -> None:
    first, second = create_users(acme, 2)
    acme.patch(first, replace("active", False))
    create_group(acme, "Sales", [first["id"]])
    acme.send("DELETE", f"/Users/{second['id']}")
    hook = make_hook(acme, receiver.url)

    deliver(acme)
    deliver(acme)

    bodies = [verified(request, hook.secret) for request in receiver.requests]
    entries = feed_of(acme)["items"]
    assert bodies == [
        {"type": body["type"], "timestamp": entry["time"], "data": entry}
        for body, entry in zip(bodies, entries, strict=True)
    ]
    assert [body["type"] for body in bodies] == [
        "user.created", "user.created", "user.disabled", "group.created", "group.members_added", "user.deleted",
    ]  # fmt: skip
    assert receiver.connections == 1
    row = hook.row()
    assert (row.cursor, row.failures, row.failing_since) == (6, 0, None)
    assert row.last_success_at is not None
    assert [(each.cursor, each.type, each.attempt, each.status, each.error) for each in hook.deliveries()] == [
        (number, body["type"], 1, 204, None) for number, body in enumerate(bodies, 1)
    ]
    assert [each.message_id for each in hook.deliveries()] == [each.headers["webhook-id"] for each in receiver.requests]


def test_a_full_message_has_the_user_or_group_as_the_enterprise_api_shows_it(
    acme: Enterprise, api: Api, receiver: Receiver
) -> None:
    first, second = create_users(acme, 2)
    group = create_group(acme, "Sales", [first["id"]])
    acme.send("DELETE", f"/Users/{second['id']}")
    hook = make_hook(acme, receiver.url, payload="full")

    deliver(acme)

    data = [verified(request, hook.secret)["data"] for request in receiver.requests]
    user = api.send("GET", f"/users/{first['id']}").get_json()
    shown = api.send("GET", f"/groups/{group['id']}").get_json()
    present = [{"user": user}, {"user": None}, {"group": shown}, {"group": shown}, {"user": None}]
    assert "custom" in user
    assert data == [entry | added for entry, added in zip(feed_of(acme)["items"], present, strict=True)]


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (["group.*"], ["group.created"]),
        (["user.disabled", "group.created"], ["user.disabled", "group.created"]),
        (["user.*"], ["user.created", "user.created", "user.disabled"]),
        (["alert.*"], []),
        (["user.deleted"], []),
    ],
)
def test_only_the_chosen_types_arrive_and_the_cursor_passes_the_others(
    acme: Enterprise, receiver: Receiver, types: list[str], expected: list[str]
) -> None:
    first, _ = create_users(acme, 2)
    acme.patch(first, replace("active", False))
    create_group(acme)
    hook = make_hook(acme, receiver.url, types=types)

    deliver(acme)

    assert [json.loads(request.body)["type"] for request in receiver.requests] == expected
    assert hook.row().cursor == 4
    assert len(hook.deliveries()) == len(expected)


def test_alerts_arrive_between_changes_by_time_a_few_seconds_later(
    acme: Enterprise, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_users(acme, 1)
    now = clock.now()
    event_id = add_alert(acme, "alert.silent", {"since": "2026-11-27T10:00:00.000Z"}, at=now)
    hook = make_hook(acme, receiver.url)
    deliver(acme)
    before = len(receiver.requests)
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(seconds=10))
    acme.create(email="later@x.example")

    deliver(acme)

    assert before == 1
    assert [json.loads(request.body)["type"] for request in receiver.requests] == [
        "user.created", "alert.silent", "user.created",
    ]  # fmt: skip
    assert json.loads(receiver.requests[1].body) == {
        "type": "alert.silent",
        "timestamp": clock.timestamp(now),
        "data": {"since": "2026-11-27T10:00:00.000Z"},
    }
    assert (hook.row().cursor, hook.row().alert_cursor) == (2, event_id)
    assert [each.cursor for each in hook.deliveries()] == [1, None, 2]


def test_many_messages_arrive_in_several_turns_and_many_unwanted_ones_are_skipped(
    acme: Enterprise, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scimsvc.notifications.delivery.turns.TURN_MESSAGES", 4)
    monkeypatch.setattr("scimsvc.notifications.delivery.upcoming.BATCH", 3)
    create_users(acme, 10)
    create_group(acme)
    hook = make_hook(acme, receiver.url)
    of_groups = make_hook(acme, receiver.url + "?groups", types=["group.*"])

    deliver(acme)

    by_path = [request.path for request in receiver.requests]
    assert emails(request for request in receiver.requests if request.path == "/hook")[:10] == [
        f"{each}@x.example" for each in range(10)
    ]
    assert (by_path.count("/hook"), by_path.count("/hook?groups")) == (11, 1)
    assert receiver.connections == 4
    assert hook.row().cursor == of_groups.row().cursor == 11


def test_a_message_keeps_its_id_in_retries_and_replays(acme: Enterprise, receiver: Receiver) -> None:
    create_users(acme, 2)
    hook = make_hook(acme, receiver.url)
    receiver.answer = lambda _: Answer(500 if len(receiver.requests) == 2 else 204)
    deliver(acme)
    hook.update(next_attempt_at=None)
    deliver(acme)
    hook.update(cursor=0)

    deliver(acme)

    ids = [request.headers["webhook-id"] for request in receiver.requests]
    assert emails(receiver.requests) == [f"{each}@x.example" for each in (0, 1, 1, 0, 1)]
    assert ids == [ids[0], ids[1], ids[1], ids[0], ids[1]]
    assert len(set(ids)) == 2
    assert [(each.attempt, each.status) for each in hook.deliveries()] == [
        (1, 204), (1, 500), (2, 204), (1, 204), (1, 204),
    ]  # fmt: skip


def test_a_replay_during_an_attempt_is_not_undone(acme: Enterprise, receiver: Receiver) -> None:
    create_users(acme, 3)
    hook = make_hook(acme, receiver.url)

    def answer(_: Received) -> Answer:
        if len(receiver.requests) == 3:
            hook.update(cursor=0)
        return Answer()

    receiver.answer = answer
    deliver(acme)
    deliver(acme)

    assert emails(receiver.requests) == [f"{each}@x.example" for each in (0, 1, 2, 0, 1, 2)]
    assert len(hook.deliveries()) == 6
    assert hook.row().cursor == 3


def test_a_webhook_of_the_enterprise_api_delivers_rotates_and_replays(
    acme: Enterprise, api: Api, receiver: Receiver
) -> None:
    made = api.send("POST", "/webhooks", {"url": receiver.url}).get_json()
    path = f"/webhooks/{made['id']}"
    acme.create(email="first@x.example")
    deliver(acme)
    rotated = api.send("POST", f"{path}/rotate", {"overlap_hours": 24}).get_json()
    acme.create(email="second@x.example")
    deliver(acme)
    assert api.send("POST", f"{path}/replay", {"cursor": made["cursor"]}).status_code == 200
    deliver(acme)

    first, second, *repeated = receiver.requests
    old, new = read_secret(made["secret"]), read_secret(rotated["secret"])
    assert emails(receiver.requests) == [f"{name}@x.example" for name in ("first", "second", "first", "second")]
    assert [each.headers["webhook-id"] for each in repeated] == [each.headers["webhook-id"] for each in (first, second)]
    assert verified(first, old)["data"]["email"] == "first@x.example"
    assert verified(second, old) == verified(second, new)
    assert (is_signed(first, new), is_signed(repeated[0], new)) == (False, True)
    shown = api.send("GET", path).get_json()
    assert shown["cursor"] == json.loads(second.body)["data"]["cursor"]
    assert shown["last_success_at"] is not None
    listed = api.send("GET", f"{path}/deliveries").get_json()["items"]
    assert [(each["type"], each["attempt"], each["status"]) for each in listed] == [("user.created", 1, 204)] * 4


@pytest.mark.parametrize("meanwhile", ["disabled", "deleted"])
def test_a_webhook_that_is_disabled_or_deleted_during_an_attempt_gets_no_new_turn(
    acme: Enterprise, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    monkeypatch.setattr("scimsvc.notifications.delivery.upcoming.BATCH", 1)
    create_users(acme, 3)
    hook = make_hook(acme, receiver.url)

    def answer(_: Received) -> Answer:
        if meanwhile == "disabled":
            hook.update(enabled=False)
        else:
            hook.delete()
        return Answer()

    receiver.answer = answer
    deliver(acme)

    assert len(receiver.requests) == 1
    if meanwhile == "disabled":
        assert hook.row().cursor == 1


def test_during_the_overlap_of_a_rotation_both_secrets_verify(
    acme: Enterprise, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_users(acme, 1)
    hook, now = make_hook(acme, receiver.url), clock.now()
    old = hook.row()
    until = clock.timestamp(now + timedelta(hours=24))
    hook.update(salt="new", old_salt=old.salt, old_key_id=old.key_id, old_until=until)
    with acme.app.app_context():
        new_secret = current_secret([SECRET_KEY], hook.row())
    deliver(acme)
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(hours=25))
    acme.create(email="later@x.example")

    deliver(acme)

    during, after = receiver.requests
    signatures = during.headers["webhook-signature"].split(" ")
    assert verified(during, hook.secret) == verified(during, new_secret)
    assert len(signatures) == 2
    assert (is_signed(after, new_secret), is_signed(after, hook.secret)) == (True, False)


@outside_the_database
def test_without_the_secret_key_a_delivery_fails_with_a_remedy(
    make_app: MakeApp, acme: Enterprise, receiver: Receiver
) -> None:
    create_users(acme, 1)
    hook = make_hook(acme, receiver.url)
    other = make_app(WEBHOOK_NETWORKS=THIS_MACHINE, SECRET_KEY=OTHER_KEY)

    deliver(Enterprise(other, acme.made, acme.token))

    [delivery] = hook.deliveries()
    assert receiver.requests == []
    assert delivery.status is None
    assert str(delivery.error).startswith(f"The secret of this webhook belongs to the secret key {key_id(SECRET_KEY)}")
    assert str(delivery.error).endswith("Rotate the secret of the webhook, or add that key to SCIMSVC_SECRET_KEY.")
    assert hook.row().failures == 1


def test_changes_that_were_pruned_before_their_delivery_are_reported(
    acme: Enterprise, cli: Cli, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    acme.token = cli("token", "issue", "Acme", "--days=365")["access_token"]
    hook = make_hook(acme, receiver.url)
    create_users(acme, 3)
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=91))
    acme.create(email="later@x.example")
    with acme.app.app_context():
        assert sum(FEED.prune()) == 3

    deliver(acme)

    loss, delivered = hook.deliveries()
    assert emails(receiver.requests) == ["later@x.example"]
    assert (loss.type, loss.cursor, loss.status) == ("webhook.changes_lost", 3, None)
    assert str(loss.error).startswith("3 changes were deleted before they were delivered")
    assert (delivered.cursor, delivered.status) == (4, 204)
    assert f"The webhook {hook.id} of enterprise {acme.made['id']}: 3 changes were deleted" in caplog.text


def test_a_suspended_enterprise_gets_no_messages_until_it_is_reactivated(
    acme: Enterprise, cli: Cli, receiver: Receiver
) -> None:
    create_users(acme, 1)
    make_hook(acme, receiver.url)
    cli("enterprise", "suspend", "Acme", "--reason=Unpaid")
    deliver(acme)
    suspended = len(receiver.requests)
    cli("enterprise", "reactivate", "Acme")

    deliver(acme)

    assert (suspended, len(receiver.requests)) == (0, 1)


@outside_the_database
def test_a_message_is_sent_only_to_an_allowed_address(make_app: MakeApp, acme: Enterprise, receiver: Receiver) -> None:
    create_users(acme, 1)
    hook = make_hook(acme, receiver.url)

    deliver(Enterprise(make_app(), acme.made, acme.token))

    [delivery] = hook.deliveries()
    assert receiver.connections == 0
    assert "The name localhost resolves to" in str(delivery.error)
    assert "which is a loopback address" in str(delivery.error)
