"""Open a TLS connection to a checked address, on which the deadline holds for every byte."""

import os
import socket
import ssl
import time
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from scimsvc.notifications.sending import problems
from scimsvc.notifications.sending.addresses import Address, find_refusal
from scimsvc.notifications.sending.problems import Unreachable
from scimsvc.notifications.sending.resolving import resolver
from scimsvc.notifications.sending.urls import Target
from scimsvc.settings.webhooks import Networks

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

#: The addresses of one name that are tried, and the most seconds for each but the last.
_MOST_TRIED = 4
_SECONDS_EACH = 4.0


class TooLong(OSError):
    """The receiver sent more bytes than are read."""


class Budget:
    """The seconds and the received bytes of one attempt."""

    def __init__(self, seconds: float, size: int) -> None:
        self._expires = time.monotonic() + seconds
        self._size = size
        #: The bytes that were received.
        self.received = 0

    def seconds(self) -> float:
        """Return the seconds that are left. Raises ``TimeoutError`` if there are none."""
        left = self._expires - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def receive(self, size: int) -> None:
        """Count received bytes. Raises ``TooLong`` if they are too many."""
        self.received += size
        if self.received > self._size:
            raise TooLong


class BudgetedSocket(ssl.SSLSocket):
    """A TLS socket whose sends and receives keep to a budget.

    The timeout of a socket applies to each call, so a receiver that sends one byte at a time would never reach it.
    """

    budget: Budget

    def send(self, data: "ReadableBuffer", flags: int = 0) -> int:
        """Send within the seconds of the budget."""
        self.settimeout(self.budget.seconds())
        return super().send(data, flags)

    def recv_into(self, buffer: "WriteableBuffer", nbytes: int | None = None, flags: int = 0) -> int:
        """Receive within the seconds and the bytes of the budget."""
        self.settimeout(self.budget.seconds())
        size = super().recv_into(buffer, nbytes, flags)
        self.budget.receive(size)
        return size


def connect(target: Target, networks: Networks, budget: Budget) -> BudgetedSocket:
    """Return a TLS connection to the target's host. Raises ``Unreachable``.

    The host is resolved once. If one of its addresses is refused, the connection is not opened. The connection goes to
    a checked address, and the certificate is verified for the name, so that a second lookup cannot lead elsewhere.
    """
    addresses = _checked_addresses(target, networks, budget)
    connection = _connect_to_one(target, addresses[:_MOST_TRIED], budget)
    try:
        connection.settimeout(budget.seconds())
        return _begin_tls(connection, target, budget)
    except OSError as error:
        connection.close()
        raise Unreachable(problems.no_tls(target, error)) from None


def _checked_addresses(target: Target, networks: Networks, budget: Budget) -> list[Address]:
    addresses = [target.address] if target.address else resolver.resolve(target.host, budget.seconds())
    for address in addresses:
        kind = find_refusal(address, networks)
        if kind is not None:
            raise Unreachable(problems.refused_address(target.host, address, kind))
    return addresses


def _connect_to_one(target: Target, addresses: Iterable[Address], budget: Budget) -> socket.socket:
    """Return a connection to the first address that accepts one."""
    *others, last = addresses
    for address in others:
        try:
            return _open(address, target.port, min(_SECONDS_EACH, budget.seconds()))
        except OSError:
            continue  # the next address may be reachable
    try:
        return _open(last, target.port, budget.seconds())
    except OSError as error:
        raise Unreachable(problems.not_connected(target, error)) from None


def _open(address: Address, port: int, seconds: float) -> socket.socket:
    connection = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
    try:
        connection.settimeout(seconds)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.connect((str(address), port))
    except BaseException:
        connection.close()
        raise
    return connection


def _begin_tls(connection: socket.socket, target: Target, budget: Budget) -> BudgetedSocket:
    """Return ``connection`` with TLS. OpenSSL applies the timeout of the socket to the handshake as a whole."""
    context = _context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    wrapped = context.wrap_socket(connection, server_hostname=target.host)
    assert isinstance(wrapped, BudgetedSocket)
    wrapped.budget = budget
    return wrapped


@lru_cache(maxsize=2)
def _context(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """Return a context with the system's certificates, or those that the variables of OpenSSL name."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    context.sslsocket_class = BudgetedSocket
    return context
