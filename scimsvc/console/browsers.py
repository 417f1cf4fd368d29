"""Recognize browsers in which an account signed in before.

Strangers who guess passwords use up the attempts of all other browsers. A cookie that only this service can sign gives
a browser attempts of its own, so that strangers cannot lock an administrator out. It opens nothing by itself.
"""

import secrets
from datetime import timedelta
from typing import Any, NamedTuple

from flask import request
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.wrappers import Response as BaseResponse

from scimsvc.auth.attempts import digest_key
from scimsvc.console.sessions import ConsoleSessions, cookie_prefix
from scimsvc.protocol.attributes import fold
from scimsvc.settings.keys import derive_key
from scimsvc.web.state import app_settings, request_state

#: Browsers delete cookies after 400 days (RFC 6265bis §5.5). Each sign-in renews the cookie.
LIFETIME = timedelta(days=365)
#: The purpose of the key that signs the cookie.
_BROWSERS = "console browsers"
COOKIE = "scimsvc_console_browser"
#: The accounts that a browser is remembered for.
_MOST_ACCOUNTS = 5
_LONGEST = 500


class Browser(NamedTuple):
    """The content of the cookie: a random name of the browser, and digests of accounts, latest first."""

    name: str
    accounts: tuple[str, ...]


def known_browser(email: str) -> str | None:
    """Return the name of the request's browser if the account with this address signed in there before."""
    browser = _read()
    return browser.name if browser is not None and _digest(email) in browser.accounts else None


def remember_browser(response: BaseResponse, email: str) -> BaseResponse:
    """Add the cookie to ``response``: the account with this address has signed in."""
    browser = _read() or Browser(secrets.token_hex(16), ())
    account = _digest(email)
    accounts = [account, *(other for other in browser.accounts if other != account)][:_MOST_ACCOUNTS]
    sessions, app = ConsoleSessions(), request_state().app
    response.set_cookie(
        cookie_prefix(app) + COOKIE,
        _serializer().dumps([browser.name, accounts]),
        max_age=LIFETIME,
        path=sessions.get_cookie_path(app),
        secure=sessions.get_cookie_secure(app),
        httponly=True,
        samesite=sessions.get_cookie_samesite(app),
    )
    return response


def _read() -> Browser | None:
    cookie = request.cookies.get(cookie_prefix(request_state().app) + COOKIE, "")
    if not 0 < len(cookie) <= _LONGEST:
        return None
    try:
        content: Any = _serializer().loads(cookie, max_age=int(LIFETIME.total_seconds()))
    except BadData:
        return None
    name, accounts = content
    return Browser(name, tuple(accounts))


def _serializer() -> URLSafeTimedSerializer:
    # itsdangerous expects the oldest key first.
    keys = [derive_key(key, _BROWSERS) for key in reversed(app_settings().secret_keys)]
    return URLSafeTimedSerializer(keys, salt="scimsvc.console-browser")


def _digest(email: str) -> str:
    return digest_key("account", fold(email.strip()))
