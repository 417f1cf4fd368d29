"""Forms that show a secret or delete something ask for the password again, and then continue."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape

import pytest
from flask import Flask, template_rendered

from scimsvc import clock
from scimsvc.auth.throttling import MOST_PASSWORDS
from scimsvc.console.pages import signed_in_session
from scimsvc.console.reauthentication import ORDINARY, SENSITIVE
from scimsvc.enterprises.sessions import CONFIRMED, Session, list_sessions
from tests.support.client import Enterprise
from tests.support.console import PASSWORD, Console, errors, link_path, of, text
from tests.support.pages import NOBODY, console_rules, ids_of
from tests.support.records import audit_of
from tests.support.types import Cli

OPERATOR = "op@example.com"


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Advance the clock to this time after now."""
    start = clock.now()

    def go(later: timedelta) -> None:
        instant: datetime = start + later
        monkeypatch.setattr(clock, "now", lambda: instant)

    go(timedelta(0))
    return go


@pytest.fixture
def console(acme: Enterprise, cli: Cli, at: Callable[[timedelta], None]) -> Console:
    """An operator with a password who signed in longer ago than the password counts."""
    console = Console(acme.app)
    console.post(link_path(cli("admin", "create", OPERATOR, "--operator")), password=PASSWORD, repeated=PASSWORD)
    at(CONFIRMED)
    console.get("/console/account")
    return console


def hidden(page: str) -> dict[str, str]:
    """Return the hidden fields of the page's main form."""
    main = page.partition("<main")[2]
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', main)
    return {unescape(name): unescape(value) for name, value in fields}


def confirm(console: Console, path: str, page: str, password: str = PASSWORD, status: int = 303) -> str:
    """Submit the page that asks for the password, and return the page that follows."""
    fields = hidden(page) | {"account_password": password}
    answer = console.send("POST", path, data=fields)
    assert answer.status_code == status, answer.text
    return console.get(answer.headers["Location"]) if status == 303 else answer.text


def test_each_form_is_sensitive_or_ordinary(app: Flask) -> None:
    forms = {rule.endpoint for rule in console_rules(app, "POST")}

    assert forms == {*SENSITIVE, *ORDINARY}
    assert not ORDINARY & SENSITIVE.keys()


def test_each_form_that_is_sensitive_asks_and_does_nothing(acme: Enterprise, cli: Cli, console: Console) -> None:
    user = cli("user", "create", "Acme", "ada@acme.example")
    unused = cli("role", "add", "Acme", "Unused")
    ids = {**ids_of(acme), "enterprise_id": acme.made["id"], "user_id": user["id"], "role_id": unused["id"]}
    ids["session_id"] = "0" * 32
    before = len(audit_of(acme.app))
    asked = []
    for rule in console_rules(acme.app, "POST"):
        if rule.endpoint in SENSITIVE:
            path = re.sub(r"<(\w+)>", lambda found: ids[found[1]], rule.rule)
            page = console.post(path, 403, name="x", typed_name="Acme").text
            asked.append((rule.endpoint, "Confirm your password" in page, SENSITIVE[rule.endpoint] in page))
            back = re.findall(r'<a class="button quiet" href="([^"]+)">Cancel', page)
            assert [console.send("GET", unescape(address)).status_code in (200, 302) for address in back] == [True], (
                path
            )

    assert sorted(asked) == [(endpoint, True, True) for endpoint in sorted(SENSITIVE)]
    assert len(audit_of(acme.app)) == before


@pytest.mark.parametrize(
    ("path", "back"),
    [
        ("/console/account/sessions/end-others", "/console/account"),
        (f"/console/account/sessions/{NOBODY}/end", "/console/account"),
        ("/console/enterprises/new", "/console/enterprises/new"),
    ],
)
def test_cancel_leads_to_the_page_with_the_form(console: Console, path: str, back: str) -> None:
    assert f'href="{back}">Cancel' in console.post(path, 403).text


def test_a_form_continues_with_its_fields(acme: Enterprise, console: Console, cli: Cli) -> None:
    name = 'Ana\'s "app" <b>&amp;\N{SNOWMAN}'
    path = of(acme) + "/integrations/new"

    page = console.post(path, 403, name=name).text
    shown = confirm(console, path, page)

    assert "Nothing was saved" not in text(page)
    assert 'value="scimsvc_cs_' in shown
    assert name in [each["name"] for each in cli("integration", "list", "Acme")]
    assert [entry["action"] for entry in audit_of(acme.app)][:2] == ["integration.created", "admin.confirmed"]


def test_several_lines_and_values_are_repeated(console: Console, cli: Cli) -> None:
    page = console.post("/console/enterprises/new", 403, name="Contoso", roles="User\r\n Signer\r\n", scim_enabled="on")
    shown = confirm(console, "/console/enterprises/new", page.text)

    assert "Contoso created" in shown
    assert {role["name"] for role in cli("role", "list", "Contoso")} == {"DefaultEnterprise", "User", "Signer"}
    assert cli("enterprise", "show", "Contoso")["scim_enabled"] is True


def test_a_confirmation_lasts_for_ten_minutes(
    acme: Enterprise, console: Console, at: Callable[[timedelta], None]
) -> None:
    path = of(acme) + "/tokens/new"
    confirm(console, path, console.post(path, 403, scope="scim").text)

    at(2 * CONFIRMED - timedelta(seconds=1))
    console.post(path, scope="scim")
    at(2 * CONFIRMED)
    console.post(path, 403, scope="scim")

    assert timedelta(minutes=10) == CONFIRMED


def test_a_wrong_password_changes_nothing_and_keeps_the_fields(acme: Enterprise, console: Console, cli: Cli) -> None:
    path = of(acme) + "/integrations/new"
    page = console.post(path, 403, name="Other").text

    again = confirm(console, path, page, "not the password", status=400)

    assert errors(again) == {"account_password": ["The password is wrong"]}
    assert hidden(again)["name"] == "Other"
    assert "not the password" not in again
    assert len(cli("integration", "list", "Acme")) == 1
    [refused] = [entry for entry in audit_of(acme.app) if entry["action"] == "admin.sign_in_refused"]
    assert refused["target"]["name"] == OPERATOR
    assert refused["after"] == {"reason": "wrong password of a signed-in account"}
    confirm(console, path, again)


def test_wrong_passwords_are_counted_like_those_of_sign_ins(acme: Enterprise, console: Console) -> None:
    path = of(acme) + "/integrations/new"
    page = console.post(path, 403, name="Other").text
    for _ in range(MOST_PASSWORDS):
        confirm(console, path, page, "wrong", status=400)

    slowed = confirm(console, path, page, status=429)

    assert "Too many wrong passwords" in text(slowed)
    assert hidden(slowed)["name"] == "Other"
    assert console.get("/console/account")


def test_the_session_has_a_new_id_after_a_confirmation(acme: Enterprise, console: Console) -> None:
    cookie = console.browser.get_cookie("scimsvc_console", path="/console")
    assert cookie is not None
    path = of(acme) + "/integrations/new"

    confirm(console, path, console.post(path, 403, name="Other").text)

    copied = acme.app.test_client()
    copied.set_cookie("scimsvc_console", cookie.value, path="/console")
    assert copied.get("/console/account").status_code == 302
    assert console.get("/console/account")


def test_views_see_the_confirmed_session_with_its_new_id(acme: Enterprise, console: Console) -> None:
    seen: list[Session] = []
    path = of(acme) + "/integrations/new"
    page = console.post(path, 403, name="Other").text

    def see(sender: object, **_: object) -> None:
        seen.append(signed_in_session())

    with template_rendered.connected_to(see, acme.app):
        confirm(console, path, page)

    with acme.app.app_context():
        stored = {session["id"] for session in list_sessions(seen[0].admin.id)}
    assert {session.id for session in seen} == stored
    assert all(session.is_confirmed for session in seen)


def test_the_page_is_protected_against_forms_of_other_sites(acme: Enterprise, console: Console) -> None:
    path = of(acme) + "/integrations/new"
    fields = {"csrf_token": "x", "name": "Other", "account_password": PASSWORD}

    answer = console.send("POST", path, data=fields)

    assert answer.status_code == 400
    assert "This form has expired" in answer.text


def test_the_password_is_not_logged(acme: Enterprise, console: Console, caplog: pytest.LogCaptureFixture) -> None:
    path = of(acme) + "/integrations/new"
    with caplog.at_level("DEBUG"):
        page = console.post(path, 403, name="Other").text
        confirm(console, path, page, "wrong horse", status=400)
        confirm(console, path, page)

    assert "wrong horse" not in caplog.text
    assert PASSWORD not in caplog.text


def test_a_refused_form_after_the_confirmation_shows_its_own_page(acme: Enterprise, console: Console) -> None:
    path = of(acme) + "/integrations/new"

    page = confirm(console, path, console.post(path, 403, name="").text, status=400)

    assert "name" in errors(page)
    assert "Confirm your password" not in page
    assert PASSWORD not in page


def test_an_ordinary_form_does_not_ask(acme: Enterprise, console: Console) -> None:
    assert "Provisioning paused" in console.follow(of(acme) + "/settings/pause")
