"""The colors of the pages: those of the system, or those that the reader chose in this browser."""

from flask import request
from werkzeug.wrappers import Response as BaseResponse

from scimsvc.console.browsers import LIFETIME
from scimsvc.console.sessions import ConsoleSessions, cookie_prefix
from scimsvc.web.state import request_state

COOKIE = "scimsvc_console_theme"
#: The colors of the system, which need no cookie.
SYSTEM = "system"
#: The choices, each with its label.
THEMES = {SYSTEM: "System", "light": "Light", "dark": "Dark"}


def chosen_theme() -> str:
    """Return the colors that the reader chose."""
    theme = request.cookies.get(_cookie(), SYSTEM)
    return theme if theme in THEMES else SYSTEM


def remember_theme(response: BaseResponse, theme: str) -> BaseResponse:
    """Add the cookie with the choice to ``response``. It needs no signature, because it only chooses colors."""
    sessions, app = ConsoleSessions(), request_state().app
    forget = theme == SYSTEM or theme not in THEMES
    response.set_cookie(
        _cookie(),
        "" if forget else theme,
        max_age=0 if forget else LIFETIME,
        path=sessions.get_cookie_path(app),
        secure=sessions.get_cookie_secure(app),
        httponly=True,
        samesite=sessions.get_cookie_samesite(app),
    )
    return response


def _cookie() -> str:
    return cookie_prefix(request_state().app) + COOKIE
