"""Decide which IP addresses webhooks may reach: public unicast addresses, and networks that the operator allows.

The lists follow the special-purpose registries of IANA (RFC 6890). They do not use ``ipaddress.is_global``, because its
meaning differs between versions of Python.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from scimsvc.settings.webhooks import Network, Networks

Address = IPv4Address | IPv6Address

#: Kinds of addresses that are refused, the more specific networks first.
_REFUSED: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(network), kind)
    for kind, networks in {
        "a metadata address of a cloud": (
            "169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254",
            "fd20:ce::254",
        ),
        "the broadcast address": ("255.255.255.255",),
        "an unspecified address": ("0.0.0.0/8", "::/128"),
        "a private address": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
        "a loopback address": ("127.0.0.0/8", "::1/128"),
        "a link-local address": ("169.254.0.0/16", "fe80::/10"),
        "a shared address of a carrier": ("100.64.0.0/10",),
        "a documentation address": (
            "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20",
        ),
        "a benchmarking address": ("198.18.0.0/15", "2001:2::/48"),
        "a multicast address": ("224.0.0.0/4", "ff00::/8"),
        "an IPv4-mapped address": ("::ffff:0:0/96",),
        "an IPv4-compatible address": ("::/96",),
        "an address of a NAT64 translator": ("64:ff9b::/96", "64:ff9b:1::/48"),
        "a 6to4 address": ("2002::/16", "192.88.99.0/24"),
        "a Teredo address": ("2001::/32",),
        "a reserved address": ("192.0.0.0/24", "240.0.0.0/4", "2001::/23"),
    }.items()
    for network in networks
)  # fmt: skip
_IPV4 = tuple((network, kind) for network, kind in _REFUSED if isinstance(network, IPv4Network))
_IPV6 = tuple((network, kind) for network, kind in _REFUSED if isinstance(network, IPv6Network))
#: The only IPv6 addresses that are assigned for global unicast.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


def find_refusal(address: Address, networks: Networks) -> str | None:
    """Return the kind of an ``address`` that is refused, such as "a private address", or None if it is allowed.

    An address in one of the ``networks`` is allowed. If another address is embedded in it, this one decides, so that a
    NAT64 network can be allowed without the internal addresses behind it.
    """
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return "an address with a zone ID"
    if not any(address in network for network in networks):
        return _kind(address)
    embedded = _embedded(address)
    return None if embedded is None else find_refusal(embedded, networks)


def _kind(address: Address) -> str | None:
    if isinstance(address, IPv4Address):
        return next((kind for network, kind in _IPV4 if address in network), None)
    kind = next((kind for network, kind in _IPV6 if address in network), None)
    return kind or (None if address in _GLOBAL_UNICAST else "a reserved address")


def _embedded(address: Address) -> IPv4Address | None:
    """Return the IPv4 address to which a translator or tunnel would send packets for ``address``."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
