"""Sessions of the console. Other paths use tokens and have no sessions."""

import hashlib

from flask import Flask, Request, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

from scimsvc.paths import CONSOLE_PREFIX
from scimsvc.web.state import web_state


class ConsoleSessions(SecureCookieSessionInterface):
    """Sessions in a signed cookie that the browser sends only to the console. Scripts cannot read it."""

    salt = "scimsvc.console-session"
    digest_method = staticmethod(hashlib.sha256)

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Open a session below ``/console`` only, so that Flask sets no cookies elsewhere."""
        if not request.path.startswith(CONSOLE_PREFIX):
            return None
        return super().open_session(app, request)

    def get_cookie_name(self, app: Flask) -> str:
        """Return a name that does not collide with the cookie of the host application."""
        return "scimsvc_console"

    def get_cookie_path(self, app: Flask) -> str:
        """Return the path of the console, including the prefix of a mounted application."""
        return request.script_root + CONSOLE_PREFIX

    def get_cookie_secure(self, app: Flask) -> bool:
        """Return whether the cookie is restricted to HTTPS: if the request or the public URL uses HTTPS."""
        return request.is_secure or (web_state.of(app).settings.public_url or "").startswith("https://")

    def get_cookie_samesite(self, app: Flask) -> str:
        """Return ``Lax``. The cookie is sent with links from other sites, but not with other requests from there."""
        return "Lax"
