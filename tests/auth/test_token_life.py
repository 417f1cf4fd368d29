"""Tokens do not exceed what issued them, have names and creators, and are replaced (contract sections 2 and 4)."""

import getpass
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from scimsvc import clock
from scimsvc.settings.keys import key_id
from tests.support.apps import SECRET_KEY, run_command
from tests.support.client import Api, Enterprise, assert_problem
from tests.support.commands import misuse, refusal
from tests.support.console import Console, make_admin
from tests.support.types import Cli, MakeApp

HOUR, DAY = 3600, 86400
OTHER_KEY = "another key that is of no use elsewhere either 0123456789"


def api_of(acme: Enterprise, *options: str) -> Api:
    """Return the API with a token of an integration that is limited to ``api``."""
    limited = run_command(acme.app, "integration", "create", "Acme", "Limited", "--scope", "api")
    words = ("token", "issue", "Acme", "--api", "--integration", limited["client_id"], *options)
    return Api(acme, run_command(acme.app, *words)["access_token"])


def shown(cli: Cli, issued: dict[str, Any]) -> dict[str, Any]:
    return next(each for each in cli("token", "list", "Acme") if each["id"] == issued["id"])


# Nothing exceeds what issues it.


@pytest.mark.parametrize("scope", ["scim", "api", "api.users", "api.read"])
def test_a_token_issues_none_that_outlives_it(acme: Enterprise, cli: Cli, scope: str) -> None:
    api = api_of(acme)
    (own,) = [each for each in cli("token", "list", "Acme") if each["scope"] == "api"]

    refused = api.send("POST", "/tokens", {"scope": scope, "days": 1})
    issued = api.send("POST", "/tokens", {"scope": scope}).get_json()

    assert_problem(refused, 403, "outlives", own["expires_at"], "scimsvc token issue")
    assert issued["expires_at"] <= own["expires_at"]
    assert issued["expires_in"] <= 6 * HOUR


def test_a_token_of_a_week_issues_one_of_a_day(acme: Enterprise) -> None:
    api = api_of(acme, "--days", "7")

    answer = api.send("POST", "/tokens", {"scope": "scim", "days": 1})

    assert (answer.status_code, answer.get_json()["expires_in"]) == (201, DAY)


def test_a_limited_integration_neither_creates_nor_rotates_one_without_a_limit(acme: Enterprise, cli: Cli) -> None:
    unlimited = cli("integration", "create", "Acme", "Unlimited")
    api = api_of(acme)

    assert_problem(api.send("POST", "/integrations", {"name": "New", "scope": None}), 403, "limited to the scope api")
    assert_problem(api.send("POST", f"/integrations/{unlimited['id']}/rotate"), 403, "limited to the scope api")
    assert api.send("POST", "/integrations", {"name": "New"}).get_json()["scope"] == "api"
    assert api.send("POST", "/integrations", {"name": "Entra", "scope": "scim"}).get_json()["scope"] == "scim"


def test_an_unlimited_integration_creates_what_it_may_have_itself(acme: Enterprise, api: Api) -> None:
    assert api.send("POST", "/integrations", {"name": "New"}).get_json()["scope"] is None
    (entra, *_) = api.get("/integrations")["items"]
    assert api.send("POST", f"/integrations/{entra['id']}/rotate").status_code == 200


def test_the_api_narrows_the_scope_of_an_integration(acme: Enterprise, api: Api) -> None:
    path = f"/integrations/{api.send('POST', '/integrations', {'name': 'New'}).get_json()['id']}"

    assert api.send("PATCH", path, {"scope": "api"}).get_json()["scope"] == "api"
    assert_problem(api.send("PATCH", path, {"scope": None}), 409, "can only be narrowed")
    assert_problem(api.send("PATCH", path, {"scope": "scim"}), 409, "can only be narrowed")
    assert api.send("PATCH", path, {"scope": "api", "name": "Named"}).get_json()["name"] == "Named"


def test_the_maximum_bounds_every_new_token_and_ends_no_existing_one(acme: Enterprise, cli: Cli, api: Api) -> None:
    old = cli("token", "issue", "Acme", "--days", "30")
    form = {"grant_type": "client_credentials", "client_id": acme.made["client_id"]}
    form["client_secret"] = acme.made["client_secret"]

    cli("settings", "set", "token_max_days", "3")
    fetched = acme.app.test_client().post("/api/authenticate", data=form, headers={"X-SCIM": "true"}).get_json()

    assert fetched["expires_in"] == 3 * DAY
    assert cli("token", "issue", "Acme")["expires_in"] == 3 * DAY
    assert cli("token", "issue", "Acme", "--days", "3")["expires_in"] == 3 * DAY
    assert "at most 3" in refusal(acme.app, "token", "issue", "Acme", "--days", "4")
    assert_problem(api.send("POST", "/tokens", {"days": 4}), 400, "token_max_days", fields={"days"})
    assert cli("token", "rotate", old["id"], "--overlap", "1")["expires_in"] == 3 * DAY
    assert acme.send("GET", "/Users", token=old["access_token"]).status_code == 200


def test_an_owner_is_created_if_no_integration_may_have_the_scope(acme: Enterprise, cli: Cli) -> None:
    for scope in ("api.users", "api", "api.read", "api.users"):
        cli("token", "issue", "Acme", "--scope", scope)

    assert [(each["name"], each["scope"]) for each in cli("integration", "list", "Acme")] == [
        ("Microsoft Entra ID", "scim"),
        ("Host application", "api.users"),
        ("Enterprise API", None),
    ]
    named = ("token", "issue", "Acme", "--api", "--integration", acme.made["client_id"])
    assert "limited to the scope scim" in refusal(acme.app, *named)


# Names and creators.


def test_a_token_shows_its_name_its_creator_and_its_key(acme: Enterprise, cli: Cli, api: Api) -> None:
    console = Console(acme.app, make_admin(acme.app, "op@x.example"))
    client = cli("integration", "create", "Acme", "Fetcher")
    form = {name: client[name] for name in ("client_id", "client_secret")} | {"grant_type": "client_credentials"}
    by_command = cli("token", "issue", "Acme", "--name", "Entra, production")
    by_api = api.send("POST", "/tokens", {"name": "Of the application"}).get_json()
    console.post(f"/console/enterprises/{acme.made['id']}/tokens/new", scope="scim", name="Of the console")
    acme.app.test_client().post("/api/authenticate", data=form)

    listed = {each["name"]: each for each in cli("token", "list", "Acme") if each["created_by"]}
    fetched = [each for each in cli("token", "list", "Acme") if each["created_by"] == "api Fetcher"]

    assert (by_command["name"], by_api["name"]) == ("Entra, production", "Of the application")
    assert listed["Entra, production"]["created_by"] == f"command {getpass.getuser()}"
    assert listed["Of the application"]["created_by"] == "api Enterprise API"
    assert listed["Of the console"]["created_by"] == "console op@x.example"
    assert len(fetched) == 1
    assert {each["key_id"] for each in listed.values()} == {key_id(SECRET_KEY)}
    page = console.get(f"/console/enterprises/{acme.made['id']}/integrations")
    assert "Of the console" in page
    assert "op@x.example" in page


def test_an_invalid_name_is_refused(acme: Enterprise, api: Api) -> None:
    assert "name: Enter a value." in refusal(acme.app, "token", "issue", "Acme", "--name", " ")
    assert_problem(api.send("POST", "/tokens", {"name": "a\nb"}), 400, fields={"name"})


# Rotation.


@pytest.mark.parametrize("by", ["id", "access_token"])
def test_a_rotated_token_is_replaced_by_an_equal_one_at_once(acme: Enterprise, cli: Cli, by: str) -> None:
    old = cli("token", "issue", "Acme", "--days", "30", "--name", "Entra")
    assert acme.send("GET", "/Users", token=old["access_token"]).status_code == 200

    new = cli("token", "rotate", "Acme", old[by])

    assert set(new) == {"access_token", "expires_in", "expires_at", "scope", "id", "name"}
    assert (new["name"], new["scope"], new["expires_in"]) == ("Entra", "scim", 30 * DAY)
    assert shown(cli, new)["client_id"] == shown(cli, old)["client_id"]
    assert acme.send("GET", "/Users", token=old["access_token"]).status_code == 401
    assert acme.send("GET", "/Users", token=new["access_token"]).status_code == 200
    assert "revoked or has expired" in refusal(acme.app, "token", "rotate", "Acme", old["id"])


def test_the_old_token_is_valid_until_the_end_of_the_overlap(
    acme: Enterprise, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = clock.now()
    monkeypatch.setattr(clock, "now", lambda: start)
    old = cli("token", "issue", "Acme", "--days", "30")
    new = cli("token", "rotate", old["id"], "--overlap", "24", "--days", "2")

    def statuses() -> list[int]:
        return [acme.send("GET", "/Users", token=each["access_token"]).status_code for each in (old, new)]

    assert new["expires_in"] == 2 * DAY
    assert shown(cli, old)["days_left"] == 1
    assert statuses() == [200, 200]
    monkeypatch.setattr(clock, "now", lambda: start + timedelta(hours=24, seconds=-1))
    assert statuses() == [200, 200]
    monkeypatch.setattr(clock, "now", lambda: start + timedelta(hours=24))
    assert statuses() == [401, 200]
    refused = acme.send("GET", "/Users", token=old["access_token"]).get_json()
    assert f"expired at {start + timedelta(hours=24):%Y-%m-%dT%H:%M:%SZ}" in refused["detail"]


def test_an_overlap_never_lengthens_a_token(acme: Enterprise, cli: Cli) -> None:
    old = cli("token", "issue", "Acme", "--days", "1")

    cli("token", "rotate", old["id"], "--overlap", "500")

    assert shown(cli, old)["expires_at"] == old["expires_at"]


def test_a_rotation_of_another_enterprise_or_with_an_invalid_overlap_is_refused(acme: Enterprise, cli: Cli) -> None:
    cli("enterprise", "create", "Other", "--enable-scim")
    old = cli("token", "issue", "Acme")

    assert "token list" in refusal(acme.app, "token", "rotate", "Other", old["id"])
    assert "--overlap" in misuse(acme.app, "token", "rotate", old["id"], "--overlap", "nan")
    assert acme.send("GET", "/Users", token=old["access_token"]).status_code == 200


def test_a_token_that_could_not_be_issued_is_not_rotated(acme: Enterprise, cli: Cli) -> None:
    client = cli("integration", "create", "Acme", "Ended")
    ended = cli("token", "issue", "Acme", "--integration", client["client_id"])
    cli("integration", "revoke", "Acme", client["client_id"])
    old = cli("token", "issue", "Acme")
    cli("enterprise", "update", "Acme", "--no-enable-scim")

    assert "revoked or has expired" in refusal(acme.app, "token", "rotate", ended["id"])
    assert "SCIM provisioning is disabled" in refusal(acme.app, "token", "rotate", old["id"])
    assert shown(cli, old)["revoked_at"] is None


# Keys.


def test_a_token_of_a_key_that_is_not_configured_is_listed_as_such(
    acme: Enterprise, cli: Cli, make_app: MakeApp
) -> None:
    elsewhere = make_app(SECRET_KEY=OTHER_KEY)
    other = run_command(elsewhere, "token", "issue", "Acme")

    listed = {each["id"]: (each["key_id"], each["verifiable"]) for each in cli("token", "list", "Acme")}
    answer = acme.send("GET", "/Users", token=other["access_token"])

    as_text = acme.app.test_cli_runner().invoke(args=["token", "list", "Acme"]).stdout
    assert key_id(OTHER_KEY) in as_text
    assert listed.pop(other["id"]) == (key_id(OTHER_KEY), False)
    assert set(listed.values()) == {(key_id(SECRET_KEY), True)}
    assert answer.status_code == 401
    assert f"does not have the key {key_id(OTHER_KEY)}" in answer.get_json()["detail"]


def serve(app: Flask, token: str) -> None:
    """Let ``app`` answer a request as a server, and write the last use."""
    app.test_client().get("/api/scim/v2/Users", headers={"Authorization": f"Bearer {token}"}).close()


def test_a_command_that_signs_with_another_key_than_the_server_warns(acme: Enterprise, make_app: MakeApp) -> None:
    elsewhere = make_app(SECRET_KEY=OTHER_KEY)
    before = elsewhere.test_cli_runner().invoke(args=["token", "issue", "Acme"])
    serve(acme.app, acme.token)

    after = elsewhere.test_cli_runner().invoke(args=["token", "issue", "Acme"])
    same = acme.app.test_cli_runner().invoke(args=["token", "issue", "Acme"])
    rotating = (
        make_app(SECRET_KEY=f"{SECRET_KEY},{OTHER_KEY}").test_cli_runner().invoke(args=["token", "issue", "Acme"])
    )

    assert (before.stderr, same.stderr, rotating.stderr) == ("", "", "")
    assert after.exit_code == 0
    assert after.stderr.startswith("Warning: The server does not accept this token.")
    assert key_id(OTHER_KEY) in after.stderr
    assert key_id(SECRET_KEY) in after.stderr
    assert "SCIMSVC_SECRET_KEY" in after.stderr


def test_a_server_with_no_key_of_the_database_warns_once(
    acme: Enterprise, make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    def warnings(app: Flask) -> list[str]:
        token = run_command(app, "token", "issue", "Acme")["access_token"]
        caplog.clear()
        serve(app, token)
        serve(app, token)
        return [each.message for each in caplog.records if "fits the database" in each.message]

    assert warnings(acme.app) == []
    assert warnings(make_app(SECRET_KEY=f"{OTHER_KEY},{SECRET_KEY}")) == []
    assert len(warnings(make_app(SECRET_KEY="a third key that is of no use elsewhere 0123456789"))) == 1
