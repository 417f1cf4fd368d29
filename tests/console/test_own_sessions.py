"""An account sees and ends its own sessions, and an operator those of others."""

import re
from datetime import timedelta

import pytest
from flask import Flask

from scimsvc import clock
from scimsvc.console.user_agents import browser_name
from scimsvc.enterprises.sessions import LONGEST_USER_AGENT, MOST_SESSIONS, Client, begin_session, list_sessions
from tests.support.client import Enterprise
from tests.support.console import PASSWORD, Console, link_path, make_admin, sign_in, text
from tests.support.pages import NOBODY
from tests.support.records import audit_of
from tests.support.types import Cli

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"


def is_signed_in(console: Console) -> bool:
    return console.send("GET", "/console/account").status_code == 200


def session_ids(page: str) -> list[str]:
    """Return the IDs of the sessions that the page can end."""
    return re.findall(r'/sessions/([0-9a-f]{32})/end"', page)


def test_the_account_page_lists_own_sessions_in_words(app: Flask, cli: Cli) -> None:
    here = Console(app, HTTP_USER_AGENT=FIREFOX, REMOTE_ADDR="192.0.2.1")
    here.post(link_path(cli("admin", "create", "op@example.com", "--operator")), password=PASSWORD, repeated=PASSWORD)
    there = Console(app, HTTP_USER_AGENT=CHROME, REMOTE_ADDR="2001:db8::7")
    sign_in(there, "op@example.com")
    Console(app, make_admin(app, "other@example.com"), REMOTE_ADDR="198.51.100.9")

    page = here.get("/console/account")

    assert "Firefox on Windows this session 192.0.2.1" in text(page)
    assert "Chrome on Linux 2001:db8::7" in text(page)
    assert "198.51.100.9" not in page
    assert len(session_ids(page)) == 1


def test_an_account_ends_one_session(app: Flask) -> None:
    account = make_admin(app, "op@example.com")
    here, second, third = (Console(app, account) for _ in range(3))
    [first_id, *_] = session_ids(here.get("/console/account"))

    said = here.follow(f"/console/account/sessions/{first_id}/end")

    assert "Session ended." in said
    assert is_signed_in(here)
    assert sorted([is_signed_in(second), is_signed_in(third)]) == [False, True]
    ended = audit_of(app)[0]
    assert (ended["action"], ended["actor"]["name"], ended["after"]) == (
        "admin.sessions_ended",
        "op@example.com",
        {"sessions": 1},
    )


def test_an_account_ends_all_other_sessions(app: Flask) -> None:
    account = make_admin(app, "op@example.com")
    here, second, third = (Console(app, account) for _ in range(3))
    other = Console(app, make_admin(app, "other@example.com"))

    said = here.follow("/console/account/sessions/end-others")

    assert "All other sessions ended." in said
    assert [is_signed_in(each) for each in (here, second, third, other)] == [True, False, False, True]
    assert audit_of(app)[0]["after"] == {"sessions": 2}


def test_ending_this_session_signs_out(app: Flask) -> None:
    account = make_admin(app, "op@example.com")
    console = Console(app, account)
    with app.app_context():
        [this] = list_sessions(account.id)

    answer = console.post(f"/console/account/sessions/{this['id']}/end")

    assert answer.headers["Location"] == "/console/sign-in"
    assert not is_signed_in(console)


@pytest.mark.parametrize("kind", ["an operator", "an administrator"])
def test_no_one_ends_a_session_of_another_account_as_an_own_one(acme: Enterprise, kind: str) -> None:
    victim_account = make_admin(acme.app, "victim@acme.example", "Acme")
    victim = Console(acme.app, victim_account)
    attacker = Console(acme.app, make_admin(acme.app, "x@example.com", None if kind == "an operator" else "Acme"))
    with acme.app.app_context():
        [session] = list_sessions(victim_account.id)

    answers = [
        attacker.post(f"/console/account/sessions/{session_id}/end", 404).text for session_id in (session["id"], NOBODY)
    ]

    assert text(answers[0]) == text(answers[1])
    assert is_signed_in(victim)


def test_only_operators_see_and_end_sessions_of_all(acme: Enterprise, cli: Cli) -> None:
    cli("enterprise", "create", "Contoso")
    tenant_account = make_admin(acme.app, "admin@contoso.example", "Contoso")
    tenant = Console(acme.app, tenant_account)
    neighbor = Console(acme.app, make_admin(acme.app, "admin@acme.example", "Acme"))
    operator = Console(acme.app, make_admin(acme.app, "op@example.com"))
    with acme.app.app_context():
        [session] = list_sessions(tenant_account.id)
    path = f"/console/sessions/{session['id']}/end"

    neighbor.get("/console/sessions", 404)
    neighbor.post(path, 404)
    still = is_signed_in(tenant)
    page = operator.get("/console/sessions")
    said = operator.follow(path)

    assert still
    assert "admin@contoso.example Contoso" in text(page)
    assert "Session of admin@contoso.example ended." in said
    assert not is_signed_in(tenant)
    entry = audit_of(acme.app)[0]
    assert (entry["action"], entry["enterprise"]) == ("admin.sessions_ended", "Contoso")
    assert (entry["actor"]["name"], entry["target"]["name"]) == ("op@example.com", "admin@contoso.example")


def test_an_account_has_a_limited_number_of_sessions(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    account = make_admin(app, "op@example.com")
    start = clock.now()
    consoles = []
    for number in range(MOST_SESSIONS + 2):
        instant = start + timedelta(seconds=number)
        monkeypatch.setattr(clock, "now", lambda instant=instant: instant)
        consoles.append(Console(app, account))

    assert [is_signed_in(each) for each in consoles] == [False] * 2 + [True] * MOST_SESSIONS


def test_a_user_agent_is_shortened_and_has_no_control_characters(app: Flask) -> None:
    account = make_admin(app, "op@example.com")
    with app.app_context():
        begin_session(account, Client("192.0.2.1", "a\0\x1b[31m" + "x" * 1000))
        [session] = list_sessions(account.id)

    assert session["user_agent"] == ("a[31m" + "x" * 1000)[:LONGEST_USER_AGENT]
    assert LONGEST_USER_AGENT == 200


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox on Windows"),
        (CHROME, "Chrome on Linux"),
        (CHROME + " Edg/142.0", "Edge on Linux"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Version/26.0 Safari/605", "Safari on macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) Version/26 Safari/604", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 10; K) Chrome/142.0 Mobile Safari/537", "Chrome on Android"),
        ("curl/8.5.0", "Unknown browser"),
        ("Something (Windows)", "Unknown browser on Windows"),
        ("", "Unknown browser"),
    ],
)
def test_browsers_are_named_in_words(user_agent: str, name: str) -> None:
    assert browser_name(user_agent) == name


def test_an_auditor_of_all_sees_sessions_and_ends_only_own_ones(app: Flask) -> None:
    account = make_admin(app, "audit@example.com", is_auditor=True)
    auditor, second = Console(app, account), Console(app, account)
    operator_account = make_admin(app, "op@example.com")
    operator = Console(app, operator_account)
    with app.app_context():
        [session] = list_sessions(operator_account.id)

    page = auditor.get("/console/sessions")
    auditor.post(f"/console/sessions/{session['id']}/end", 403)
    auditor.follow("/console/account/sessions/end-others")

    assert "op@example.com" in page
    assert session_ids(page) == []
    assert [is_signed_in(each) for each in (auditor, second, operator)] == [True, False, True]
