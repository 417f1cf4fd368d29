"""Wrong passwords are refused after a while, without locking out the people who know the password."""

import logging
import threading

import pytest
from flask import Flask
from werkzeug.security import check_password_hash

from scimsvc.auth.throttling import MOST_FOR_ACCOUNT, MOST_FROM_ADDRESS, MOST_IN_ALL, MOST_PASSWORDS
from scimsvc.console.browsers import COOKIE
from scimsvc.enterprises import passwords
from scimsvc.web.client_address import network_of
from tests.support.attempts import forget_attempts
from tests.support.console import PASSWORD, Console, link_path, sign_in, text
from tests.support.types import Cli, MakeApp

OPERATOR = "operator@example.com"


@pytest.fixture
def browser(app: Flask, cli: Cli) -> Console:
    """A browser in which the operator signed in before and out again."""
    return known_browser(app, cli)


def known_browser(app: Flask, cli: Cli) -> Console:
    console = Console(app)
    console.post(link_path(cli("admin", "create", OPERATOR, "--operator")), password=PASSWORD, repeated=PASSWORD)
    console.get("/console/account")
    console.follow("/console/sign-out")
    return console


def guess(app: Flask, number: int, *, account: str = OPERATOR, address: str = "192.0.2.{n}") -> list[int]:
    """Guess passwords from different addresses in new browsers, and return the statuses."""
    statuses = []
    for n in range(number):
        console = Console(app, REMOTE_ADDR=address.format(n=n))
        console.get("/console/sign-in")
        form = {"csrf_token": console._token, "email": account.format(n=n), "password": "wrong"}
        statuses.append(console.send("POST", "/console/sign-in", data=form).status_code)
    return statuses


def test_a_stranger_does_not_lock_out_a_browser_that_signed_in_before(app: Flask, browser: Console) -> None:
    assert guess(app, MOST_FOR_ACCOUNT + 5) == [400] * MOST_FOR_ACCOUNT + [429] * 5

    sign_in(Console(app), OPERATOR, status=429)
    assert sign_in(browser, OPERATOR)


def test_wrong_passwords_for_nobody_from_one_address_do_not_stop_a_known_browser(app: Flask, browser: Console) -> None:
    statuses = guess(app, MOST_FROM_ADDRESS + 5, account="nobody{n}@example.com", address="127.0.0.1")

    assert statuses == [400] * MOST_FROM_ADDRESS + [429] * 5
    assert sign_in(browser, OPERATOR)


def test_the_number_of_wrong_passwords_in_all_is_limited(app: Flask, browser: Console) -> None:
    statuses = guess(app, MOST_IN_ALL + 5, account="nobody{n}@example.com")

    assert statuses == [400] * MOST_IN_ALL + [429] * 5
    sign_in(Console(app, REMOTE_ADDR="198.51.100.1"), OPERATOR, status=429)
    assert sign_in(browser, OPERATOR)


def test_a_known_browser_has_a_limit_of_its_own(app: Flask, browser: Console) -> None:
    for _ in range(MOST_PASSWORDS):
        sign_in(browser, OPERATOR, "wrong", status=400)

    refused = sign_in(browser, OPERATOR, status=429)

    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert len(refused.headers.getlist("Retry-After")) == 1
    assert sign_in(Console(app), OPERATOR)


def test_a_browser_is_known_only_for_the_accounts_that_signed_in_there(app: Flask, browser: Console, cli: Cli) -> None:
    cli("admin", "create", "other@example.com", "--operator")
    guess(app, MOST_FOR_ACCOUNT, account="other@example.com")

    sign_in(browser, "other@example.com", status=429)
    assert sign_in(browser, OPERATOR)


def test_a_right_password_is_not_counted(app: Flask, browser: Console) -> None:
    for _ in range(2 * MOST_PASSWORDS):
        sign_in(Console(app), OPERATOR)

    assert guess(app, MOST_PASSWORDS, address="127.0.0.1") == [400] * MOST_PASSWORDS


def test_a_second_process_of_the_database_counts_on(app: Flask, browser: Console, make_app: MakeApp) -> None:
    other = make_app()
    guess(app, MOST_PASSWORDS - 1, address="127.0.0.1")
    guess(other, 1, address="127.0.0.1")

    for each in (app, other):
        sign_in(Console(each), OPERATOR, status=429)
    forget_attempts(app)
    assert sign_in(Console(other), OPERATOR)


@pytest.mark.parametrize("forged", ["", "x", "W10.x.y", "a" * 3000])
def test_a_forged_cookie_makes_no_browser_known(app: Flask, browser: Console, forged: str) -> None:
    stranger = Console(app)
    stranger.browser.set_cookie(COOKIE, forged, path="/console")
    guess(app, MOST_FOR_ACCOUNT)

    sign_in(stranger, OPERATOR, status=429)


def test_the_cookie_of_a_known_browser_is_for_this_host_only(make_app: MakeApp) -> None:
    app = make_app(PUBLIC_URL="https://scim.example.com")
    made = app.test_cli_runner().invoke(args=["admin", "create", OPERATOR, "--operator"]).stdout
    link = "/console/password/" + made.partition("/console/password/")[2].split()[0]

    answer = Console(app).post(link, password=PASSWORD, repeated=PASSWORD)

    [cookie] = [line for line in answer.headers.getlist("Set-Cookie") if line.startswith(f"__Host-{COOKIE}=")]
    attributes = set(cookie.split("; ")[1:])
    assert {"HttpOnly", "Path=/", "SameSite=Lax", "Secure", "Max-Age=31536000"} <= attributes
    assert OPERATOR not in cookie
    assert len(cookie) < 500


@pytest.mark.parametrize(
    "email",
    [
        pytest.param("\N{GREEK SMALL LETTER IOTA WITH DIALYTIKA AND TONOS}" * 600 + "@example.com", id="long"),
        pytest.param("no address", id="no address"),
        pytest.param("a\0@example.com", id="NUL"),
    ],
)
def test_text_that_no_account_can_have_is_refused_without_counting(app: Flask, browser: Console, email: str) -> None:
    page = [sign_in(Console(app), email, "wrong", status=400) for _ in range(2 * MOST_PASSWORDS)][-1].text

    assert "The e-mail address is unknown, or the password is wrong." in text(page)
    assert sign_in(Console(app), OPERATOR)


def test_simultaneous_guesses_try_no_more_than_the_limit(
    app: Flask, browser: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def count(hashed: str, password: str) -> bool:
        tried.append(password)
        return check_password_hash(hashed, password)

    monkeypatch.setattr(passwords, "check_password_hash", count)
    monkeypatch.setattr(passwords, "_turns", threading.BoundedSemaphore(16))
    begin = threading.Barrier(16)
    consoles = [Console(app) for _ in range(16)]
    statuses: list[int] = []
    for console in consoles:
        console.get("/console/sign-in")

    def attempt(console: Console) -> None:
        begin.wait()
        form = {"csrf_token": console._token, "email": OPERATOR, "password": "wrong"}
        statuses.append(console.send("POST", "/console/sign-in", data=form).status_code)

    threads = [threading.Thread(target=attempt, args=[console]) for console in consoles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(tried) == MOST_PASSWORDS
    assert sorted(statuses) == [400] * MOST_PASSWORDS + [429] * 11


def test_a_password_waits_for_no_other_one(app: Flask, browser: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = threading.BoundedSemaphore(1)
    monkeypatch.setattr(passwords, "_turns", turns)

    with turns:
        refused = sign_in(browser, OPERATOR, status=429)

    assert refused.headers["Retry-After"] == "1"
    assert "Other passwords are being checked." in text(refused.text)
    assert sign_in(browser, OPERATOR)


@pytest.mark.parametrize("proxies", [0, 1])
def test_forwarded_headers_without_a_trusted_proxy_are_a_warning_once(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture, proxies: int
) -> None:
    app = make_app(TRUSTED_PROXIES=proxies)
    for _ in range(2):
        console = Console(app, HTTP_X_FORWARDED_FOR="192.0.2.1")
        sign_in(console, OPERATOR, status=400)

    warnings = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert len(warnings) == 1 - proxies
    assert all("SCIMSVC_TRUSTED_PROXIES is 0" in warning for warning in warnings)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:50123", "192.0.2.7"),
        ("[2001:db8:1:2:3:4:5:6]:50123", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2:3:4:5:6]", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unix:", "unix:"),
        ("x" * 1000, "x" * 45),
    ],
)
def test_an_ipv6_client_is_its_network(address: str, network: str) -> None:
    assert network_of(address) == network
