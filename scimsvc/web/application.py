"""Flask, less what every request would pay for and no request here needs."""

from collections.abc import Callable
from typing import Any

from flask import Flask

from scimsvc.web.console.sessions import ConsoleSessions


class Application(Flask):
    """Nothing here is a coroutine, and only the console has sessions: other requests bear tokens, and no cookies."""

    session_interface = ConsoleSessions()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``func`` as it is, without the look at it that Flask takes on every call."""
        return func
