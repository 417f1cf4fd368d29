"""Remember in a cookie, while a person is at the provider of single sign-on, why the person was sent there.

Only the browser that began a sign-in has the cookie, and only this service can sign it. It ends with the response of
the provider, and after ten minutes.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from flask import request
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.wrappers import Response as BaseResponse

from scimsvc.console.identity_provider import Challenge
from scimsvc.console.sessions import ConsoleSessions, cookie_prefix
from scimsvc.settings.keys import derive_key
from scimsvc.web.state import app_settings, request_state

LIFETIME = timedelta(minutes=10)
COOKIE = "scimsvc_console_single_sign_on"
#: The purpose of the key that signs the cookie.
_FLOWS = "console single sign-on"
_LONGEST = 3000
#: Characters of the page to continue with. Browsers do not store longer cookies than 4 KB.
_LONGEST_NEXT = 1000


class Purpose(StrEnum):
    """Why the provider signs a person in."""

    SIGN_IN = "sign in"
    #: Link the identity to the account that is signed in, whose ID is the subject of the flow.
    LINK = "link"
    #: Link the identity to the account of a one-time link, whose digest is the subject of the flow.
    ACCEPT = "accept"
    #: Confirm the session of the account that is signed in, whose ID is the subject of the flow.
    CONFIRM = "confirm"


class Flow(NamedTuple):
    """A sign-in that has begun."""

    challenge: Challenge
    purpose: Purpose
    subject: str = ""
    next: str = ""


def remember_flow(response: BaseResponse, flow: Flow) -> BaseResponse:
    """Add the cookie of ``flow`` to ``response``."""
    next_page = flow.next if len(flow.next) <= _LONGEST_NEXT else ""
    content = [*flow.challenge, flow.purpose.value, flow.subject, next_page]
    response.set_cookie(_name(), _serializer().dumps(content), max_age=LIFETIME, httponly=True, **_attributes())
    return response


def forget_flow(response: BaseResponse) -> BaseResponse:
    """Delete the cookie, so that its flow cannot be used again."""
    response.delete_cookie(_name(), httponly=True, **_attributes())
    return response


def current_flow() -> Flow | None:
    """Return the flow of the request's browser, or None."""
    cookie = request.cookies.get(_name(), "")
    if not 0 < len(cookie) <= _LONGEST:
        return None
    try:
        content: Any = _serializer().loads(cookie, max_age=int(LIFETIME.total_seconds()))
    except BadData:
        return None
    *challenge, purpose, subject, next_page = content
    return Flow(Challenge(*challenge), Purpose(purpose), subject, next_page)


def _name() -> str:
    return cookie_prefix(request_state().app) + COOKIE


def _attributes() -> dict[str, Any]:
    sessions, app = ConsoleSessions(), request_state().app
    return {
        "path": sessions.get_cookie_path(app),
        "secure": sessions.get_cookie_secure(app),
        "samesite": "Lax",  # the provider's response is a link from another site
    }


def _serializer() -> URLSafeTimedSerializer:
    # itsdangerous expects the oldest key first.
    keys = [derive_key(key, _FLOWS) for key in reversed(app_settings().secret_keys)]
    return URLSafeTimedSerializer(keys, salt="scimsvc.console-single-sign-on")
