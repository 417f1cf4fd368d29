"""No sessions: requests bear tokens, and looking for a cookie in each would be in vain."""

from flask import Flask, Request
from flask.sessions import SessionInterface, SessionMixin


class NoSessions(SessionInterface):
    """Opens none, so that Flask gives each request the null session and saves nothing."""

    def open_session(self, app: Flask, request: Request) -> SessionMixin | None:  # as Flask calls it
        """Open none."""
        return None
