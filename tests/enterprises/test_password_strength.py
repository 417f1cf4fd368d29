"""Passwords that are easy to guess are refused. Old hashes are replaced at the sign-in."""

import time

import pytest
from flask import Flask
from werkzeug.security import check_password_hash, generate_password_hash

from scimsvc.enterprises import passwords
from scimsvc.enterprises.password_strength import LONGEST_PASSWORD, context_words, find_weakness
from scimsvc.store import admins as store
from scimsvc.store.engine.transactions import reading, writing
from tests.support.apps import run_command
from tests.support.console import PASSWORD, Console, sign_in

CONTEXT = ["grace.hopper@contoso.example", "Fabrikam Sealing"]


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("password1234", "common words or passwords"),
        ("P@ssw0rd1234", "common words or passwords"),
        ("Welcome12345", "common words or passwords"),
        ("Summer2026!!", "common words or passwords"),
        ("letmeinletmein", "repeats the same characters"),
        ("111111111111", "repeats the same characters"),
        ("acmeacmeacme", "repeats the same characters"),
        ("abcdefghijkl", "follows the alphabet, the numbers or the keyboard"),
        ("qwertyuiop[]", "follows the alphabet, the numbers or the keyboard"),
        ("scimsvc-admin", "common words or passwords"),
        ("grace.hopper1", "your e-mail address or the name of the enterprise"),
        ("Fabrikam2026!", "your e-mail address or the name of the enterprise"),
        ("contosohopper", "your e-mail address or the name of the enterprise"),
        ("GRACE.HOPPER@contoso.example", "your e-mail address or the name of the enterprise"),
        ("x" * 1000, "repeats the same characters"),
    ],
)
def test_a_password_that_is_easy_to_guess_is_refused_with_the_reason(password: str, reason: str) -> None:
    weakness = find_weakness(password, CONTEXT)

    assert weakness is not None
    assert reason in weakness
    assert weakness.startswith("This password is easy to guess. ")
    assert "Use four or more random words" in weakness


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        PASSWORD[::-1],
        "kq8zP2mvXw4t",
        "purple monkey dishwasher",
        "schöne Grüße schöne Grüße",
        "kq8zP2mvXw4t" * 80,
    ],
)
def test_other_passwords_are_accepted(password: str) -> None:
    assert find_weakness(password, CONTEXT) is None


def test_context_words_are_the_texts_and_their_parts() -> None:
    assert context_words(["Ada.L@contoso.example", ""]) == ["ada.l@contoso.example", "ada", "contoso", "example"]


@pytest.mark.parametrize("password", ["4@8({[<361!|0$57%2" * 55, "1!|l" * 250, "a1B2" * 250])
def test_the_estimate_of_a_hostile_password_takes_bounded_time(password: str) -> None:
    started = time.process_time()
    find_weakness(password, CONTEXT)

    assert time.process_time() - started < 2


def stored_hash(app: Flask) -> str:
    with app.app_context(), reading() as connection:
        row = store.find_admin_by_email(connection, "operator@example.com")
    assert row is not None
    assert row.password_hash is not None
    return row.password_hash


def console_of_account(app: Flask, password_hash: str) -> Console:
    """Return a browser, for an operator whose password has the hash."""
    run_command(app, "admin", "create", "operator@example.com", "--operator")
    with app.app_context(), writing() as connection:
        row = store.find_admin_by_email(connection, "operator@example.com")
        assert row is not None
        linked = store.update_admin_link(connection, row.id, digest="0" * 64, expires_at="9999")
        store.update_admin_password(connection, linked, password_hash)
    return Console(app)


@pytest.mark.usefixtures("real_passwords")
def test_a_hash_of_an_earlier_version_is_replaced_at_the_sign_in(app: Flask) -> None:
    console = console_of_account(app, generate_password_hash(PASSWORD, "scrypt"))

    sign_in(console, "operator@example.com", "not the password", status=400)
    old = stored_hash(app)
    sign_in(console, "operator@example.com")
    new = stored_hash(app)
    sign_in(Console(app), "operator@example.com")

    assert old.startswith("scrypt:32768:8:1$")
    assert new.startswith(f"{passwords.METHOD}$")
    assert check_password_hash(new, PASSWORD)
    assert stored_hash(app) == new


@pytest.mark.usefixtures("real_passwords")
def test_a_password_with_surplus_characters_keeps_its_hash_valid(app: Flask) -> None:
    longest = (PASSWORD * 40)[:LONGEST_PASSWORD]
    console = console_of_account(app, generate_password_hash(longest, "scrypt"))

    sign_in(console, "operator@example.com", longest + "more")  # replaces the hash

    assert stored_hash(app).startswith(f"{passwords.METHOD}$")
    assert sign_in(Console(app), "operator@example.com", longest)


@pytest.mark.usefixtures("real_passwords")
def test_an_old_hash_takes_as_long_to_refuse_as_an_unknown_account() -> None:
    def seconds(password_hash: str | None) -> float:
        started = time.process_time()
        assert not passwords.is_right_password("wrong", password_hash)
        return time.process_time() - started

    old = generate_password_hash(PASSWORD, "scrypt")
    known, unknown = (min(seconds(each) for _ in range(3)) for each in (old, None))

    assert 0.7 < known / unknown < 1.4
