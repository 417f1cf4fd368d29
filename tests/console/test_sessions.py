"""Sessions: in a cookie only for the console, ended by time or by signing out, and continued after signing in."""

from collections.abc import Callable
from datetime import datetime, timedelta
from http.cookies import SimpleCookie

import pytest
from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from scimsvc import clock
from scimsvc.enterprises.admins import IDLE, LONGEST_SESSION
from tests.support.apps import SECRET_KEY
from tests.support.client import Enterprise
from tests.support.console import PASSWORD, Console, link_path, make_admin, of, sign_in
from tests.support.types import Cli, MakeApp


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Advance the clock to this time after now."""
    start = clock.now()

    def go(later: timedelta) -> None:
        instant: datetime = start + later
        monkeypatch.setattr(clock, "now", lambda: instant)

    go(timedelta(0))
    return go


def is_signed_in(console: Console) -> bool:
    return console.send("GET", "/console/account").status_code == 200


@pytest.mark.requirement("R53")
@pytest.mark.parametrize(
    ("settings", "base_url", "secure"),
    [
        pytest.param({}, "http://localhost", False, id="http"),
        pytest.param({}, "https://localhost", True, id="https"),
        pytest.param({"PUBLIC_URL": "https://scim.example.com"}, "http://localhost", True, id="https in public"),
    ],
)
def test_the_cookie_is_for_the_console_and_no_script(
    make_app: MakeApp, settings: dict[str, str], base_url: str, secure: bool
) -> None:
    console = Console(make_app(**settings))

    answer = console.send("GET", "/console/sign-in", base_url=base_url)

    cookie = SimpleCookie(answer.headers["Set-Cookie"])["scimsvc_console"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/console", True, "Lax")
    assert bool(cookie["secure"]) is secure
    assert (cookie["domain"], cookie["expires"], cookie["max-age"]) == ("", "", "")


def test_the_cookie_s_path_follows_the_prefix_of_a_host(app: Flask) -> None:
    mounted = DispatcherMiddleware(lambda *_: [], {"/provisioning": app.wsgi_app})
    client = Client(mounted)

    answer = client.get("/provisioning/console/enterprises/new")
    form = client.get(answer.headers["Location"])

    assert answer.headers["Location"] == "/provisioning/console/sign-in?next=/console/enterprises/new"
    assert "Path=/provisioning/console;" in form.headers["Set-Cookie"]
    assert "/provisioning/console/static/console.css" in form.text


def test_elsewhere_no_cookie_is_read_or_set(acme: Enterprise, operator: Console) -> None:
    operator.browser.set_cookie("scimsvc_console", "x", path="/")
    for path in ("/healthz", "/api/v1/users", "/api/scim/v2/Users", "/consolex", "/"):
        answer = operator.browser.get(path)
        assert "Set-Cookie" not in answer.headers
        assert "Cookie" not in answer.headers.get("Vary", "")
        assert answer.mimetype != "text/html"


def test_a_session_ends_after_half_an_hour_without_a_request(operator: Console, at: Callable[..., None]) -> None:
    at(IDLE - timedelta(seconds=2))
    before = is_signed_in(operator)
    at(2 * IDLE - timedelta(seconds=5))
    prolonged = is_signed_in(operator)
    at(3 * IDLE)
    after = is_signed_in(operator)

    assert (before, prolonged, after) == (True, True, False)
    assert timedelta(minutes=30) == IDLE


def test_a_session_ends_after_twelve_hours_whatever_happens(operator: Console, at: Callable[..., None]) -> None:
    later, seen = timedelta(0), []
    while later < LONGEST_SESSION + IDLE:
        at(later)
        seen.append((later < LONGEST_SESSION - timedelta(seconds=1), is_signed_in(operator)))
        later += timedelta(minutes=20)

    assert all(expected == found for expected, found in seen)
    assert timedelta(hours=12) == LONGEST_SESSION


def test_automatic_requests_of_a_page_do_not_extend_the_session(
    acme: Enterprise, operator: Console, at: Callable[..., None]
) -> None:
    for minutes in range(0, 30, 5):
        at(timedelta(minutes=minutes))
        operator.get(of(acme) + "/set-up/progress?live=1")
    at(IDLE + timedelta(seconds=1))

    assert not is_signed_in(operator)


def test_the_cookie_is_not_set_by_every_response(operator: Console, at: Callable[..., None]) -> None:
    operator.get("/console/account")
    again = operator.send("GET", "/console/account")
    at(timedelta(minutes=2))
    later = operator.send("GET", "/console/account")

    assert "Set-Cookie" not in again.headers
    assert "Set-Cookie" in later.headers


def test_an_ended_session_continues_on_its_page(acme: Enterprise, cli: Cli, at: Callable[..., None]) -> None:
    console = Console(acme.app)
    console.post(
        link_path(cli("admin", "create", "op@example.com", "--operator")), password=PASSWORD, repeated=PASSWORD
    )
    at(IDLE + timedelta(seconds=1))
    wanted = of(acme) + "/roles/preview?name=Power+Signer"

    unseen = console.send("GET", of(acme) + "/set-up/progress?live=1").headers["Location"]
    console.get(unseen)
    sent_away = console.send("GET", wanted).headers["Location"]
    page = console.get(sent_away)
    answer = console.post(sent_away, email="op@example.com", password=PASSWORD)

    assert "Your session has ended" in page
    assert answer.headers["Location"] == wanted
    assert "Power Signer" in console.get(wanted)


def test_a_form_of_an_ended_session_leads_back_to_its_page(
    acme: Enterprise, operator: Console, at: Callable[..., None]
) -> None:
    operator.get(of(acme) + "/settings")
    at(IDLE + timedelta(seconds=1))

    form = {"csrf_token": "x"}
    referrer = {"Referer": "http://localhost" + of(acme) + "/settings"}
    answer = operator.send("POST", of(acme) + "/settings/pause", data=form, headers=referrer)

    assert answer.headers["Location"] == f"/console/sign-in?next={of(acme)}/settings"


@pytest.mark.parametrize("referrer", ["http://[x]/console", "http://[", "//", "\xff", "x" * 5000])
def test_a_stranger_with_an_invalid_referrer_is_sent_to_the_sign_in_page(app: Flask, referrer: str) -> None:
    answer = Console(app).send("POST", "/console/sign-out", headers={"Referer": referrer})

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/console/sign-in")


@pytest.mark.parametrize(
    "wanted",
    [
        *("https://evil.example", "//evil.example", "/\\evil.example", "/console/../api", "/consolex", "/api/v1/users"),
        *("/console//evil.example/..", "javascript:alert(1)", "/console\r\nX: y", "console", ""),
        *(
            "/console/%2e%2e/host/logout",
            "/console/%2E./host",
            "/console/.%2e/x",
            "/console/%252e%252e/x",
            "/console%2f../x",
        ),
        *(
            "/console/%5c%5cevil.example",
            "/console/..%2fhost",
            "/console/..;/host",
            "/console/./x",
            "/console/%0d%0aX:y",
        ),
        *("/console/x\x7f", "/console/%ff", "/console/%25252e%25252e/x", "//console/users", "/console/.."),
    ],
)
def test_signing_in_leads_nowhere_outside_of_the_console(app: Flask, cli: Cli, wanted: str) -> None:
    Console(app).post(
        link_path(cli("admin", "create", "op@example.com", "--operator")), password=PASSWORD, repeated=PASSWORD
    )
    console = Console(app)
    console.get("/console/sign-in")

    answer = console.send(
        "POST",
        "/console/sign-in",
        query_string={"next": wanted},
        data={"csrf_token": console._token, "email": "op@example.com", "password": PASSWORD},
    )

    assert answer.headers["Location"] == "/console"


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/console", "/console"),
        ("/console/account", "/console/account"),
        ("/console/enterprises/1/log?email=a%2Bb@x.example&since=2026-11-01T10:00", None),
        ("/console//account/", "/console/account"),
        ("/console/account?next=//evil.example/..", None),
    ],
)
def test_signing_in_leads_to_the_page_on_which_the_session_ended(
    app: Flask, cli: Cli, wanted: str, reached: str | None
) -> None:
    Console(app).post(
        link_path(cli("admin", "create", "op@example.com", "--operator")), password=PASSWORD, repeated=PASSWORD
    )
    console = Console(app)
    console.get("/console/sign-in")

    answer = console.send(
        "POST",
        "/console/sign-in",
        query_string={"next": wanted},
        data={"csrf_token": console._token, "email": "op@example.com", "password": PASSWORD},
    )

    assert answer.headers["Location"] == (reached or wanted)


def test_signing_out_ends_only_this_session(app: Flask) -> None:
    account = make_admin(app, "op@example.com")
    here, there = Console(app, account), Console(app, account)

    said = here.follow("/console/sign-out")

    assert "Signed out." in said
    assert (is_signed_in(here), is_signed_in(there)) == (False, True)


def test_signing_out_everywhere_ends_every_session(app: Flask) -> None:
    account = make_admin(app, "op@example.com")
    here, there = Console(app, account), Console(app, account)

    here.follow("/console/sign-out-everywhere")

    assert (is_signed_in(here), is_signed_in(there)) == (False, False)


def test_a_new_password_ends_older_sessions(app: Flask, cli: Cli, operator: Console) -> None:
    link = link_path(cli("admin", "link", "operator@example.com"))

    Console(app).post(link, password=PASSWORD, repeated=PASSWORD)

    assert not is_signed_in(operator)


def test_signing_in_starts_an_empty_session(app: Flask, cli: Cli) -> None:
    Console(app).post(
        link_path(cli("admin", "create", "op@example.com", "--operator")), password=PASSWORD, repeated=PASSWORD
    )
    console = Console(app)
    console.get("/console/sign-in")
    with console.browser.session_transaction("/console") as session:
        before = dict(session)

    sign_in(console, "op@example.com")

    with console.browser.session_transaction("/console") as session:
        assert set(session) == {"admin", "enterprise", "epoch", "since", "seen"}
        assert "csrf_token" in before


@pytest.mark.parametrize("cookie", ["x", "e30.aaaa.bbbb", ".eJw", "{}"])
def test_a_cookie_with_another_signature_is_ignored(app: Flask, cookie: str) -> None:
    browser = app.test_client()
    browser.set_cookie("scimsvc_console", cookie, path="/console")

    answer = browser.get("/console")

    assert answer.headers["Location"] == "/console/sign-in?next=/console"


def test_sessions_survive_a_new_key_beside_the_old_one(make_app: MakeApp) -> None:
    before = make_app()
    console = Console(before, make_admin(before, "op@example.com"))
    cookie = console.browser.get_cookie("scimsvc_console", path="/console")
    assert cookie is not None

    def status(*keys: str) -> int:
        browser = make_app(SECRET_KEY=",".join(keys)).test_client()
        browser.set_cookie("scimsvc_console", cookie.value, path="/console")
        return browser.get("/console/account").status_code

    assert status("n" * 40, SECRET_KEY) == 200
    assert status("n" * 40) == 302
