"""The pages of webhooks: created, changed, tested, replayed, rotated, disabled and deleted."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from scimsvc import clock
from scimsvc.settings.keys import new_secret_key
from scimsvc.store.engine.transactions import reading, writing
from scimsvc.store.webhooks import list_webhooks, update_webhook
from tests.support.client import Enterprise
from tests.support.console import Console, errors, make_admin, of, text, typed
from tests.support.types import Cli, MakeApp

pytestmark = pytest.mark.both_databases

#: A URL that is refused when it is used, because it is not a public address.
HOOK = "https://localhost:9/scim"
WITH_QUERY = f"{HOOK}?key=s3cret"


def types(*chosen: str) -> dict[str, Any]:
    return {f"type:{name}": "on" for name in chosen}


def hook(cli: Cli, url: str = HOOK) -> str:
    return str(cli("webhook", "create", "Acme", url)["id"])


def set_columns(app: Flask, acme: Enterprise, **columns: Any) -> None:
    with app.app_context():
        with reading() as connection:
            row = list_webhooks(connection, acme.made["id"])[0]
        with writing() as connection:
            update_webhook(connection, row, columns)


def test_a_new_webhook_shows_its_secret_once(acme: Enterprise, admin: Console, cli: Cli) -> None:
    assert "No webhooks yet" in admin.get(of(acme) + "/webhooks")
    form: dict[str, Any] = {"url": WITH_QUERY, "payload": "full", **types("user.*", "user.created", "group.deleted")}

    location = admin.post(of(acme) + "/webhooks/new", **form).headers["Location"]
    page = admin.get(location)

    [made] = cli("webhook", "list", "Acme")
    assert (made["url"], made["payload"], made["types"]) == (WITH_QUERY, "full", ["user.*", "group.deleted"])
    assert location.endswith(f"/webhooks/{made['id']}")
    assert len(re.findall(r'value="(whsec_[^"]+)"', page)) == 1
    assert "whsec_" not in admin.get(location)
    assert "s3cret" not in admin.get(of(acme) + "/webhooks")


def test_a_refused_form_keeps_its_input_and_says_what_to_enter(acme: Enterprise, admin: Console, cli: Cli) -> None:
    path = of(acme) + "/webhooks/new"

    no_https = admin.post(path, 400, url="http://x.example/", payload="thin", **types("group.deleted")).text
    no_type = admin.post(path, 400, url=HOOK, payload="thin").text

    assert errors(no_https) == {"url": ["Not https"]}
    assert typed(no_https, "url") == "http://x.example/"
    assert re.search(r'name="type:group.deleted" value="on" checked', no_https)
    assert not re.search(r'name="type:user.\*" value="on" checked', no_https)
    assert errors(no_type) == {"types": ["Enter at least one type, such as user.*."]}
    assert cli("webhook", "list", "Acme") == []


def test_a_change_of_an_older_state_is_refused(acme: Enterprise, admin: Console, cli: Cli) -> None:
    path = f"{of(acme)}/webhooks/{hook(cli)}/edit"
    tag = typed(admin.get(path), "tag")
    cli("webhook", "update", "Acme", HOOK, "--payload", "full")

    answer = admin.post(path, 412, url=HOOK, payload="thin", tag=tag, **types("user.*"))

    assert "changed since you read it" in text(answer.text)
    assert admin.follow(path, url=WITH_QUERY, payload="thin", **types("alert.silent"))
    [changed] = cli("webhook", "list", "Acme")
    assert (changed["url"], changed["types"], changed["payload"]) == (WITH_QUERY, ["alert.silent"], "thin")


def test_a_test_shows_the_error_and_the_delivery(acme: Enterprise, admin: Console, cli: Cli) -> None:
    page = text(admin.follow(f"{of(acme)}/webhooks/{hook(cli)}/test"))

    assert "The test message was not delivered. The name localhost resolves to" in page
    assert "webhook.test no answer" in page


def test_a_webhook_is_disabled_and_enabled(acme: Enterprise, admin: Console, cli: Cli) -> None:
    path = f"{of(acme)}/webhooks/{hook(cli)}"

    disabled = text(admin.follow(f"{path}/disable"))
    acme.create()
    enabled = text(admin.follow(f"{path}/enable"))

    assert "Webhook disabled." in disabled
    assert "It continues where it stopped." in enabled
    assert "Waiting 1 change " in enabled


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"enabled": False, "disabled_reason": "gone"}, "The receiver answered 410"),
        (
            {"enabled": False, "disabled_reason": "failing", "failing_since": "2026-11-24T10:00:00.000Z"},
            "A message failed in every attempt since 2026-11-24 10:00",
        ),
        ({"failing_since": "2026-11-24T10:00:00.000Z"}, "Messages have failed since 2026-11-24 10:00"),
    ],
    ids=["gone", "failing", "fails now"],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_webhook_that_does_not_deliver_says_why_and_what_to_do(
    acme: Enterprise, admin: Console, cli: Cli, columns: dict[str, Any], words: str
) -> None:
    path = f"{of(acme)}/webhooks/{hook(cli)}"
    set_columns(acme.app, acme, **columns)

    assert words in text(admin.get(path))
    action = "enable" if "enabled" in columns else "retry"
    after = text(admin.follow(f"{path}/{action}"))
    assert words not in after


def test_a_missing_key_asks_for_a_rotation(acme: Enterprise, cli: Cli, make_app: MakeApp) -> None:
    path = f"{of(acme)}/webhooks/{hook(cli)}"
    app = make_app(SECRET_KEY=new_secret_key())
    console = Console(app, make_admin(app, "admin@acme.example", "Acme"))

    assert "Rotate the secret, and set the new one in the receiver." in text(console.get(path))
    rotated = console.follow(f"{path}/rotate", overlap_hours="24")
    assert "whsec_" in rotated
    assert "key of this webhook’s secret" not in text(rotated)


def test_a_replay_shows_the_number_of_changes_first(
    acme: Enterprise, admin: Console, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"{of(acme)}/webhooks/{hook(cli)}/replay"
    start = clock.now()
    for minutes in (1, 2, 3):
        monkeypatch.setattr(clock, "now", lambda minutes=minutes: start + timedelta(minutes=minutes))
        acme.create(email=f"{minutes}@x.example")
    since = clock.timestamp(start + timedelta(minutes=2.5))

    chosen = admin.send("GET", path, query_string={"since": since}).text

    assert "1 change since" in text(chosen)
    assert "2 earlier changes waiting now will not be sent." in text(chosen)
    assert cli("webhook", "list", "Acme")[0]["waiting"] == 3
    assert "1 change to send." in text(admin.follow(path, since=since))
    assert cli("webhook", "list", "Acme")[0]["waiting"] == 1
    assert "Waiting now: 1 change." in text(admin.get(path))


def test_a_deletion_says_what_is_lost(acme: Enterprise, admin: Console, cli: Cli) -> None:
    path = f"{of(acme)}/webhooks/{hook(cli, WITH_QUERY)}/delete"
    acme.create()

    asked = text(admin.get(path))
    deleted = text(admin.follow(path))

    assert "1 change waiting for it will not be sent." in asked
    assert "Webhook to https://localhost:9/scim?… deleted." in deleted
    assert cli("webhook", "list", "Acme") == []


def test_an_auditor_sees_webhooks_without_queries_and_changes_nothing(acme: Enterprise, cli: Cli) -> None:
    path = f"{of(acme)}/webhooks/{hook(cli, WITH_QUERY)}"
    auditor = Console(acme.app, make_admin(acme.app, "audit@acme.example", "Acme", is_auditor=True))

    page = auditor.get(path)

    assert "s3cret" not in page
    assert "Send test message" not in page
    for form in ("edit", "enable", "disable", "retry", "test", "rotate", "replay", "delete"):
        auditor.post(f"{path}/{form}", 403)
    auditor.get(f"{path}/edit", 403)


def test_webhooks_of_another_enterprise_are_not_found(app: Flask, acme: Enterprise, admin: Console, cli: Cli) -> None:
    cli("enterprise", "create", "Rival")
    theirs = cli("webhook", "create", "Rival", HOOK)["id"]

    admin.get(f"{of(acme)}/webhooks/{theirs}", 404)
    for form in ("enable", "disable", "retry", "test", "rotate", "replay", "delete"):
        admin.post(f"{of(acme)}/webhooks/{theirs}/{form}", 404)
    assert cli("webhook", "list", "Rival")[0]["enabled"] is True
