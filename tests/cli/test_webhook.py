"""The command of webhooks shows states in words, and options of a replay and of types."""

import pytest

from scimsvc.settings.keys import new_secret_key
from scimsvc.store.engine.transactions import reading, writing
from scimsvc.store.webhooks import list_webhooks, update_webhook
from tests.support.client import Enterprise
from tests.support.commands import refusal, text_of
from tests.support.types import Cli, MakeApp

pytestmark = pytest.mark.both_databases

HOOK = "https://hooks.example.com/scim"
ON_ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@ON_ONE_DATABASE
def test_the_list_shows_the_state_of_a_webhook(acme: Enterprise, cli: Cli, make_app: MakeApp) -> None:
    cli("webhook", "create", "Acme", HOOK, "--type", "user.*", "--disabled")
    disabled = text_of(acme.app, "webhook", "list", "Acme")
    cli("webhook", "update", "Acme", HOOK, "--enable", "--payload", "full")
    enabled = text_of(acme.app, "webhook", "list", "Acme")
    with acme.app.app_context():
        with reading() as connection:
            row = list_webhooks(connection, acme.made["id"])[0]
        with writing() as connection:
            update_webhook(connection, row, {"failing_since": "2026-11-24T10:00:00.000Z"})
        failing = text_of(acme.app, "webhook", "list", "Acme")
        with writing() as connection:
            update_webhook(connection, row, {"enabled": False, "disabled_reason": "gone"})
    gone = text_of(acme.app, "webhook", "list", "Acme")
    cli("webhook", "update", "Acme", HOOK, "--enable")
    keyless = text_of(make_app(SECRET_KEY=new_secret_key()), "webhook", "list", "Acme")

    assert "disabled " in disabled
    assert "delivering" in enabled
    assert "failing since 2026-11-24" in failing
    assert "disabled (gone)" in gone
    assert "rotate the secret" in keyless


@ON_ONE_DATABASE
def test_a_replay_takes_one_position_and_a_url_names_one_webhook(acme: Enterprise, cli: Cli) -> None:
    acme.create()
    made = [cli("webhook", "create", "Acme", HOOK)["id"]]
    cursor = cli("changes", "Acme")["next"]

    assert cli("webhook", "replay", "Acme", HOOK, "--since", "1h")["waiting"] == 1
    assert cli("webhook", "replay", "Acme", HOOK, "--cursor", cursor)["waiting"] == 0
    assert "either a cursor or a time" in refusal(acme.app, "webhook", "replay", "Acme", HOOK)
    made.append(cli("webhook", "create", "Acme", HOOK)["id"])
    assert "several webhooks" in refusal(acme.app, "webhook", "delete", "Acme", HOOK)
    assert [cli("webhook", "delete", "Acme", each)["id"] for each in made] == made
    assert "does not exist in Acme" in refusal(acme.app, "webhook", "test", "Acme", HOOK)
