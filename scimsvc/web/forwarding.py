"""Ignore forwarded headers that cannot be right, for proxies that pass on the headers of clients."""

import logging
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PREFIX = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)*/?", re.ASCII)
_LONGEST_PREFIX = 200
_SCHEMES = ("http", "https")

_log = logging.getLogger("scimsvc")


class CheckedForwarding:
    """WSGI middleware behind ``ProxyFix`` that takes back a prefix or scheme that is not valid.

    Redirects and links begin with the prefix. With ``//evil.example`` they would lead to another site.
    ``scimsvc.web.urls`` checks the host, because a request without a forwarded host can have an invalid one too.
    """

    def __init__(self, application: "WSGIApplication") -> None:
        self.application = application
        self._logged: set[str] = set()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        """Serve the request with valid forwarded values only."""
        if "HTTP_X_FORWARDED_PREFIX" in environ and not _is_prefix(environ.get("SCRIPT_NAME", "")):
            self._take_back("SCRIPT_NAME", environ, "X-Forwarded-Prefix", "an absolute path without empty segments")
        if environ["wsgi.url_scheme"] not in _SCHEMES:
            self._take_back("wsgi.url_scheme", environ, "X-Forwarded-Proto", "http or https")
        return self.application(environ, start_response)

    def _take_back(self, name: str, environ: "WSGIEnvironment", header: str, wanted: str) -> None:
        environ[name] = environ["werkzeug.proxy_fix.orig"][name] or ""
        if header not in self._logged:  # once, because a client may send the header with each request
            self._logged.add(header)
            _log.warning("%s is not %s, and is ignored. Set the proxy to replace the client's header.", header, wanted)


def _is_prefix(path: str) -> bool:
    return len(path) <= _LONGEST_PREFIX and _PREFIX.fullmatch(path) is not None
