"""Build the URLs in responses from ``SCIMSVC_PUBLIC_URL`` or from the scheme, host and prefix of the request."""

import re
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

from scimsvc.errors import ServiceError
from scimsvc.paths import API_PREFIX, AUTHENTICATE_PATH, CONSOLE_PREFIX, SCIM_PREFIX
from scimsvc.web.state import RequestState, request_state

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class InvalidHost(ServiceError):
    """The Host header, or the host that a proxy forwards, is not a valid host name."""


def tenant_url() -> str:
    """Return the base URL of SCIM. Raises ``InvalidHost`` if the request has no valid host."""
    return public_root(request_state()) + SCIM_PREFIX


def token_endpoint_url() -> str:
    """Return the URL of the token endpoint. Raises ``InvalidHost`` if the request has no valid host."""
    return public_root(request_state()) + AUTHENTICATE_PATH


def api_url() -> str:
    """Return the base URL of the enterprise API. Raises ``InvalidHost`` if the request has no valid host."""
    return public_root(request_state()) + API_PREFIX


def password_url(root: str, link: str) -> str:
    """Return the URL of the page below ``root`` where the one-time ``link`` sets a password."""
    return f"{root}{CONSOLE_PREFIX}/password/{link}"


def public_root(state: RequestState) -> str:
    """Return the root URL of the application: ``SCIMSVC_PUBLIC_URL``, or the root of the requested URL.

    Raises ``InvalidHost`` if the request has no valid host.
    """
    return state.settings.public_url or _requested_root(state.request.environ)


_HOST = re.compile(r"(?P<name>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?")
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_LAST_PORT = 65535


def _requested_root(environ: "WSGIEnvironment") -> str:
    scheme = environ["wsgi.url_scheme"]
    host = environ.get("HTTP_HOST")
    if not host:
        port = environ["SERVER_PORT"]
        host = environ["SERVER_NAME"] + (f":{port}" if port != _DEFAULT_PORTS.get(scheme) else "")
    return _checked_root(scheme, host, environ.get("SCRIPT_NAME", ""))


@lru_cache(maxsize=64)
def _checked_root(scheme: str, host: str, prefix: str) -> str:
    if scheme not in _DEFAULT_PORTS or not _is_host(host):
        raise InvalidHost(
            "The Host or X-Forwarded-Host header is not a valid host name. "
            "Set SCIMSVC_PUBLIC_URL to the public address of this service."
        )
    return f"{scheme}://{host}{quote(prefix, safe='/', encoding='latin-1')}".rstrip("/")


def _is_host(host: str) -> bool:
    match = _HOST.fullmatch(host)
    if match is None or int(match["port"] or 0) > _LAST_PORT:
        return False
    try:
        match["name"].encode("ascii").decode("idna")  # refuses empty and overlong labels
    except UnicodeError:
        return False
    return True
