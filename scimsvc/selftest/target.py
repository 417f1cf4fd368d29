"""The Tenant URL that the self-test talks to, and its parts."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

#: Ports by scheme.
_PORTS = {"http": 80, "https": 443}


class TargetError(ValueError):
    """A Tenant URL that cannot be used. The message says why, and what to write."""


@dataclass(frozen=True)
class Target:
    """A Tenant URL in parts. ``prefix`` is its path without a slash at the end; ``ca_file`` has further issuers."""

    scheme: str
    host: str
    port: int
    prefix: str
    ca_file: Path | None = None

    @property
    def is_secure(self) -> bool:
        """Whether the connection uses TLS."""
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme and authority."""
        return f"{self.scheme}://{self.authority}"

    @property
    def url(self) -> str:
        """The Tenant URL without a slash at the end."""
        return self.origin + self.prefix


def parse_target(text: str, ca_file: Path | None = None) -> Target:
    """Return the target that a Tenant URL names. Its query is not part of it, a slash at the end does not matter.

    Raises ``TargetError`` for text that is not an HTTP or HTTPS URL.
    """
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        raise TargetError(_advice(text)) from None
    if parts.scheme not in _PORTS or not host or parts.username is not None or not _is_plain(text.strip()):
        raise TargetError(_advice(text))
    return Target(parts.scheme, host, port or _PORTS[parts.scheme], parts.path.rstrip("/"), ca_file)


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _advice(text: str) -> str:
    return f"{text!r} is not a Tenant URL. Use a URL such as https://scim.example.com/api/scim/v2."
