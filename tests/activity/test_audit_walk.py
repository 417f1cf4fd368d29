"""Every route and every command that writes outside SCIM leaves an entry in the audit log, and no other does.

The tables name each route and command. A new one fails until it is added.
"""

import base64
import io
import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
from flask import Flask
from werkzeug.security import generate_password_hash

from scimsvc.cli.command_group import scimsvc as commands
from scimsvc.enterprises import passwords
from scimsvc.enterprises.admins import Admin
from scimsvc.enterprises.sessions import list_sessions
from scimsvc.store.admins import find_admin_by_email, update_admin_link, update_admin_password
from scimsvc.store.engine.transactions import writing
from scimsvc.store.settings import DEFAULTS
from scimsvc.vocabulary import Action
from tests.support.apps import run_command
from tests.support.client import Api, Enterprise, user_body
from tests.support.commands import walk
from tests.support.console import PASSWORD, Console, make_admin, sign_in
from tests.support.custom import URN
from tests.support.groups import store_group
from tests.support.live import SCIMSVC, environment, serving
from tests.support.pages import path_of
from tests.support.records import audit_of
from tests.support.second_factors import set_up, set_up_form
from tests.support.types import Cli

#: A URL that is refused when it is used, because it is not a public address.
HOOK = "https://localhost:9/hook"
CONSOLE, OF_ENTERPRISE = "/console", "/console/enterprises/<enterprise_id>"


@dataclass
class World:
    """An enterprise with one object of each kind, and clients of its API and of the console."""

    acme: Enterprise
    api: Api
    console: Console
    ids: dict[str, str] = field(default_factory=dict)
    client: dict[str, str] = field(default_factory=dict)
    token: str = ""

    def run(self, *words: str) -> Any:
        return run_command(self.acme.app, *words)


@pytest.fixture
def world(acme: Enterprise, api: Api) -> World:
    account = operator_with_password(acme.app, "op@x.example")
    Console(acme.app, account)
    with acme.app.app_context():
        [other_session] = list_sessions(account.id)
    world = World(acme, api, Console(acme.app, account))
    world.run("role", "add", "Acme", "Unused")
    integration = world.run("integration", "create", "Acme", "Host application")
    webhook = world.run("webhook", "create", "Acme", HOOK)
    token = world.run("token", "issue", "Acme", "--api", "--integration", integration["client_id"])
    user = world.run("user", "create", "Acme", "ada@x.example")
    other = world.run("user", "create", "Acme", "bea@x.example")
    group = store_group(acme, "Staff", [user["id"]])
    world.token = token["access_token"]
    world.client = {name: integration[name] for name in ("client_id", "client_secret")}
    roles = {role["name"]: role["id"] for role in world.run("role", "list", "Acme")}
    world.ids = {
        "enterprise_id": acme.made["id"],
        "role_id": roles["Unused"],
        "attribute_id": world.run("attribute", "add", "Acme", f"{URN}:tag")["id"],
        "integration_id": integration["id"],
        "token_id": token["id"],
        "webhook_id": webhook["id"],
        "user_id": user["id"],
        "group_id": group.id,
        "other_id": other["id"],
        "session_id": other_session["id"],
        "account_id": world.run("admin", "create", "b@acme.example", "--enterprise", "Acme")["id"],
        "admin_id": world.run("admin", "create", "other@x.example", "--operator")["id"],
    }
    return world


Send = Callable[[World, str], Any]


def by_api(method: str, body: Any = None) -> Send:
    return lambda world, path: world.api.send(method, path.removeprefix("/api/v1"), body)


def form(**fields: Any) -> Send:
    return lambda world, path: world.console.send("POST", path, data={"csrf_token": _token(world), **_dotted(fields)})


def _dotted(fields: dict[str, Any]) -> dict[str, Any]:
    return {name.replace("__", "."): value for name, value in fields.items()}


def _token(world: World) -> str:
    world.console.get("/console/account")
    return world.console._token


def by_client(*, with_token: bool = False, **fields: str) -> Send:
    def send(world: World, path: str) -> Any:
        token = {"token": world.token} if with_token else {}
        return world.acme.app.test_client().post(path, data=fields | world.client | token)

    return send


def by_new_account(world: World, path: str) -> Any:
    """Set a password with a one-time link."""
    link = world.run("admin", "create", "new@x.example", "--enterprise", "Acme")["link"].rpartition("/")[2]
    stranger = Console(world.acme.app)
    stranger.get(f"/console/password/{link}")
    return stranger.post(f"/console/password/{link}", password=PASSWORD, repeated=PASSWORD)


def operator_with_password(app: Flask, email: str) -> Admin:
    """Create an operator with a password."""
    admin = make_admin(app, email)
    with app.app_context(), writing() as connection:
        row = find_admin_by_email(connection, email)
        assert row is not None
        linked = update_admin_link(connection, row.id, digest=email, expires_at="9999")
        update_admin_password(connection, linked, _password_hash())
    return replace(admin, epoch=2)


@cache
def _password_hash() -> str:
    return generate_password_hash(PASSWORD, passwords.METHOD)


def by_changing_the_password(world: World, path: str) -> Any:
    browser = Console(world.acme.app)
    sign_in(browser, "op@x.example")
    browser.get("/console/account")
    return browser.post(path, current=PASSWORD, password=PASSWORD[::-1], repeated=PASSWORD[::-1])


def by_signing_in(world: World, path: str) -> Any:
    by_new_account(world, path)
    return sign_in(Console(world.acme.app), "new@x.example")


def by_code(world: World, path: str) -> Any:
    """Sign in with a recovery code after the password."""
    _, codes = set_up(owner(world))
    console = Console(world.acme.app)
    console.get(sign_in(console, "new@x.example").headers["Location"])
    return console.post(path, code=codes[0])


def owner(world: World, email: str = "new@x.example") -> Console:
    """Return the browser of an account that sets a password. The account may be new."""
    exists = email in {each["email"] for each in world.run("admin", "list")}
    made = world.run("admin", "link", email) if exists else world.run("admin", "create", email, "--enterprise", "Acme")
    link = made["link"].rpartition("/")[2]
    console = Console(world.acme.app)
    console.get(f"/console/password/{link}")
    console.post(f"/console/password/{link}", password=PASSWORD, repeated=PASSWORD)
    return console


def with_second_factor(world: World, path: str) -> Any:
    """Send a form of an account that has a second factor."""
    set_up(world.console)
    return form()(world, path)


def after_second_factor_of(email: str) -> Send:
    """Send a form after the account with this address has set up a second factor."""

    def send(world: World, path: str) -> Any:
        set_up(owner(world, email))
        return form()(world, path)

    return send


def by_setting_up(world: World, path: str) -> Any:
    page = world.console.get(path)
    return world.console.send("POST", path, data=set_up_form(world.console, page))


def download(world: World, path: str) -> Any:
    return world.console.send("GET", path)


def limited(send: Send) -> Send:
    """Send a request after the enterprise has got a removal limit."""

    def send_later(world: World, path: str) -> Any:
        world.run("enterprise", "update", "Acme", "--removal-limit", "5")
        return send(world, path)

    return send_later


def after_refusal(send: Send) -> Send:
    """Send a request after a user with an unknown role was refused."""

    def send_later(world: World, path: str) -> Any:
        assert world.acme.send("POST", "/Users", user_body(roles=["Signer"])).status_code == 400
        return send(world, path)

    return send_later


def after(*words: str) -> Callable[[Send], Send]:
    return lambda send: lambda world, path: (world.run(*words), send(world, path))[1]


A = Action
#: The routes that write, how to send a valid request, and the last action that it leaves in the audit log.
WRITING: dict[tuple[str, str], tuple[Send, Action]] = {
    ("POST", "/api/authenticate"): (by_client(grant_type="client_credentials"), A.TOKEN_ISSUED),
    ("POST", "/api/revoke"): (by_client(with_token=True), A.TOKEN_REVOKED),
    ("PATCH", "/api/v1/enterprise"): (by_api("PATCH", {"unique_user_name": True}), A.ENTERPRISE_UPDATED),
    ("POST", "/api/v1/roles"): (by_api("POST", {"name": "Other"}), A.ROLE_CREATED),
    ("PATCH", "/api/v1/roles/<role_id>"): (by_api("PATCH", {"name": "Other"}), A.ROLE_UPDATED),
    ("DELETE", "/api/v1/roles/<role_id>"): (by_api("DELETE"), A.ROLE_DELETED),
    ("POST", "/api/v1/attributes"): (by_api("POST", {"name": f"{URN}:level"}), A.ATTRIBUTE_CREATED),
    ("DELETE", "/api/v1/attributes/<attribute_id>"): (by_api("DELETE"), A.ATTRIBUTE_REMOVED),
    ("POST", "/api/v1/integrations"): (by_api("POST", {"name": "Other"}), A.INTEGRATION_CREATED),
    ("PATCH", "/api/v1/integrations/<integration_id>"): (by_api("PATCH", {"name": "Other"}), A.INTEGRATION_UPDATED),
    ("DELETE", "/api/v1/integrations/<integration_id>"): (by_api("DELETE"), A.INTEGRATION_REVOKED),
    ("POST", "/api/v1/integrations/<integration_id>/rotate"): (by_api("POST", {}), A.INTEGRATION_ROTATED),
    ("POST", "/api/v1/tokens"): (by_api("POST", {"scope": "scim"}), A.TOKEN_ISSUED),
    ("DELETE", "/api/v1/tokens/<token_id>"): (by_api("DELETE"), A.TOKEN_REVOKED),
    ("POST", "/api/v1/webhooks"): (by_api("POST", {"url": HOOK}), A.WEBHOOK_CREATED),
    ("PATCH", "/api/v1/webhooks/<webhook_id>"): (by_api("PATCH", {"payload": "full"}), A.WEBHOOK_UPDATED),
    ("DELETE", "/api/v1/webhooks/<webhook_id>"): (by_api("DELETE"), A.WEBHOOK_DELETED),
    ("POST", "/api/v1/webhooks/<webhook_id>/rotate"): (by_api("POST", {}), A.WEBHOOK_ROTATED),
    ("POST", "/api/v1/webhooks/<webhook_id>/test"): (by_api("POST"), A.WEBHOOK_TESTED),
    ("POST", "/api/v1/webhooks/<webhook_id>/replay"): (
        by_api("POST", {"since": "2026-01-01T00:00:00Z"}),
        A.WEBHOOK_REPLAYED,
    ),
    ("POST", "/api/v1/users"): (by_api("POST", {"email": "b@x.example", "user_name": "B"}), A.USER_CREATED),
    ("PATCH", "/api/v1/users/<user_id>"): (by_api("PATCH", {"phone": "1"}), A.USER_UPDATED),
    ("DELETE", "/api/v1/users/<user_id>"): (by_api("DELETE"), A.USER_DELETED),
    ("PATCH", "/api/v1/users/<user_id>/profile"): (by_api("PATCH", {"title": "Lead"}), A.USER_UPDATED),
    ("POST", f"{CONSOLE}/sign-in"): (by_signing_in, A.ADMIN_SIGNED_IN),
    ("POST", f"{CONSOLE}/password/<link>"): (by_new_account, A.ADMIN_PASSWORD_SET),
    ("POST", f"{CONSOLE}/account/sessions/<session_id>/end"): (form(), A.ADMIN_SESSIONS_ENDED),
    ("POST", f"{CONSOLE}/account/sessions/end-others"): (form(), A.ADMIN_SESSIONS_ENDED),
    ("POST", f"{CONSOLE}/sessions/<session_id>/end"): (form(), A.ADMIN_SESSIONS_ENDED),
    ("POST", f"{CONSOLE}/sign-in/code"): (by_code, A.ADMIN_SIGNED_IN),
    ("POST", f"{CONSOLE}/account/second-factor/set-up"): (by_setting_up, A.ADMIN_MFA_ENABLED),
    ("POST", f"{CONSOLE}/account/second-factor/recovery-codes"): (with_second_factor, A.ADMIN_RECOVERY_CODES_CREATED),
    ("POST", f"{CONSOLE}/account/second-factor/turn-off"): (with_second_factor, A.ADMIN_MFA_DISABLED),
    ("POST", f"{CONSOLE}/sign-out"): (form(), A.ADMIN_SIGNED_OUT),
    ("POST", f"{CONSOLE}/sign-out-everywhere"): (form(), A.ADMIN_SIGNED_OUT_EVERYWHERE),
    ("POST", f"{CONSOLE}/account/alerts"): (form(silent="on"), A.ADMIN_ALERTS_CHANGED),
    ("POST", f"{CONSOLE}/account/password"): (by_changing_the_password, A.ADMIN_PASSWORD_CHANGED),
    ("POST", f"{CONSOLE}/accounts/invite"): (form(email="new@x.example", role="auditor"), A.ADMIN_LINK_CREATED),
    ("POST", f"{CONSOLE}/accounts/<admin_id>/role"): (form(role="auditor"), A.ADMIN_ROLE_CHANGED),
    ("POST", f"{CONSOLE}/accounts/<admin_id>/reset"): (form(end_now="on"), A.ADMIN_LINK_CREATED),
    ("POST", f"{CONSOLE}/accounts/<admin_id>/reset-second-factor"): (
        after_second_factor_of("other@x.example"),
        A.ADMIN_MFA_RESET,
    ),
    ("POST", f"{CONSOLE}/accounts/<admin_id>/remove"): (form(), A.ADMIN_REMOVED),
    ("POST", f"{OF_ENTERPRISE}/administrators/invite"): (
        form(email="new@x.example", role="administrator"),
        A.ADMIN_LINK_CREATED,
    ),
    ("POST", f"{OF_ENTERPRISE}/administrators/<account_id>/role"): (form(role="auditor"), A.ADMIN_ROLE_CHANGED),
    ("POST", f"{OF_ENTERPRISE}/administrators/<account_id>/reset"): (form(), A.ADMIN_LINK_CREATED),
    ("POST", f"{OF_ENTERPRISE}/administrators/<account_id>/reset-second-factor"): (
        after_second_factor_of("b@acme.example"),
        A.ADMIN_MFA_RESET,
    ),
    ("POST", f"{OF_ENTERPRISE}/administrators/<account_id>/remove"): (form(), A.ADMIN_REMOVED),
    ("POST", f"{CONSOLE}/enterprises/new"): (form(name="Contoso"), A.INTEGRATION_CREATED),
    ("POST", f"{OF_ENTERPRISE}/delete"): (form(typed_name="Acme"), A.ENTERPRISE_DELETED),
    ("POST", f"{OF_ENTERPRISE}/suspend"): (form(reason="Unpaid"), A.ENTERPRISE_SUSPENDED),
    ("POST", f"{OF_ENTERPRISE}/reactivate"): (
        after("enterprise", "suspend", "Acme")(form()),
        A.ENTERPRISE_REACTIVATED,
    ),
    ("POST", f"{OF_ENTERPRISE}/set-up/enable"): (
        after("enterprise", "update", "Acme", "--no-enable-scim")(form()),
        A.ENTERPRISE_UPDATED,
    ),
    ("POST", f"{OF_ENTERPRISE}/attributes/new"): (form(name=f"{URN}:level", type="integer"), A.ATTRIBUTE_CREATED),
    ("POST", f"{OF_ENTERPRISE}/attributes/<attribute_id>/remove"): (form(), A.ATTRIBUTE_REMOVED),
    ("POST", f"{OF_ENTERPRISE}/set-up/step"): (form(step="mapping", done="on"), A.ENTERPRISE_UPDATED),
    ("POST", f"{OF_ENTERPRISE}/set-up"): (form(days="7"), A.TOKEN_ISSUED),
    ("POST", f"{OF_ENTERPRISE}/set-up/secret"): (form(overlap_hours="24"), A.INTEGRATION_ROTATED),
    ("POST", f"{OF_ENTERPRISE}/users/new"): (form(email="b@x.example", active="on"), A.USER_CREATED),
    ("POST", f"{OF_ENTERPRISE}/users/import/apply"): (
        form(content=base64.b64encode(b"email\nc@x.example\n").decode()),
        A.USERS_IMPORTED,
    ),
    ("GET", f"{OF_ENTERPRISE}/users.csv"): (download, A.USERS_EXPORTED),
    ("POST", f"{OF_ENTERPRISE}/users/compare"): (
        lambda world, path: world.console.post(path, 200, file=(io.BytesIO(b"email\nc@x.example\n"), "users.csv")),
        A.USERS_COMPARED,
    ),
    ("POST", f"{OF_ENTERPRISE}/users/<user_id>/edit"): (form(email="a@x.example", active="on"), A.USER_UPDATED),
    ("POST", f"{OF_ENTERPRISE}/users/<user_id>/delete"): (form(), A.USER_DELETED),
    ("POST", f"{OF_ENTERPRISE}/users/<user_id>/swap/<other_id>"): (form(), A.USER_UPDATED),
    ("POST", f"{OF_ENTERPRISE}/roles/new"): (form(name="Other"), A.ROLE_CREATED),
    ("POST", f"{OF_ENTERPRISE}/roles/<role_id>"): (form(name="Other"), A.ROLE_UPDATED),
    ("POST", f"{OF_ENTERPRISE}/roles/aliases"): (form(alias="Signer", role="User"), A.ROLE_UPDATED),
    ("POST", f"{OF_ENTERPRISE}/roles/<role_id>/move"): (form(position="1"), A.ROLE_UPDATED),
    ("POST", f"{OF_ENTERPRISE}/roles/<role_id>/remove"): (form(), A.ROLE_DELETED),
    ("POST", f"{OF_ENTERPRISE}/integrations/new"): (form(name="Other"), A.INTEGRATION_CREATED),
    ("POST", f"{OF_ENTERPRISE}/integrations/<integration_id>/rename"): (form(name="Other"), A.INTEGRATION_UPDATED),
    ("POST", f"{OF_ENTERPRISE}/integrations/<integration_id>/limit"): (form(scope="api"), A.INTEGRATION_UPDATED),
    ("POST", f"{OF_ENTERPRISE}/integrations/<integration_id>/rotate"): (form(), A.INTEGRATION_ROTATED),
    ("POST", f"{OF_ENTERPRISE}/integrations/<integration_id>/old-secrets"): (form(), A.INTEGRATION_ROTATED),
    ("POST", f"{OF_ENTERPRISE}/integrations/<integration_id>/revoke"): (form(), A.INTEGRATION_REVOKED),
    ("POST", f"{OF_ENTERPRISE}/tokens/new"): (form(scope="scim"), A.TOKEN_ISSUED),
    ("POST", f"{OF_ENTERPRISE}/tokens/<token_id>/rotate"): (form(overlap_hours="24"), A.TOKEN_ROTATED),
    ("POST", f"{OF_ENTERPRISE}/tokens/<token_id>/revoke"): (form(), A.TOKEN_REVOKED),
    ("POST", f"{OF_ENTERPRISE}/webhooks/new"): (
        form(url=HOOK, payload="thin", **{"type:user.*": "on"}),
        A.WEBHOOK_CREATED,
    ),
    ("POST", f"{OF_ENTERPRISE}/webhooks/<webhook_id>/edit"): (
        form(url=HOOK, payload="full", **{"type:user.*": "on"}),
        A.WEBHOOK_UPDATED,
    ),
    ("POST", f"{OF_ENTERPRISE}/webhooks/<webhook_id>/enable"): (
        after("webhook", "update", "Acme", HOOK, "--disable")(form()),
        A.WEBHOOK_UPDATED,
    ),
    ("POST", f"{OF_ENTERPRISE}/webhooks/<webhook_id>/disable"): (form(), A.WEBHOOK_UPDATED),
    ("POST", f"{OF_ENTERPRISE}/webhooks/<webhook_id>/retry"): (form(), A.WEBHOOK_REPLAYED),
    ("POST", f"{OF_ENTERPRISE}/webhooks/<webhook_id>/test"): (form(), A.WEBHOOK_TESTED),
    ("POST", f"{OF_ENTERPRISE}/webhooks/<webhook_id>/rotate"): (form(overlap_hours="24"), A.WEBHOOK_ROTATED),
    ("POST", f"{OF_ENTERPRISE}/webhooks/<webhook_id>/replay"): (form(since="2026-01-01T00:00:00Z"), A.WEBHOOK_REPLAYED),
    ("POST", f"{OF_ENTERPRISE}/webhooks/<webhook_id>/delete"): (form(), A.WEBHOOK_DELETED),
    ("POST", f"{OF_ENTERPRISE}/settings/rules"): (
        form(default_role="User", unique_user_name="on"),
        A.ENTERPRISE_UPDATED,
    ),
    ("POST", f"{OF_ENTERPRISE}/settings/alerts"): (form(alert_refusals="5"), A.ENTERPRISE_UPDATED),
    ("POST", f"{OF_ENTERPRISE}/settings/removal-limit"): (form(removal_limit__users="5"), A.ENTERPRISE_UPDATED),
    ("POST", f"{OF_ENTERPRISE}/settings/no-removal-limit"): (limited(form()), A.ENTERPRISE_UPDATED),
    ("POST", f"{OF_ENTERPRISE}/settings/release"): (limited(form()), A.ENTERPRISE_RELEASED),
    ("POST", f"{OF_ENTERPRISE}/settings/pause"): (form(), A.ENTERPRISE_PAUSED),
    ("POST", f"{OF_ENTERPRISE}/settings/name"): (form(name="Renamed"), A.ENTERPRISE_UPDATED),
    ("POST", f"{CONSOLE}/settings"): (form(**dict.fromkeys(DEFAULTS, "30")), A.SETTING_UPDATED),
    ("POST", f"{OF_ENTERPRISE}/settings/resume"): (after("enterprise", "pause", "Acme")(form()), A.ENTERPRISE_RESUMED),
    ("POST", f"{OF_ENTERPRISE}/settings/enable"): (
        after("enterprise", "update", "Acme", "--no-enable-scim")(form()),
        A.ENTERPRISE_UPDATED,
    ),
    ("POST", f"{OF_ENTERPRISE}/settings/disable"): (form(), A.ENTERPRISE_UPDATED),
    ("POST", f"{OF_ENTERPRISE}/errors/dismiss"): (
        after_refusal(form(cause="unknown-role||signer|False")),
        A.LOG_ERRORS_DISMISSED,
    ),
    ("GET", f"{OF_ENTERPRISE}/log.csv"): (download, A.LOG_EXPORTED),
    ("GET", f"{OF_ENTERPRISE}/audit-log.csv"): (download, A.AUDIT_EXPORTED),
    ("GET", f"{CONSOLE}/audit-log.csv"): (download, A.AUDIT_EXPORTED),
}
#: The routes that only read, although their method is not GET.
READING: dict[tuple[str, str], Send] = {
    ("POST", "/api/v1/explain"): by_api("POST", {"method": "GET", "path": "/Users"}),
    ("POST", "/api/v1/roles/<role_id>/preview"): by_api("POST", {"aliases": ["Other"]}),
    ("POST", f"{OF_ENTERPRISE}/explain"): form(method="GET", path="/Users"),
    ("POST", f"{OF_ENTERPRISE}/explain/test"): form(change="create", email="a@x.example"),
    ("POST", f"{OF_ENTERPRISE}/users/import"): lambda world, path: world.console.post(
        path, 200, file=(io.BytesIO(b"email\nc@x.example\n"), "users.csv")
    ),
    ("POST", f"{CONSOLE}/account/theme"): form(theme="dark"),
}
#: The routes of single sign-on, which need a provider, and that of the self-test, which needs a server. Tests of their own have their
#: entries.
WITH_PROVIDER = {
    ("GET", f"{CONSOLE}/sign-in/callback"),
    ("POST", f"{CONSOLE}/password/<link>/single-sign-on"),
    ("POST", f"{CONSOLE}/account/single-sign-on"),
    ("POST", f"{CONSOLE}/account/single-sign-on/unlink"),
    ("POST", f"{CONSOLE}/self-test"),
}


def routes(app: Flask) -> set[tuple[str, str]]:
    """Return every method and rule of the app, except SCIM."""
    return {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if not rule.rule.startswith("/api/scim/")
    }


def new_entries(world: World, send: Callable[[], Any]) -> list[dict[str, Any]]:
    before = {entry["id"] for entry in audit_of(world.acme.app)}
    answer = send()
    answer.close()
    assert answer.status_code < 400, answer.text
    return [entry for entry in audit_of(world.acme.app) if entry["id"] not in before]


def test_every_route_that_may_write_is_in_a_table(app: Flask) -> None:
    assert {(method, rule) for method, rule in routes(app) if method != "GET"} == {
        (method, rule) for method, rule in [*WRITING, *READING, *WITH_PROVIDER] if method != "GET"
    }


@pytest.mark.parametrize("route", WRITING, ids=" ".join)
def test_a_route_that_writes_leaves_an_entry(world: World, route: tuple[str, str]) -> None:
    send, action = WRITING[route]
    path = path_of(type("Rule", (), {"rule": route[1]}), **world.ids)

    newest, *_ = new_entries(world, lambda: send(world, path))

    assert newest["action"] == action
    assert newest["actor"]["type"] == ("console" if route[1].startswith(CONSOLE) else "api")
    assert newest["actor"]["name"] in ("op@x.example", "new@x.example", "Enterprise API", "Host application")
    assert newest["actor"]["id"]
    assert newest["address"] == "127.0.0.1"
    assert newest["request_id"]
    assert newest["target"]["id"] or route[1] in (f"{CONSOLE}/audit-log.csv", f"{CONSOLE}/settings")
    assert not [value for value in secrets_of(newest) if value.startswith("scimsvc_") or value == PASSWORD]


def secrets_of(value: Any) -> list[str]:
    """Return all texts in ``value``."""
    if isinstance(value, dict):
        return [text for member in value.values() for text in secrets_of(member)]
    if isinstance(value, list):
        return [text for member in value for text in secrets_of(member)]
    return [str(value)]


def test_a_route_that_only_reads_leaves_no_entry(world: World) -> None:
    def path(rule: str) -> str:
        return path_of(type("Rule", (), {"rule": rule}), **world.ids)

    readers: dict[tuple[str, str], Send] = dict(READING)
    for method, rule in routes(world.acme.app):
        if method == "GET" and (method, rule) not in WRITING and "<link>" not in rule and "<path:" not in rule:
            is_api = rule.startswith("/api/v1")
            readers[method, rule] = by_api("GET") if is_api else download
    assert len(readers) > 50

    def read_all() -> Any:
        for (_, rule), send in readers.items():
            send(world, path(rule)).close()
        return world.api.send("GET", "/enterprise")

    assert new_entries(world, read_all) == []


#: The commands that write, valid arguments, and the last action that they leave.
COMMANDS: dict[tuple[str, ...], tuple[tuple[str, ...], Action]] = {
    ("admin", "create"): (("b@x.example", "--enterprise", "Acme"), A.ADMIN_LINK_CREATED),
    ("admin", "link"): (("op@x.example",), A.ADMIN_LINK_CREATED),
    ("admin", "reset-mfa"): (("op@x.example",), A.ADMIN_MFA_RESET),
    ("admin", "remove"): (("op@x.example",), A.ADMIN_REMOVED),
    ("attribute", "add"): (("Acme", f"{URN}:level", "--type", "integer"), A.ATTRIBUTE_CREATED),
    ("attribute", "remove"): (("Acme", f"{URN}:tag", "--yes"), A.ATTRIBUTE_REMOVED),
    ("enterprise", "create"): (("Contoso",), A.INTEGRATION_CREATED),
    ("enterprise", "update"): (("Acme", "--unique-user-name"), A.ENTERPRISE_UPDATED),
    ("enterprise", "pause"): (("Acme",), A.ENTERPRISE_PAUSED),
    ("enterprise", "resume"): (("Paused",), A.ENTERPRISE_RESUMED),
    ("enterprise", "release"): (("Limited",), A.ENTERPRISE_RELEASED),
    ("enterprise", "suspend"): (("Acme", "--reason", "Unpaid"), A.ENTERPRISE_SUSPENDED),
    ("enterprise", "reactivate"): (("Suspended",), A.ENTERPRISE_REACTIVATED),
    ("enterprise", "delete"): (("Acme", "--yes"), A.ENTERPRISE_DELETED),
    ("enterprise", "export"): (("Acme", "{folder}/acme.zip"), A.ENTERPRISE_EXPORTED),
    ("enterprise", "import"): (("{folder}/moved.zip",), A.ENTERPRISE_IMPORTED),
    ("integration", "create"): (("Acme", "Other"), A.INTEGRATION_CREATED),
    ("integration", "rename"): (("Acme", "Host application", "Other"), A.INTEGRATION_UPDATED),
    ("integration", "limit"): (("Acme", "Host application", "api"), A.INTEGRATION_UPDATED),
    ("integration", "set-provider"): (("Acme", "Host application", "okta"), A.INTEGRATION_UPDATED),
    ("integration", "rotate"): (("Acme", "Host application"), A.INTEGRATION_ROTATED),
    ("integration", "revoke"): (("Acme", "Host application"), A.INTEGRATION_REVOKED),
    ("key", "adopt"): (("--yes",), A.KEY_ADOPTED),
    ("log", "prune"): ((), A.LOG_PRUNED),
    ("role", "add"): (("Acme", "Other"), A.ROLE_CREATED),
    ("role", "update"): (("Acme", "Unused", "--alias", "Other"), A.ROLE_UPDATED),
    ("role", "remove"): (("Acme", "Unused"), A.ROLE_DELETED),
    ("settings", "set"): (("log_days", "30"), A.SETTING_UPDATED),
    ("token", "issue"): (("Acme",), A.TOKEN_ISSUED),
    ("token", "rotate"): (("Acme", "{token_id}"), A.TOKEN_ROTATED),
    ("token", "revoke"): (("Acme", "{token_id}"), A.TOKEN_REVOKED),
    ("user", "create"): (("Acme", "b@x.example"), A.USER_CREATED),
    ("user", "update"): (("Acme", "ada@x.example", "--phone", "1"), A.USER_UPDATED),
    ("user", "edit-profile"): (("Acme", "ada@x.example", "--title", "Lead"), A.USER_UPDATED),
    ("user", "delete"): (("Acme", "ada@x.example", "--yes"), A.USER_DELETED),
    ("user", "erase"): (("Acme", "ada@x.example", "--yes", "--delete"), A.USER_ERASED),
    ("user", "import"): (("Acme", "{folder}/users.csv"), A.USERS_IMPORTED),
    ("user", "export"): (("Acme", "--output", "{folder}/exported.csv"), A.USERS_EXPORTED),
    ("reconcile",): (("Acme", "{folder}/users.csv"), A.USERS_COMPARED),
    ("webhook", "create"): (("Acme", HOOK), A.WEBHOOK_CREATED),
    ("webhook", "update"): (("Acme", HOOK, "--disable"), A.WEBHOOK_UPDATED),
    ("webhook", "delete"): (("Acme", HOOK), A.WEBHOOK_DELETED),
    ("webhook", "rotate"): (("Acme", HOOK), A.WEBHOOK_ROTATED),
    ("webhook", "test"): (("Acme", HOOK), A.WEBHOOK_TESTED),
    ("webhook", "replay"): (("Acme", HOOK, "--since", "7d"), A.WEBHOOK_REPLAYED),
    ("backup",): (("{folder}/copy.db",), A.DATABASE_BACKED_UP),
    ("vacuum",): ((), A.DATABASE_VACUUMED),
}
#: The commands that only read, and valid arguments.
READING_COMMANDS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("admin", "list"): (),
    ("attribute", "list"): ("Acme",),
    ("audit",): (),
    ("changes",): ("Acme",),
    ("check",): (),
    ("doctor",): (),
    ("enterprise", "list"): (),
    ("enterprise", "show"): ("Acme",),
    ("explain",): ("Acme", "{folder}/request.json"),
    ("group", "list"): ("Acme",),
    ("group", "show"): ("Acme", "Staff"),
    ("group", "members"): ("Acme", "Staff"),
    ("integration", "list"): ("Acme",),
    ("key", "new"): (),
    ("log", "list"): ("Acme",),
    ("role", "list"): ("Acme",),
    ("role", "preview"): ("Acme", "User"),
    ("settings", "show"): (),
    ("status",): (),
    ("token", "list"): (),
    ("user", "list"): ("Acme",),
    ("user", "show"): ("Acme", "ada@x.example"),
    ("webhook", "list"): ("Acme",),
    ("webhook", "deliveries"): ("Acme", HOOK),
    ("init",): (),  # without an upgrade
}
#: Commands with tests of their own: ``quickstart`` below, ``migrate-to`` and ``selftest`` in their tests. ``serve``, ``deliver`` and
#: ``completion`` write nothing.
OTHERS = {
    *(
        ("completion", "install"),
        ("completion", "show"),
        ("deliver",),
        ("migrate-to",),
        ("quickstart",),
        ("selftest",),
        ("serve",),
    ),
}


@pytest.fixture
def arguments(world: World, tmp_path: Path) -> dict[str, str]:
    """Values for the placeholders of arguments."""
    (tmp_path / "users.csv").write_text("email\nc@x.example\n")
    (tmp_path / "request.json").write_text('{"method": "GET", "path": "/Users"}')
    set_up(world.console)
    world.run("enterprise", "create", "Paused")
    world.run("enterprise", "pause", "Paused")
    world.run("enterprise", "create", "Suspended")
    world.run("enterprise", "suspend", "Suspended")
    world.run("enterprise", "create", "Limited")
    world.run("enterprise", "update", "Limited", "--removal-limit", "5")
    world.run("enterprise", "create", "Moved")
    world.run("enterprise", "export", "Moved", str(tmp_path / "moved.zip"))
    world.run("enterprise", "delete", "Moved", "--yes")
    return {"folder": str(tmp_path), "token_id": world.ids["token_id"]}


def test_every_command_is_in_a_table() -> None:
    leaves = {path for path, command in walk(commands) if not isinstance(command, click.Group)}

    assert leaves == {*COMMANDS, *READING_COMMANDS, *OTHERS}


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_that_writes_leaves_an_entry(
    world: World, arguments: dict[str, str], cli: Cli, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    if words in (("backup",), ("vacuum",)) and world.acme.app.config["SQLALCHEMY_DATABASE_URI"].startswith(
        "postgresql"
    ):
        pytest.skip("PostgreSQL has its own tools")
    monkeypatch.setenv("SUDO_USER", "grace")
    given, action = COMMANDS[words]
    before = {entry["id"] for entry in audit_of(world.acme.app)}

    cli(*words, *(argument.format(**arguments) for argument in given))

    newest, *_ = (entry for entry in audit_of(world.acme.app) if entry["id"] not in before)
    assert newest["action"] == action
    assert (newest["actor"]["type"], newest["actor"]["name"]) == ("command", "grace")
    assert (newest["address"], newest["request_id"]) == (None, None)


def test_a_command_that_only_reads_leaves_no_entry(world: World, arguments: dict[str, str], cli: Cli) -> None:
    before = audit_of(world.acme.app)

    for words, given in READING_COMMANDS.items():
        cli(*words, *(argument.format(**arguments) for argument in given))

    assert audit_of(world.acme.app) == before


@pytest.mark.slow
@pytest.mark.system
def test_quickstart_records_what_it_creates(tmp_path: Path) -> None:
    with serving(tmp_path / "served") as live:
        settings = environment(INSTANCE_PATH=str(live.folder / "instance"))
        run = subprocess.run([SCIMSVC, "audit", "--json"], env=settings, capture_output=True, text=True, check=True)

    actions = [entry["action"] for entry in json.loads(run.stdout)]
    assert sorted(actions) == sorted(
        [A.ENTERPRISE_CREATED, A.INTEGRATION_CREATED, A.TOKEN_ISSUED, A.ADMIN_CREATED, A.ADMIN_LINK_CREATED]
    )
