"""Webhooks in the enterprise API: their members, secrets, cursors, tests, replays and deliveries."""

import json
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from scimsvc import clock
from scimsvc.activity import pruning
from scimsvc.console.event_words import EVENT_KINDS
from scimsvc.settings.keys import new_secret_key
from scimsvc.store.engine.transactions import reading, writing
from scimsvc.store.log import new_entry_id
from scimsvc.store.webhook_deliveries import DeliveryRow, insert_delivery
from scimsvc.store.webhooks import WebhookRow, list_webhooks, record_failure, update_webhook
from scimsvc.vocabulary import EVENT_PATTERNS, EVENT_TYPES
from tests.support.apps import make_api
from tests.support.client import Api, Enterprise, assert_problem
from tests.support.records import audit_of
from tests.support.types import MakeApp

HOOK = "https://hooks.example.com/scim?key=s3cret"
ALL = ["user.*", "group.*", "alert.*"]
#: A name whose address is not public, so that nothing is sent.
REFUSED = "https://localhost:9/hook"
MISSING = "00000000-0000-4000-8000-000000000000"


def create(api: Api, url: str = HOOK, **members: Any) -> dict[str, Any]:
    answer = api.send("POST", "/webhooks", {"url": url, **members})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.get_json()
    return made


def row_of(app: Flask) -> WebhookRow:
    with app.app_context(), reading() as connection:
        (enterprise_id,) = {row.enterprise_id for row in _all(connection)}
        return list_webhooks(connection, enterprise_id)[0]


def _all(connection: Any) -> list[Any]:
    return list(connection.exec_driver_sql("SELECT enterprise_id FROM webhooks").all())


def set_columns(app: Flask, **columns: Any) -> None:
    row = row_of(app)
    with app.app_context(), writing() as connection:
        update_webhook(connection, row, columns)


def test_a_webhook_begins_at_the_end_of_the_feed_and_shows_its_secret_once(acme: Enterprise, api: Api) -> None:
    acme.create()
    made = create(api)
    secret = made.pop("secret")

    assert made == {
        "id": made["id"], "url": HOOK, "types": ALL, "payload": "thin", "enabled": True, "disabled_reason": None,
        "cursor": api.get("/changes")["next"], "waiting": 0, "failing_since": None, "next_attempt_at": None,
        "last_success_at": None, "signable": True, "old_secret_until": None, "created_at": made["created_at"],
    }  # fmt: skip
    assert secret.startswith("whsec_")
    assert api.get(f"/webhooks/{made['id']}") == made
    assert api.get("/webhooks") == {"items": [made], "next": None}
    acme.create(email="second@x.example")
    assert api.get(f"/webhooks/{made['id']}") == made | {"waiting": 1}


def test_the_database_and_the_audit_log_contain_no_secret(acme: Enterprise, api: Api) -> None:
    made = create(api)
    rotated = api.send("POST", f"/webhooks/{made['id']}/rotate", {}).get_json()

    entries = json.dumps(audit_of(acme.app))
    assert len({made["secret"], rotated["secret"], str(row_of(acme.app))}) == 3
    for secret in (made["secret"], rotated["secret"]):
        assert secret.removeprefix("whsec_") not in entries + str(row_of(acme.app))
    assert "https://hooks.example.com/scim?\\u2026" in entries
    assert "s3cret" not in entries


@pytest.mark.parametrize(
    ("members", "field", "words"),
    [
        ({}, "url", "Enter a value"),
        ({"url": "http://hooks.example.com"}, "url", "https://"),
        ({"url": "https://10.0.0.1/"}, "url", "private"),
        ({"url": f"https://hooks.example.com/{'x' * 2000}"}, "url", "2,000"),
        ({"url": HOOK, "types": []}, "types", "at least one"),
        ({"url": HOOK, "types": ["user.renamed"]}, "types.0", "user.disabled, user.deleted"),
        ({"url": HOOK, "types": "user.*"}, "types", "list"),
        ({"url": HOOK, "payload": "fat"}, "payload", "thin, full"),
        ({"url": HOOK, "enabled": 1}, "enabled", "true or false"),
        ({"url": HOOK, "secret": "x"}, "secret", "does not exist"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_invalid_member_is_refused_with_what_to_enter(
    api: Api, members: dict[str, Any], field: str, words: str
) -> None:
    assert_problem(api.send("POST", "/webhooks", members), 400, words, fields={field})
    assert api.get("/webhooks")["items"] == []


def test_a_change_keeps_the_cursor_and_the_rest(acme: Enterprise, api: Api) -> None:
    made = create(api)
    made.pop("secret")
    acme.create()
    path = f"/webhooks/{made['id']}"

    changed = api.send("PATCH", path, {"types": ["group.created", "user.*", "user.*"], "payload": "full"}).get_json()

    assert changed == made | {"types": ["user.*", "group.created"], "payload": "full", "waiting": 1}
    assert_problem(api.send("PATCH", path, {"url": "https://127.0.0.1/"}), 400, fields={"url"})
    assert [entry["action"] for entry in audit_of(acme.app)][:2] == ["webhook.updated", "webhook.created"]
    assert api.send("PATCH", path, {"payload": "full"}).get_json() == changed
    assert [entry["action"] for entry in audit_of(acme.app)][:2] == ["webhook.updated", "webhook.created"]


def test_a_change_of_the_query_alone_is_recorded_without_it(acme: Enterprise, api: Api) -> None:
    made = create(api)

    api.send("PATCH", f"/webhooks/{made['id']}", {"url": HOOK + "2"})

    newest = audit_of(acme.app)[0]
    url = "https://hooks.example.com/scim?…"
    assert (newest["action"], newest["before"], newest["after"]) == ("webhook.updated", {"url": url}, {"url": url})
    assert api.get(f"/webhooks/{made['id']}")["url"] == HOOK + "2"


def test_a_token_that_only_reads_sees_no_query(acme: Enterprise, api: Api, cli: Any) -> None:
    made = create(api)
    reading_api = Api(acme, cli("token", "issue", "Acme", "--scope", "api.read")["access_token"])
    shown = reading_api.get(f"/webhooks/{made['id']}")

    assert made["url"] == HOOK
    assert shown["url"] == "https://hooks.example.com/scim?…"
    assert reading_api.get("/webhooks")["items"] == [shown]
    assert reading_api.get(f"/webhooks/{made['id']}/deliveries") == {"items": [], "next": None}


def test_enabling_continues_at_the_cursor_and_ends_the_failure(acme: Enterprise, api: Api) -> None:
    made = create(api)
    acme.create()
    set_columns(
        acme.app, enabled=False, disabled_reason="gone", failures=3, failing_since="2026-11-27T10:00:00.000Z",
    )  # fmt: skip
    path = f"/webhooks/{made['id']}"
    assert [api.get(path)[name] for name in ("enabled", "disabled_reason")] == [False, "gone"]

    enabled = api.send("PATCH", path, {"enabled": True}).get_json()

    assert [enabled[name] for name in ("enabled", "disabled_reason", "failing_since", "waiting", "cursor")] == [
        True, None, None, 1, made["cursor"],
    ]  # fmt: skip
    assert row_of(acme.app).failures == 0


def test_a_webhook_waits_for_its_next_attempt_until_it_gets_another_url(acme: Enterprise, api: Api) -> None:
    made = create(api)
    row = row_of(acme.app)
    with acme.app.app_context(), writing() as connection:
        record_failure(connection, row, next_attempt_at="2027-01-01T00:00:00.000Z", at="2026-12-31T00:00:00.000Z")
    path = f"/webhooks/{made['id']}"
    times = ("next_attempt_at", "failing_since")

    assert [api.get(path)[name] for name in times] == ["2027-01-01T00:00:00.000Z", "2026-12-31T00:00:00.000Z"]
    assert [api.send("PATCH", path, {"payload": "full"}).get_json()[name] is None for name in times] == [False, False]
    assert [api.send("PATCH", path, {"url": REFUSED}).get_json()[name] for name in times] == [None, None]


def test_a_rotation_keeps_the_old_secret_for_a_day_or_as_long_as_asked(acme: Enterprise, api: Api) -> None:
    made = create(api)
    path = f"/webhooks/{made['id']}/rotate"

    first = api.send("POST", path).get_json()
    second = api.send("POST", path, {"overlap_hours": 0}).get_json()

    assert len({made["secret"], first["secret"], second["secret"]}) == 3
    until = clock.parse_timestamp(first["old_secret_until"])
    assert timedelta(hours=23) < until - clock.now() < timedelta(hours=25)
    assert second["old_secret_until"] is None
    assert_problem(api.send("POST", path, {"overlap_hours": -1}), 400, fields={"overlap_hours"})


def test_a_webhook_whose_key_is_missing_says_so_until_its_secret_is_rotated(
    acme: Enterprise, api: Api, make_app: MakeApp
) -> None:
    path = f"/webhooks/{create(api, REFUSED)['id']}"
    replaced = make_api(Enterprise(make_app(SECRET_KEY=new_secret_key()), acme.made, acme.token))

    assert replaced.get(path)["signable"] is False
    assert "SCIMSVC_SECRET_KEY" in replaced.send("POST", f"{path}/test").get_json()["error"]
    assert replaced.send("POST", f"{path}/rotate").get_json()["signable"] is True
    assert "localhost resolves to" in replaced.send("POST", f"{path}/test").get_json()["error"]


def test_a_test_shows_and_keeps_the_delivery_of_a_disabled_webhook_too(acme: Enterprise, api: Api) -> None:
    made = create(api, REFUSED, enabled=False)
    path = f"/webhooks/{made['id']}"

    delivery = api.send("POST", f"{path}/test").get_json()

    assert delivery == {
        "id": delivery["id"], "message_id": delivery["message_id"], "type": "webhook.test", "cursor": None,
        "attempt": 1, "time": delivery["time"], "status": None, "error": delivery["error"],
        "duration_ms": delivery["duration_ms"],
    }  # fmt: skip
    assert delivery["message_id"].startswith("msg_")
    assert "localhost resolves to" in delivery["error"]
    assert api.get(f"{path}/deliveries") == {"items": [delivery], "next": None}
    assert audit_of(acme.app)[0]["after"] == {"error": delivery["error"]}


def test_deliveries_are_read_page_by_page_from_the_newest(acme: Enterprise, api: Api) -> None:
    made, other = create(api), create(api)
    row = row_of(acme.app)
    with acme.app.app_context(), writing() as connection:
        for number in range(1, 6):
            insert_delivery(
                connection,
                DeliveryRow(row.enterprise_id, f"{number:032}", row.id, "msg_1", "user.created", number, number,
                            row.created_at, 500, "The receiver answered 500.", 12),
            )  # fmt: skip
    path = f"/webhooks/{made['id']}/deliveries"

    first = api.get(path, limit="2")
    second = api.get(path, limit="4", cursor=first["next"])

    assert [each["attempt"] for each in first["items"] + second["items"]] == [5, 4, 3, 2, 1]
    assert second["next"] is None
    assert_problem(api.send("GET", f"/webhooks/{other['id']}/deliveries", query={"cursor": first["next"]}), 400)
    assert api.get(f"/webhooks/{other['id']}/deliveries") == {"items": [], "next": None}


def test_old_deliveries_and_those_beyond_a_number_are_pruned(
    acme: Enterprise, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/webhooks/{create(api)['id']}/deliveries"
    row, now = row_of(acme.app), clock.now()
    ages = [timedelta(days=8), *(timedelta(minutes=minutes) for minutes in (5, 4, 3, 2, 1))]
    with acme.app.app_context(), writing() as connection:
        for age in ages:
            insert_delivery(
                connection,
                DeliveryRow(row.enterprise_id, new_entry_id(now - age), row.id, "msg_1", "user.created", 1, 1,
                            clock.timestamp(now - age), 204, None, 12),
            )  # fmt: skip
    table = next(each for each in pruning.TABLES if each.name == "deliveries")

    with acme.app.app_context():
        assert sum(table.prune()) == 1
        monkeypatch.setattr(pruning, "MOST_DELIVERIES", 2)
        assert sum(table.prune()) == 3

    assert [each["time"] for each in api.get(path)["items"]] == [clock.timestamp(now - age) for age in ages[:3:-1]]


def test_the_console_explains_every_type_of_event() -> None:
    explained = {kind.pattern: tuple(kind.types) for kind in EVENT_KINDS}

    assert tuple(explained) == EVENT_PATTERNS
    assert tuple(name for names in explained.values() for name in names) == EVENT_TYPES


def test_a_replay_goes_back_to_a_cursor_or_a_time_and_forward_to_the_end(
    acme: Enterprise, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = clock.now()
    for number in range(5):
        monkeypatch.setattr(clock, "now", lambda number=number: began + timedelta(minutes=number))
        acme.create(email=f"{number}@x.example")
    changes = api.get("/changes")["items"]
    path = f"/webhooks/{create(api)['id']}"

    def replay(**position: str) -> tuple[str, int]:
        answer = api.send("POST", f"{path}/replay", position)
        assert answer.status_code == 200, answer.text
        return answer.get_json()["cursor"], answer.get_json()["waiting"]

    def at(minutes: float) -> str:
        return (began + timedelta(minutes=minutes)).isoformat()

    assert replay(cursor=changes[1]["cursor"]) == (changes[1]["cursor"], 3)
    assert [replay(since=at(minutes))[1] for minutes in (-1, 0.5, 3.5, 60)] == [5, 4, 1, 0]
    assert replay(since=changes[2]["time"])[1] == 3
    assert replay(cursor=changes[4]["cursor"]) == (changes[4]["cursor"], 0)
    assert audit_of(acme.app)[0]["before"] == {"cursor": 2}


def test_a_replay_from_a_time_includes_alerts_and_from_a_cursor_does_not(acme: Enterprise, api: Api) -> None:
    acme.create()
    path = f"/webhooks/{create(api)['id']}/replay"
    before = row_of(acme.app).alert_cursor

    api.send("POST", path, {"cursor": api.get("/changes")["items"][0]["cursor"]})
    by_cursor = row_of(acme.app).alert_cursor
    api.send("POST", path, {"since": "2026-01-01T00:00:00Z"})

    assert by_cursor == before
    assert row_of(acme.app).alert_cursor < before


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_replay_to_another_place_is_refused(acme: Enterprise, api: Api) -> None:
    path = f"/webhooks/{create(api)['id']}/replay"
    cursor = api.get("/changes")["next"]

    for members, field in (
        ({}, "since"),
        ({"since": "2026-01-01T00:00:00Z", "cursor": cursor}, "since"),
        ({"since": "yesterday"}, "since"),
        ({"since": {}}, "since"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": 5}, "cursor"),
    ):
        assert_problem(api.send("POST", path, members), 400, fields={field})


def test_a_replay_of_pruned_changes_is_gone(acme: Enterprise, api: Api) -> None:
    start = api.get("/changes")["next"]
    acme.create()
    acme.create(email="second@x.example")
    with acme.app.app_context(), writing() as connection:
        connection.exec_driver_sql("DELETE FROM changes WHERE number = 1")
    path = f"/webhooks/{create(api)['id']}/replay"

    assert_problem(api.send("POST", path, {"cursor": start}), 410, "no longer stored")
    assert api.send("POST", path, {"since": "2026-01-01T00:00:00Z"}).get_json()["waiting"] == 1


def test_an_enterprise_has_at_most_as_many_webhooks_as_its_quota(make_app: MakeApp, acme: Enterprise) -> None:
    acme.app = make_app(MAX_WEBHOOKS="2")
    api = make_api(acme)
    made = [create(api)["id"] for _ in range(2)]

    assert_problem(api.send("POST", "/webhooks", {"url": HOOK}), 409, "SCIMSVC_MAX_WEBHOOKS", "Delete unused webhooks")
    assert api.send("DELETE", f"/webhooks/{made[0]}").status_code == 204
    assert_problem(api.send("GET", f"/webhooks/{made[0]}"), 404, "no webhook with this ID")


def test_a_deleted_enterprise_leaves_no_webhook(acme: Enterprise, api: Api, cli: Any) -> None:
    create(api, REFUSED)
    cli("webhook", "test", "Acme", REFUSED)
    cli("enterprise", "delete", "Acme", "--yes")

    with acme.app.app_context(), reading() as connection:
        assert _all(connection) == []
    assert cli("check")["rows"]["webhook_deliveries"] == 0
