"""Decide the lane and the kind of a request from its head."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadData

from scimsvc.auth.lanes import SESSION_COOKIES, find_enterprise, lane_of_session
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

    #: The most tokens, and the most sessions, whose lanes are remembered.
    MOST = 2048

    def __init__(self, app: Flask) -> None:
        self._signer = token_signer.of(app)
        self._proxies = web_state.of(app).settings.trusted_proxies
        sessions = app.session_interface
        assert isinstance(sessions, SecureCookieSessionInterface)
        # Parsing all cookies of a header takes up to 40 ms of the thread that reads all connections.
        names = "|".join(map(re.escape, SESSION_COOKIES))
        self._cookie = re.compile(rf"(?:^|;)[ \t]*(?:{names})=([^; \t]*)")
        self._serializer = sessions.get_signing_serializer(app)
        self._lifetime = int(app.permanent_session_lifetime.total_seconds())
        #: The lanes of signed tokens by header, and of signed sessions by cookie. Others are not remembered.
        self._tokens: dict[str, LaneName] = {}
        self._sessions: dict[str, LaneName] = {}

    def find(self, headers: Mapping[str, str], path: str, address: str) -> LaneName:
        """Return the lane of a request from ``address`` with these headers of waitress and this clean path."""
        authorization = headers.get("AUTHORIZATION")
        lane = None
        if authorization is not None:
            lane = self._tokens.get(authorization) or self._read_token(authorization)
        if lane is None and is_console(path):
            lane = self._find_session(headers.get("COOKIE", ""))
        return lane or LaneName(lane_of_address(self._client(headers, address)), is_known=False)

    def _read_token(self, authorization: str) -> LaneName | None:
        enterprise_id = find_enterprise(authorization, self._signer)
        return self._remember(self._tokens, authorization, enterprise_id) if enterprise_id is not None else None

    def _find_session(self, cookies: str) -> LaneName | None:
        found = self._cookie.search(cookies)
        if found is None or self._serializer is None:
            return None
        cookie = found[1]
        remembered = self._sessions.get(cookie)
        if remembered is not None:
            return remembered
        try:
            lane = lane_of_session(self._serializer.loads(cookie, max_age=self._lifetime))
        except BadData:
            return None
        return self._remember(self._sessions, cookie, lane) if lane is not None else None

    def _remember(self, lanes: dict[str, LaneName], text: str, lane: str) -> LaneName:
        if len(lanes) >= self.MOST:
            lanes.clear()
        name = lanes[text] = LaneName(lane, is_known=True)
        return name

    def _client(self, headers: Mapping[str, str], address: str) -> str:
        """Return the client's address, which is in a header of the outermost trusted proxy."""
        if self._proxies:
            forwarded = headers.get("X_FORWARDED_FOR", "").split(",")
            if len(forwarded) >= self._proxies:
                return forwarded[-self._proxies].strip() or address
        return address


#: The longest text of an address with its port.
_LONGEST_ADDRESS = 64
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
