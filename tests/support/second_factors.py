"""Authenticator apps of console accounts."""

import re
from datetime import timedelta

import pyotp

from scimsvc import clock
from tests.support.console import Console, text

SET_UP = "/console/account/second-factor/set-up"


class App:
    """An authenticator app with the secret that the page shows."""

    def __init__(self, page: str) -> None:
        shown = re.search(r'<code id="secret">([A-Z2-7 ]+)</code>', page)
        assert shown is not None, page
        self.secret = shown[1].replace(" ", "")

    def code(self, *, steps: int = 0) -> str:
        """Return the current code, or that of some steps of 30 seconds later."""
        return pyotp.TOTP(self.secret).at(clock.now() + timedelta(seconds=30 * steps))

    def wrong_code(self) -> str:
        """Return a code that is not valid now."""
        valid = {self.code(steps=step) for step in (-1, 0, 1)}
        return next(code for code in map(str, range(100_000, 100_010)) if code not in valid)


def set_up(console: Console) -> tuple[App, list[str]]:
    """Set up a second factor, and return the app and the recovery codes."""
    page = console.get(SET_UP)
    answer = console.send("POST", SET_UP, data=set_up_form(console, page))
    assert answer.status_code == 303, answer.text
    return App(page), recovery_codes(console.get(answer.headers["Location"]))


def set_up_form(console: Console, page: str) -> dict[str, str]:
    """Return the filled form of the page that sets up a second factor."""
    return {"csrf_token": console._token, "salt": salt_of(page), "code": App(page).code()}


def salt_of(page: str) -> str:
    """Return the salt in the form of the page."""
    salt = re.search(r'name="salt" value="([0-9a-f]+)"', page)
    assert salt is not None, page
    return salt[1]


def recovery_codes(page: str) -> list[str]:
    """Return the recovery codes of the page."""
    return [word for word in text(page).split() if re.fullmatch(r"([2-9a-z]{4}-){5}[2-9a-z]{4}", word)]
