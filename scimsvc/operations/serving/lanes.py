"""Decide the lane and the kind of a request from its head."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadData
from werkzeug.http import parse_cookie

from scimsvc.auth.lanes import TokenEnterprises, lane_of_session
from scimsvc.auth.state import token_signer
from scimsvc.operations.serving.slots import Kind
from scimsvc.paths import CONSOLE_PREFIX, clean_path, is_console
from scimsvc.web.client_address import network_of
from scimsvc.web.state import web_state


class LaneName(NamedTuple):
    """The name of a lane. ``is_known`` is False for the lane of an address, which anyone can use."""

    name: str
    is_known: bool


class Lanes:
    """Finds the lanes of requests to one app."""

    #: The most sessions that are remembered by their cookie.
    MOST_SESSIONS = 1024

    def __init__(self, app: Flask) -> None:
        self._tokens = TokenEnterprises(token_signer.of(app))
        self._proxies = web_state.of(app).settings.trusted_proxies
        sessions = app.session_interface
        assert isinstance(sessions, SecureCookieSessionInterface)
        self._cookie = sessions.get_cookie_name(app)
        self._serializer = sessions.get_signing_serializer(app)
        self._lifetime = int(app.permanent_session_lifetime.total_seconds())
        self._sessions: dict[str, str] = {}

    def find(self, headers: Mapping[str, str], path: str, address: str) -> LaneName:
        """Return the lane of a request from ``address`` with these headers of waitress and this clean path."""
        enterprise_id = self._tokens.find(headers.get("AUTHORIZATION"))
        if enterprise_id is None and is_console(path):
            enterprise_id = self._find_session(headers.get("COOKIE", ""))
        if enterprise_id is not None:
            return LaneName(enterprise_id, is_known=True)
        return LaneName(lane_of_address(self._client(headers, address)), is_known=False)

    def _find_session(self, cookies: str) -> str | None:
        if self._cookie not in cookies or self._serializer is None:
            return None
        cookie = parse_cookie(cookies).get(self._cookie, "")
        lane = self._sessions.get(cookie)
        if lane is None:
            try:
                lane = lane_of_session(self._serializer.loads(cookie, max_age=self._lifetime))
            except BadData:
                return None
            if lane is not None:
                if len(self._sessions) >= self.MOST_SESSIONS:
                    self._sessions.clear()
                self._sessions[cookie] = lane
        return lane

    def _client(self, headers: Mapping[str, str], address: str) -> str:
        """Return the client's address, which is in a header of the outermost trusted proxy."""
        if self._proxies:
            forwarded = headers.get("X_FORWARDED_FOR", "").split(",")
            if len(forwarded) >= self._proxies:
                return forwarded[-self._proxies].strip() or address
        return address


#: The longest text of an address.
_LONGEST_ADDRESS = 45
_network_of = lru_cache(maxsize=1024)(network_of)


def lane_of_address(address: str) -> str:
    """Return the lane of a client's address. The addresses of an IPv6 network share one."""
    return "address " + _network_of(address[:_LONGEST_ADDRESS])


_READS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_SIGN_IN = CONSOLE_PREFIX + "/sign-in"
_PASSWORD = CONSOLE_PREFIX + "/password/"


def kind_of(method: str, path: str) -> Kind:
    """Return the kind of a request with this method and clean path."""
    if method in _READS or path.endswith("/.search"):
        return Kind.READ
    if path == _SIGN_IN or path.startswith(_PASSWORD):
        return Kind.SIGN_IN
    return Kind.WRITE


def route_of(path: str) -> str:
    """Return the path of a request in the form that the app routes."""
    return clean_path(path) if "//" in path or path[-1:] in ("", "/") else path
