"""Read the setting of webhooks: the networks that they may reach besides public addresses."""

import ipaddress

from scimsvc.settings.values import Unusable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Networks = tuple[Network, ...]

_USABLE = "Use networks in CIDR notation, separated by commas, such as 10.20.0.0/16,fd12:3456::/48."


def read_webhook_networks(text: str) -> Networks:
    """Return the networks of a comma-separated list."""
    if "%" in text:  # Python accepts and ignores a zone ID
        raise Unusable(_USABLE)
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(","))
    except ValueError as error:
        raise Unusable(_USABLE if "host bits" not in str(error) else f"{_USABLE} {_WITHOUT_HOST_BITS}") from None


_WITHOUT_HOST_BITS = "The bits after the prefix must be zero: 10.20.0.0/16 instead of 10.20.30.40/16."
