"""Resolve host names within a time, although the C library's lookup has none.

A lookup runs in a thread of its own. One that hangs keeps its thread until the library gives up. Requests for the same
name therefore share one lookup, and the number of lookups is bounded.
"""

import socket
import threading
from ipaddress import IPv6Address, ip_address

from scimsvc.notifications.sending import problems
from scimsvc.notifications.sending.addresses import Address
from scimsvc.notifications.sending.problems import Unreachable

MOST_LOOKUPS = 32


class _Lookup:
    """A running lookup and its result."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.addresses: list[Address] = []


class Resolver:
    """Resolves names for all webhooks of a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, _Lookup] = {}

    def resolve(self, host: str, seconds: float) -> list[Address]:
        """Return all addresses of ``host``, without duplicates. Raises ``Unreachable``."""
        lookup = self._begin(host)
        if not lookup.ended.wait(seconds):
            raise Unreachable(problems.slow_lookup(host, seconds))
        if not lookup.addresses:
            raise Unreachable(problems.unknown_name(host))
        return lookup.addresses

    def _begin(self, host: str) -> _Lookup:
        with self._lock:
            lookup = self._running.get(host)
            if lookup is not None:
                return lookup
            if len(self._running) >= MOST_LOOKUPS:
                raise Unreachable(problems.too_many_lookups(host))
            lookup = self._running[host] = _Lookup()
            threading.Thread(target=self._run, args=(host, lookup), name="scimsvc-lookup", daemon=True).start()
            return lookup

    def _run(self, host: str, lookup: _Lookup) -> None:
        try:
            lookup.addresses = _look_up(host)
        finally:
            with self._lock:
                del self._running[host]
            lookup.ended.set()


def _look_up(host: str) -> list[Address]:
    try:
        entries = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # UnicodeError: a label that IDNA cannot encode
        return []
    return list(dict.fromkeys(_address(*entry[4]) for entry in entries))


def _address(text: str | int, _port: int | bytes, _flow: int = 0, scope_id: int = 0) -> Address:
    """Return the address of an entry of ``getaddrinfo``, with its zone ID."""
    address = ip_address(text)
    has_zone = isinstance(address, IPv6Address) and scope_id and address.scope_id is None
    return IPv6Address(f"{address}%{scope_id}") if has_zone else address


resolver = Resolver()
