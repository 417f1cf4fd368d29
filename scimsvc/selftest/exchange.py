"""HTTP exchanges that send exactly what a check asks for, and name the kind of each failure of the network.

Paths, queries and header fields are sent as they are: no quoting, no redirects, no cookies, no environment's proxy.
"""

import http.client
import json
import socket
import ssl
import time
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any, Self

from scimsvc.selftest.target import Target

#: Seconds that connecting, and each wait for bytes of an answer, may take. Entra waits 60 seconds.
CONNECT_TIMEOUT, TIMEOUT = 15.0, 60.0
#: The largest answer that is read, in bytes.
MAX_ANSWER = 16 * 1024 * 1024
SCIM_JSON = "application/scim+json"


class Failure(StrEnum):
    """The kinds of failures of the network."""

    DNS = "dns"
    REFUSED = "refused"
    TLS = "tls"
    TIMEOUT = "timeout"
    CLOSED = "closed"
    UNREADABLE = "unreadable"


class TransportFailure(Exception):
    """An exchange without an answer. ``reason`` is the text of the operating system or of OpenSSL."""

    def __init__(self, kind: Failure, reason: str) -> None:
        super().__init__(f"{kind}: {reason}")
        self.kind = kind
        self.reason = reason


@dataclass(frozen=True)
class Request:
    """A request. ``target`` is the request target as it is sent: path and query, encoded by the caller.

    A header with the value None is not sent, also if it has a default. ``version`` is ``1.1`` or ``1.0``.
    """

    method: str
    target: str
    headers: dict[str, str | None] = field(default_factory=dict)
    body: bytes | None = None
    version: str = "1.1"
    timeout: float = TIMEOUT


@dataclass(frozen=True)
class Answer:
    """A response. ``seconds`` is the time from the request's first byte to the answer's last."""

    status: int
    headers: http.client.HTTPMessage
    content: bytes
    seconds: float
    version: str = "1.1"

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode("utf-8", "replace")

    @property
    def media_type(self) -> str:
        """The media type without parameters, in lower case, or an empty text without one."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def body(self) -> Any:
        """The body as JSON, None if it is empty. Raises ``ValueError`` if it is not JSON."""
        return json.loads(self.content) if self.content else None

    @property
    def document(self) -> dict[str, Any]:
        """The body as a JSON object; an empty one if it is anything else."""
        try:
            body = self.body
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}


class _HTTP10(http.client.HTTPConnection):
    _http_vsn = 10
    _http_vsn_str = "HTTP/1.0"


_CLIENTS: dict[str, type[http.client.HTTPConnection]] = {"1.1": http.client.HTTPConnection, "1.0": _HTTP10}


class Connection:
    """A connection that is kept open for several requests. It is opened by the first one."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. The next request opens another one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def send(self, request: Request) -> Answer:
        """Send the request and return the answer. Raises ``TransportFailure``; the connection is then closed."""
        try:
            if self._socket is None:
                self._socket = open_socket(self._target)
            return self._exchange(self._socket, request)
        except BaseException as error:
            self.close()
            if isinstance(error, OSError | http.client.HTTPException):
                raise _failure(error) from error
            raise

    def _exchange(self, opened: socket.socket, request: Request) -> Answer:
        opened.settimeout(request.timeout)
        client = _CLIENTS[request.version](self._target.authority)
        client.sock = opened
        started = time.perf_counter()
        _write(client, request, self._target)
        response = client.getresponse()
        content = response.read(MAX_ANSWER)
        if response.will_close:
            self.close()
        else:
            response.close()
        seconds = time.perf_counter() - started
        version = "1.0" if response.version == 10 else "1.1"
        return Answer(response.status, response.headers, content, seconds, version)


def exchange(target: Target, request: Request) -> Answer:
    """Send the request over a new connection. Raises ``TransportFailure``."""
    with Connection(target) as connection:
        return connection.send(request)


def open_socket(target: Target, timeout: float = CONNECT_TIMEOUT) -> socket.socket:
    """Return a new connection, with TLS and a verified certificate for https. Raises ``TransportFailure``."""
    try:
        plain = socket.create_connection((target.host, target.port), timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not target.is_secure:
            return plain
        return _shared_context(target).wrap_socket(plain, server_hostname=target.host)
    except (OSError, UnicodeError) as error:
        raise _failure(error) from error


def tls_context(target: Target) -> ssl.SSLContext:
    """Return the settings of TLS: the system's issuers (``SSL_CERT_FILE``), and those of the target's file."""
    context = ssl.create_default_context()
    if target.ca_file is not None:
        context.load_verify_locations(target.ca_file)
    return context


#: Reading the system's issuers takes longer than a handshake, so a run does it once.
_shared_context = lru_cache(maxsize=8)(tls_context)


def forget_issuers() -> None:
    """Read the issuers again at the next connection. They may have changed since the last run."""
    _shared_context.cache_clear()


def _write(client: http.client.HTTPConnection, request: Request, target: Target) -> None:
    defaults: dict[str, str | None] = {"Host": target.authority, "Accept": SCIM_JSON}
    if request.body is not None:
        defaults |= {"Content-Type": f"{SCIM_JSON}; charset=utf-8", "Content-Length": str(len(request.body))}
    client.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
    for name, value in _merged(defaults, request.headers).items():
        if value is not None:
            client.putheader(name, value)
    client.endheaders(request.body)


def _merged(defaults: dict[str, str | None], headers: dict[str, str | None]) -> dict[str, str | None]:
    named = {name.lower() for name in headers}
    return {name: value for name, value in defaults.items() if name.lower() not in named} | headers


def _failure(error: Exception) -> TransportFailure:
    if isinstance(error, TransportFailure):
        return error
    return TransportFailure(_kind(error), _reason(error))


def _kind(error: Exception) -> Failure:
    if isinstance(error, socket.gaierror | UnicodeError):
        return Failure.DNS
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | http.client.RemoteDisconnected):
        return Failure.CLOSED
    if isinstance(error, TimeoutError):
        return Failure.TIMEOUT
    if isinstance(error, ssl.SSLError):
        return Failure.TLS
    if isinstance(error, ConnectionResetError | BrokenPipeError | http.client.IncompleteRead):
        return Failure.CLOSED
    if isinstance(error, http.client.HTTPException):
        return Failure.UNREADABLE
    return Failure.REFUSED


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, TimeoutError):
        return "timed out"
    return str(getattr(error, "strerror", None) or error or type(error).__name__)
