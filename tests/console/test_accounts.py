"""Accounts: created by command, given a password through a one-time link, and signed in with it."""

import time
from datetime import timedelta

import pytest
from flask import Flask

from scimsvc import clock
from scimsvc.auth.throttling import MOST_PASSWORDS
from scimsvc.auth.tokens import LINK_PREFIX
from scimsvc.enterprises.admins import FIRST_OPERATOR, LINK_LIFETIME, offer_first_link
from scimsvc.enterprises.password_strength import SHORTEST_PASSWORD
from tests.support.client import Enterprise
from tests.support.commands import refusal
from tests.support.console import PASSWORD, Console, errors, link_path, of, sign_in, text
from tests.support.types import Cli, MakeApp


@pytest.fixture
def link(cli: Cli) -> str:
    """The path of an operator's one-time link."""
    return link_path(cli("admin", "create", "operator@example.com", "--operator"))


def with_password(app: Flask, link: str) -> None:
    """Set the password through ``link``, in a separate browser."""
    Console(app).post(link, password=PASSWORD, repeated=PASSWORD)


def test_a_new_account_is_returned_with_its_kind_and_a_whole_link(acme: Enterprise, cli: Cli) -> None:
    made = cli("admin", "create", "admin@acme.example", "--enterprise", "acme")
    operator = cli("admin", "create", "operator@example.com", "--operator")

    assert list(made) == ["id", "email", "enterprise", "role", "link", "link_expires_at"]
    assert (made["email"], made["enterprise"]) == ("admin@acme.example", "Acme")
    assert made["link"].startswith(f"http://127.0.0.1:8000/console/password/{LINK_PREFIX}")
    assert operator["enterprise"] is None


def test_the_link_is_below_the_public_url(make_app: MakeApp) -> None:
    app = make_app(PUBLIC_URL="https://scim.example.com/prefix")
    result = app.test_cli_runner().invoke(args=["admin", "create", "operator@example.com", "--operator"])

    assert f"https://scim.example.com/prefix/console/password/{LINK_PREFIX}" in result.stdout


def test_the_first_link_is_a_new_operator_s_and_later_ones_are_the_same_account_s(app: Flask, cli: Cli) -> None:
    with app.app_context():
        first, second = offer_first_link(), offer_first_link()

    assert first is not None
    assert second is not None
    assert (second["id"], second["email"], second["enterprise"]) == (first["id"], FIRST_OPERATOR, None)
    assert second["link"] != first["link"]
    assert [each["id"] for each in cli("admin", "list")] == [first["id"]]


def test_the_first_link_is_that_of_an_operator_who_exists(acme: Enterprise, cli: Cli) -> None:
    cli("admin", "create", "admin@acme.example", "--enterprise", "Acme")
    created = cli("admin", "create", "someone@example.com", "--operator")

    with acme.app.app_context():
        offered = offer_first_link()

    assert offered is not None
    assert offered["id"] == created["id"]


def test_no_first_link_is_offered_once_an_operator_has_a_password(app: Flask, link: str) -> None:
    with_password(app, link)

    with app.app_context():
        assert offer_first_link() is None


def test_no_first_link_is_offered_where_an_administrator_has_its_address(acme: Enterprise, cli: Cli) -> None:
    cli("admin", "create", FIRST_OPERATOR.upper(), "--enterprise", "Acme")

    with acme.app.app_context():
        assert offer_first_link() is None


def test_accounts_are_listed_without_anything_secret(acme: Enterprise, cli: Cli) -> None:
    cli("admin", "create", "b@acme.example", "--enterprise", "Acme")
    with_password(acme.app, link_path(cli("admin", "create", "A@example.com", "--operator")))

    listed = cli("admin", "list")

    assert [(each["email"], each["enterprise"], each["has_password"]) for each in listed] == [
        ("A@example.com", None, True),
        ("b@acme.example", "Acme", False),
    ]
    assert set(listed[0]) == {
        *("id", "email", "enterprise", "role", "has_password", "second_factor_key_id"),
        *("link_expires_at", "created_at", "signed_in_at"),
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("create", "no address", "--operator"), "Enter an e-mail address", id="no address"),
        pytest.param(
            ("create", "OPERATOR@example.com", "--operator"), "already exists", id="taken in another letter case"
        ),
        pytest.param(
            ("create", "x@example.com", "--enterprise", "Nobody"), "Enterprise 'Nobody' does not exist", id="enterprise"
        ),
        pytest.param(("remove", "x@example.com"), "Account 'x@example.com' does not exist", id="remove nobody"),
        pytest.param(("link", "x@example.com"), "Account 'x@example.com' does not exist", id="link of nobody"),
    ],
)
def test_commands_refuse(app: Flask, cli: Cli, words: tuple[str, ...], said: str) -> None:
    cli("admin", "create", "operator@example.com", "--operator")

    assert said in refusal(app, "admin", *words)


def test_the_link_sets_a_password_once_and_signs_in(app: Flask, link: str) -> None:
    browser, later = Console(app), Console(app)

    page = browser.get(link)
    landed = browser.follow(link, password=PASSWORD, repeated=PASSWORD)

    assert "operator@example.com" in text(page)
    assert "Password set." in landed
    for method in ("GET", "POST"):
        assert later.send(method, link).headers["Referrer-Policy"] == "no-referrer"
    assert "This link has ended" in later.get(link, 404)
    assert later.post(link, 404, password=PASSWORD, repeated=PASSWORD)
    assert sign_in(later, "Operator@Example.com").headers["Location"] == "/console"
    assert "Enterprises" in later.get("/console")


def test_the_link_expires(app: Flask, link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    later = clock.now() + LINK_LIFETIME
    monkeypatch.setattr(clock, "now", lambda: later)

    Console(app).get(link, 404)


def test_another_link_ends_the_one_before_and_keeps_the_password(app: Flask, cli: Cli, link: str) -> None:
    with_password(app, link)
    first = link_path(cli("admin", "link", "operator@example.com"))
    second = link_path(cli("admin", "link", "OPERATOR@example.com"))

    Console(app).get(first, 404)
    sign_in(Console(app), "operator@example.com")
    Console(app).post(second, password=PASSWORD[::-1], repeated=PASSWORD[::-1])

    assert sign_in(Console(app), "operator@example.com", status=400)
    assert sign_in(Console(app), "operator@example.com", PASSWORD[::-1])


@pytest.mark.parametrize(
    ("password", "repeated", "said"),
    [
        pytest.param("", "", {"password": [f"Use at least {SHORTEST_PASSWORD} characters"]}, id="none"),
        pytest.param("short words", "short words", {"password": ["Use at least 12 characters"]}, id="short"),
        pytest.param("x" * 1001, "x" * 1001, {"password": ["Use at most 1000 characters"]}, id="long"),
        pytest.param(PASSWORD, "other", {"repeated": ["The passwords do not match"]}, id="not repeated"),
        pytest.param(
            "Operator@example.com",
            "Operator@example.com",
            {
                "password": [
                    (
                        "This password is easy to guess. It contains your e-mail address or the name of the enterprise. "
                        "Use four or more random words, or let a password manager create it."
                    )
                ]
            },
            id="the address",
        ),
    ],
)
def test_a_weak_password_is_refused_at_its_field(
    app: Flask, link: str, password: str, repeated: str, said: dict[str, list[str]]
) -> None:
    page = Console(app).post(link, 400, password=password, repeated=repeated).text

    assert errors(page) == said
    assert password not in page or not password


def test_a_password_may_be_typed_on_any_keyboard(app: Flask, link: str) -> None:
    composed, decomposed = "schöne Grüße " * 2, "scho\N{COMBINING DIAERESIS}ne Gru\N{COMBINING DIAERESIS}ße " * 2
    Console(app).post(link, password=composed, repeated=composed)

    assert sign_in(Console(app), "operator@example.com", decomposed)


def test_an_unknown_account_is_refused_like_a_wrong_password(app: Flask, cli: Cli, link: str) -> None:
    with_password(app, link)
    cli("admin", "create", "new@example.com", "--operator")
    console = Console(app)

    answers = {
        email: sign_in(console, email, "not the password", status=400).text
        for email in ("operator@example.com", "nobody@example.com", "new@example.com")
    }

    said = {text(page) for page in answers.values()}
    assert len(said) == 1
    assert "The e-mail address is unknown, or the password is wrong." in said.pop()
    assert 'value="nobody@example.com"' in answers["nobody@example.com"]
    assert "not the password" not in "".join(answers.values())


@pytest.mark.usefixtures("real_passwords")
def test_an_unknown_account_takes_as_long_as_a_known_one(app: Flask, link: str) -> None:
    with_password(app, link)

    def seconds(email: str) -> float:
        console = Console(app)
        console.get("/console/sign-in")
        started = time.process_time()
        sign_in(console, email, "not the password", status=400)
        return time.process_time() - started

    # One hash costs far more than everything else. The shortest of three runs varies least.
    known, unknown = (min(seconds(email) for _ in range(3)) for email in ("operator@example.com", "x@example.com"))

    assert unknown > known / 2


def test_wrong_passwords_slow_only_that_account_and_address(app: Flask, link: str) -> None:
    with_password(app, link)
    console, elsewhere = Console(app), Console(app, REMOTE_ADDR="192.0.2.7")
    for _ in range(MOST_PASSWORDS):
        sign_in(console, "operator@example.com", "wrong", status=400)

    slowed = sign_in(console, "OPERATOR@example.com ", status=429)

    assert "Too many wrong passwords or codes" in text(slowed.text)
    assert 1 <= int(slowed.headers["Retry-After"]) <= 61
    assert sign_in(console, "other@example.com", "wrong", status=400)
    assert sign_in(elsewhere, "operator@example.com")


@pytest.mark.parametrize("email", ["", "a\0b@example.com", "x" * 5000, "\N{GRINNING FACE}"])
def test_an_invalid_address_is_refused_like_an_unknown_one(app: Flask, email: str) -> None:
    page = sign_in(Console(app), email, status=400).text

    assert "The e-mail address is unknown, or the password is wrong." in page


def test_an_account_that_is_removed_is_signed_out_at_once(app: Flask, cli: Cli, operator: Console) -> None:
    operator.get("/console")
    cli("admin", "remove", "operator@example.com")

    assert operator.send("GET", "/console").headers["Location"].startswith("/console/sign-in")


def test_accounts_go_with_their_enterprise(acme: Enterprise, cli: Cli, admin: Console) -> None:
    admin.get(of(acme) + "/set-up")
    cli("enterprise", "delete", "Acme", "--yes")

    assert admin.send("GET", of(acme) + "/set-up").status_code == 302
    assert cli("admin", "list") == []


def test_the_time_of_signing_in_is_stored(app: Flask, cli: Cli, link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with_password(app, link)
    at = clock.now().replace(microsecond=0) + timedelta(minutes=5)
    monkeypatch.setattr(clock, "now", lambda: at)

    sign_in(Console(app), "operator@example.com")

    assert [each["signed_in_at"] for each in cli("admin", "list")] == [clock.timestamp(at)]


def test_the_request_log_contains_no_link(app: Flask, link: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="scimsvc"):
        Console(app).get(link)

    assert link.rpartition("scimsvc_")[2] not in caplog.text
    assert "/console/password/scimsvc_..." in caplog.text
