"""Flask, less what every request would pay for and no request here needs."""

from collections.abc import Callable
from typing import Any

from flask import Flask, Request
from flask.sessions import SessionInterface, SessionMixin


class _NoSessions(SessionInterface):
    """Opens none, so that Flask gives each request the null session and saves nothing."""

    def open_session(self, app: Flask, request: Request) -> SessionMixin | None:  # as Flask calls it
        """Open none."""
        return None


class Application(Flask):
    """Requests bear tokens, so that looking for a cookie in each would be in vain; and nothing here is a coroutine."""

    session_interface = _NoSessions()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``func`` as it is, without the look at it that Flask takes on every call."""
        return func
