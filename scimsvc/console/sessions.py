"""Sessions, for the console alone: every other path bears tokens, and looking for a cookie there would be in vain."""

import hashlib

from flask import Flask, Request, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

from scimsvc.paths import CONSOLE_PREFIX
from scimsvc.web.state import web_state


class ConsoleSessions(SecureCookieSessionInterface):
    """Keeps a session in a signed cookie that the browser sends to the console alone, and no script can read."""

    salt = "scimsvc.console-session"
    digest_method = staticmethod(hashlib.sha256)

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Open a session below ``/console``, and none elsewhere, so that Flask saves nothing there."""
        if not request.path.startswith(CONSOLE_PREFIX):
            return None
        return super().open_session(app, request)

    def get_cookie_name(self, app: Flask) -> str:
        """Return a name that does not get in the way of the host application's own."""
        return "scimsvc_console"

    def get_cookie_path(self, app: Flask) -> str:
        """Return the console's path, also where the application is mounted below another one."""
        return request.script_root + CONSOLE_PREFIX

    def get_cookie_secure(self, app: Flask) -> bool:
        """Tell the browser to keep the cookie from plain HTTP, wherever HTTPS is what people use."""
        return request.is_secure or (web_state.of(app).settings.public_url or "").startswith("https://")

    def get_cookie_samesite(self, app: Flask) -> str:
        """Keep the cookie from requests that other sites make; a link that somebody follows may have it."""
        return "Lax"
