"""The cookies of the console's sessions. Other paths use tokens and have no sessions."""

import hashlib

from flask import Flask, Request, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

from scimsvc.auth.lanes import HOST_PREFIX, SECURE_PREFIX, SESSION_COOKIE
from scimsvc.paths import CONSOLE_PREFIX
from scimsvc.web.state import web_state


class ConsoleSessions(SecureCookieSessionInterface):
    """Sessions whose random ID is in a signed cookie that browsers send to the console. Scripts cannot read it.

    The database has the sessions (``enterprises.sessions``). The cookie also has the secret of forms and messages to
    show once.
    """

    salt = "scimsvc.console-session"
    digest_method = staticmethod(hashlib.sha256)

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Open a session below ``/console`` only, so that Flask sets no cookies elsewhere."""
        if not request.path.startswith(CONSOLE_PREFIX):
            return None
        return super().open_session(app, request)

    def get_cookie_name(self, app: Flask) -> str:
        """Return a name that does not collide with the cookie of the host application."""
        return cookie_prefix(app) + SESSION_COOKIE

    def get_cookie_path(self, app: Flask) -> str:
        """Return the path of the console, including the prefix of a mounted application, or ``/`` for ``__Host-``."""
        return "/" if cookie_prefix(app) == HOST_PREFIX else request.script_root + CONSOLE_PREFIX

    def get_cookie_secure(self, app: Flask) -> bool:
        """Return whether the cookie is restricted to HTTPS."""
        return is_secure(app)

    def get_cookie_samesite(self, app: Flask) -> str:
        """Return ``Lax``. The cookie is sent with links from other sites, but not with other requests from there."""
        return "Lax"


def is_secure(app: Flask) -> bool:
    """Return whether the request or the public URL uses HTTPS."""
    return request.is_secure or (web_state.of(app).settings.public_url or "").startswith("https://")


def cookie_prefix(app: Flask) -> str:
    """Return the prefix of the names of cookies.

    Browsers accept a ``__Host-`` cookie only from this host, so that no other host of the domain can set it. It is sent
    to every path, so below the prefix of a mounted application the cookie is restricted to the console instead.
    """
    if not is_secure(app):
        return ""
    return SECURE_PREFIX if request.script_root else HOST_PREFIX
