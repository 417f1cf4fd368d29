"""The address of a client, as counters of attempts see it."""

import logging
from ipaddress import IPv6Address, ip_address

from flask import Request

from scimsvc.web.state import AppState, request_state

_log = logging.getLogger("scimsvc")
#: The bits of an IPv6 address that identify a network. A client chooses the other bits freely.
_NETWORK_BITS = 64
_LONGEST = 45  # characters of an IPv6 address


class ProxyWarning:
    """Warns once that forwarded headers arrive although no proxy is trusted."""

    def __init__(self) -> None:
        self._is_due = True

    def warn(self) -> None:
        """Log the warning, unless this was done before."""
        if self._is_due:
            self._is_due = False
            _log.warning(
                "X-Forwarded-For arrives, but SCIMSVC_TRUSTED_PROXIES is 0. All clients of a proxy seem to have its "
                "address, and are counted as one. Set SCIMSVC_TRUSTED_PROXIES to the number of your proxies."
            )


proxy_warning: AppState[ProxyWarning] = AppState("proxy warning")


def counted_address() -> str:
    """Return the client's address for counters: an IPv4 address, or the /64 network of an IPv6 address."""
    state = request_state()
    if not state.settings.trusted_proxies and "HTTP_X_FORWARDED_FOR" in state.request.environ:
        proxy_warning.of(state.app).warn()
    return network_of(client_address(state.request))


def client_address(request: Request) -> str:
    """Return the client's address that the trusted proxies state. It is empty for a Unix socket without a proxy."""
    return request.remote_addr or ""


def network_of(address: str) -> str:
    """Return the network that counts as one client: the address itself for IPv4, and the /64 for IPv6.

    A port is ignored. Some proxies, such as Azure Application Gateway, append it to the forwarded address.
    """
    try:
        parsed = ip_address(_without_port(address).partition("%")[0][:_LONGEST])
    except ValueError:  # a Unix socket, or text that a proxy wrote
        return address[:_LONGEST]
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    host_bits = parsed.max_prefixlen - _NETWORK_BITS
    return f"{IPv6Address(int(parsed) >> host_bits << host_bits)}/{_NETWORK_BITS}"


def _without_port(address: str) -> str:
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address
