"""Send POST requests to a receiver, each within a deadline, and read their outcome.

This uses ``http.client``. urllib3 can pin an address too (``server_hostname`` and ``assert_hostname`` of a pool), but
its timeouts apply to each read, so that a receiver which sends a byte every few seconds holds a thread forever. A bound
for the whole exchange needs the socket itself, which urllib3 keeps private. With ``http.client`` this package opens the
connection: ``BudgetedSocket`` bounds every send and receive, without a watchdog. There are no proxies, redirects,
retries or pools to switch off, and urllib3 would be a new dependency.
"""

import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from ssl import SSLError
from typing import NamedTuple

from scimsvc.errors import InvalidInput
from scimsvc.notifications.sending import problems
from scimsvc.notifications.sending.connections import Budget, BudgetedSocket, TooLong, connect
from scimsvc.notifications.sending.problems import Unreachable
from scimsvc.notifications.sending.retry_after import read_retry_after
from scimsvc.notifications.sending.urls import HTTPS_PORT, Target, parse_url
from scimsvc.settings.webhooks import Networks

#: Seconds of an attempt, from the lookup of the name to the last byte of the answer.
SECONDS = 15.0
#: Bytes of an answer that are read. The rest of a longer one is ignored.
MOST_BYTES = 64 * 1024
_PART = 8192


class Outcome(NamedTuple):
    """The result of an attempt."""

    #: None without an answer.
    status: int | None
    #: A text for people that says what to change. None for a success.
    error: str | None
    #: Seconds from now before which the receiver wants no other request.
    retry_after: float | None
    duration_ms: int

    @property
    def is_success(self) -> bool:
        """Whether the receiver accepted the message."""
        return self.error is None


def post(url: str, headers: Mapping[str, str], *, body: bytes, networks: Networks, seconds: float = SECONDS) -> Outcome:
    """Send one request to ``url``, and return its outcome."""
    receiver = Receiver(url, networks, seconds=seconds)
    try:
        return receiver.post(headers, body)
    finally:
        receiver.close()


class Receiver:
    """Sends requests to one URL, over one connection if the receiver keeps it open. Used by one thread at a time."""

    def __init__(self, url: str, networks: Networks, *, seconds: float = SECONDS) -> None:
        self._url = url
        self._networks = networks
        self._seconds = seconds
        self._connection: _Connection | None = None
        self._is_aborted = False

    def post(self, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Send ``body`` with ``headers``, and return the outcome. Network errors are outcomes too."""
        began = time.monotonic()
        status, error, retry_after = self._attempt(headers, body)
        return Outcome(status, error, retry_after, round((time.monotonic() - began) * 1000))

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def abort(self) -> None:
        """End a running request soon, and send no other. Another thread may call this."""
        self._is_aborted = True
        connection = self._connection
        if connection is not None:
            connection.abort()

    def _attempt(self, headers: Mapping[str, str], body: bytes) -> tuple[int | None, str | None, float | None]:
        try:
            target = parse_url(self._url)
            response = self._exchange(target, headers, body)
        except InvalidInput as error:
            return None, error.detail, None
        except Unreachable as error:
            self.close()
            return None, str(error), None
        status = response.status
        if 200 <= status < 300:
            return status, None, None
        return status, problems.bad_status(status), read_retry_after(response.headers.get("Retry-After"))

    def _exchange(self, target: Target, headers: Mapping[str, str], body: bytes) -> HTTPResponse:
        """Return the response, after its body was read. Raises ``Unreachable``."""
        budget = Budget(self._seconds, MOST_BYTES)
        sent = {"Host": target.authority, **headers}
        try:
            if self._connection is not None:
                try:
                    return self._send(self._connection, budget, target.path, sent, body)
                except (ConnectionError, SSLError):
                    if budget.received:
                        raise
                    self.close()  # the receiver closed an idle connection, so a new one is opened
            self._connection = _Connection(target, connect(target, self._networks, budget))
            if self._is_aborted:
                raise Unreachable(problems.broken(target))
            return self._send(self._connection, budget, target.path, sent, body)
        except TimeoutError:
            raise Unreachable(problems.too_slow(target, self._seconds)) from None
        except TooLong:
            raise Unreachable(problems.too_long(target, MOST_BYTES)) from None
        except OSError:
            raise Unreachable(problems.broken(target)) from None
        except IncompleteRead:
            raise Unreachable(problems.broken(target)) from None
        except HTTPException:
            raise Unreachable(problems.not_http(target)) from None

    def _send(
        self, connection: "_Connection", budget: Budget, path: str, headers: Mapping[str, str], body: bytes
    ) -> HTTPResponse:
        connection.socket.budget = budget
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        try:
            while response.read(_PART):
                pass
            if response.length:  # with a size, http.client does not raise it
                raise IncompleteRead(b"", response.length)
        except TooLong:
            self.close()  # the status counts, and the rest of the body is not read
        if response.will_close:
            self.close()
        return response


class _Connection(HTTPConnection):
    """An HTTP connection on a connected socket. It never connects by itself."""

    auto_open = 0
    default_port = HTTPS_PORT

    def __init__(self, target: Target, connected: BudgetedSocket) -> None:
        super().__init__(target.host, target.port)
        self.socket = self.sock = connected

    def abort(self) -> None:
        """Let the running send or receive fail."""
        with suppress(OSError):  # the connection may have ended
            # The method of SSLSocket would discard the TLS state while another thread uses it.
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)
