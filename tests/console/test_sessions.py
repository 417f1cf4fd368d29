"""Sessions: in a cookie only for the console, ended by time or by signing out, and continued after signing in."""

from collections.abc import Callable
from datetime import datetime, timedelta
from http.cookies import SimpleCookie

import pytest
from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client, TestResponse

from scimsvc import clock
from scimsvc.enterprises.sessions import IDLE, LONGEST_SESSION, list_sessions
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
    ("settings", "base_url", "name", "path"),
    [
        pytest.param({}, "http://localhost", "scimsvc_console", "/console", id="http"),
        pytest.param({}, "https://localhost", "__Host-scimsvc_console", "/", id="https"),
        pytest.param(
            {"PUBLIC_URL": "https://scim.example.com"}, "http://localhost", "__Host-scimsvc_console", "/", id="public"
        ),
        pytest.param({}, "https://localhost/host", "__Secure-scimsvc_console", "/host/console", id="below a prefix"),
        pytest.param({}, "http://localhost/host", "scimsvc_console", "/host/console", id="below a prefix without TLS"),
    ],
)
def test_the_cookie_is_for_this_host_and_no_script(
    make_app: MakeApp, settings: dict[str, str], base_url: str, name: str, path: str
) -> None:
    console = Console(make_app(**settings))

    answer = console.send("GET", "/console/sign-in", base_url=base_url)

    cookie = SimpleCookie(answer.headers["Set-Cookie"])[name]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (path, True, "Lax")
    assert bool(cookie["secure"]) is name.startswith("__")
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


def test_a_cookie_of_another_host_with_a_plain_name_is_not_read(make_app: MakeApp) -> None:
    app = make_app(PUBLIC_URL="https://scim.example.com")
    console = Console(app, make_admin(app, "op@example.com"))
    cookie = console.browser.get_cookie("__Host-scimsvc_console", path="/")
    assert cookie is not None
    other = app.test_client()
    other.set_cookie("scimsvc_console", cookie.value, path="/console")

    assert is_signed_in(console)
    assert other.get("/console/account").status_code == 302


def test_requests_set_no_cookie(operator: Console, at: Callable[..., None]) -> None:
    operator.get("/console/account")
    again = operator.send("GET", "/console/account")
    at(timedelta(minutes=2))
    later = operator.send("GET", "/console/account")

    assert "Set-Cookie" not in again.headers
    assert "Set-Cookie" not in later.headers


def test_a_request_writes_its_time_at_most_once_a_minute(app: Flask, at: Callable[..., None]) -> None:
    account = make_admin(app, "op@example.com")
    console = Console(app, account)

    def seen_at(seconds: int) -> str:
        at(timedelta(seconds=seconds))
        console.get("/console/account")
        with app.app_context():
            [session] = list_sessions(account.id)
        return str(session["seen_at"])

    times = [seen_at(seconds) for seconds in range(0, 121, 15)]

    assert len(set(times)) == 3
    assert times[-1] == clock.timestamp(clock.now())


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


@pytest.mark.parametrize("path", ["/console/sign-out", "/console/sign-out-everywhere"])
def test_a_copied_cookie_is_refused_after_the_sign_out(app: Flask, path: str) -> None:
    console = Console(app, make_admin(app, "op@example.com"))
    cookie = console.browser.get_cookie("scimsvc_console", path="/console")
    assert cookie is not None
    thief = Console(app)
    thief.browser.set_cookie("scimsvc_console", cookie.value, path="/console")
    before = is_signed_in(thief)

    console.post(path)

    thief.browser.set_cookie("scimsvc_console", cookie.value, path="/console")
    assert (before, is_signed_in(thief)) == (True, False)


@pytest.mark.parametrize(
    ("base_url", "deleted"), [("http://localhost", '"cache", "storage"'), ("http://localhost/host", '"cache"')]
)
def test_the_browser_deletes_what_it_stored_when_signing_out(app: Flask, cli: Cli, base_url: str, deleted: str) -> None:
    link = link_path(cli("admin", "create", "op@example.com", "--operator"))
    console = Console(app)

    def post(path: str, **fields: str) -> TestResponse:
        return console.send("POST", path, base_url=base_url, data={"csrf_token": console._token, **fields})

    console.send("GET", link, base_url=base_url)
    post(link, password=PASSWORD, repeated=PASSWORD)
    page = console.send("GET", "/console/account", base_url=base_url)
    answer = post("/console/sign-out")

    assert (page.status_code, answer.status_code) == (200, 303)
    assert answer.headers["Clear-Site-Data"] == deleted
    cookies = [line.partition("=")[0] for line in answer.headers.getlist("Set-Cookie")]
    assert cookies == ["scimsvc_console"]


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
        assert set(session) == {"id", "lane"}
        assert "csrf_token" in before


def test_signing_in_ends_the_previous_session_of_the_browser(app: Flask, cli: Cli) -> None:
    console = Console(app)
    console.post(
        link_path(cli("admin", "create", "op@example.com", "--operator")), password=PASSWORD, repeated=PASSWORD
    )
    cookie = console.browser.get_cookie("scimsvc_console", path="/console")
    assert cookie is not None
    console.get("/console/sign-in")

    sign_in(console, "op@example.com")

    copied = Console(app)
    copied.browser.set_cookie("scimsvc_console", cookie.value, path="/console")
    assert (is_signed_in(console), is_signed_in(copied)) == (True, False)


def test_another_one_time_link_ends_the_sessions_of_its_account(app: Flask, cli: Cli, operator: Console) -> None:
    other = Console(app, make_admin(app, "other@example.com"))

    cli("admin", "link", "operator@example.com")

    assert (is_signed_in(operator), is_signed_in(other)) == (False, True)


def test_a_cookie_of_an_earlier_version_is_signed_out(app: Flask) -> None:
    account = make_admin(app, "op@example.com")
    console = Console(app)
    now = int(clock.now().timestamp())
    with console.browser.session_transaction("/console") as session:
        session.update(admin=account.id, enterprise=None, epoch=1, since=now, seen=now)

    assert not is_signed_in(console)
    assert "E-mail address" in console.get("/console/sign-in")


def test_sessions_are_known_to_every_process_of_the_database(app: Flask, make_app: MakeApp) -> None:
    other = make_app()
    console = Console(app, make_admin(app, "op@example.com"))
    cookie = console.browser.get_cookie("scimsvc_console", path="/console")
    assert cookie is not None
    elsewhere = Console(other)
    elsewhere.browser.set_cookie("scimsvc_console", cookie.value, path="/console")
    before = is_signed_in(elsewhere)

    elsewhere.post("/console/sign-out")

    assert (before, is_signed_in(console)) == (True, False)


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
