"""Read the settings of e-mail: the server that sends it, and its sender."""

import ipaddress
import re
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from scimsvc.settings.values import Unusable


class Security(StrEnum):
    """How a connection to the server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    OFF = "off"


class MailServer(NamedTuple):
    """A server that accepts e-mail (SMTP)."""

    host: str
    port: int
    security: Security
    user: str | None
    password: str | None


class MailSettings(NamedTuple):
    """The server that sends e-mail, and the address in the header From."""

    server: MailServer
    sender: str


_SCHEMES = {"smtp": (Security.STARTTLS, 587), "smtps": (Security.TLS, 465)}
_WITHOUT_TLS = "tls=off"
_ADDRESS = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,253}")
_USABLE = (
    "Use a URL such as smtp://user:password@mail.example.com:587, with smtps:// for TLS from the first byte. "
    "Write special characters of the password in percent-encoding."
)


def read_smtp_url(text: str) -> MailServer:
    """Return the server. ``?tls=off`` sends without encryption, and only to this machine."""
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        raise Unusable(_USABLE) from None
    is_known = url.scheme in _SCHEMES and url.query in ("", _WITHOUT_TLS) and not url.path.strip("/") + url.fragment
    if not is_known or not url.hostname or not re.fullmatch(r"[!-~]+", text):
        raise Unusable(_USABLE)
    security, default_port = _SCHEMES[url.scheme]
    if url.query == _WITHOUT_TLS:
        if url.scheme != "smtp" or not _is_loopback(url.hostname):
            raise Unusable("Use tls=off only with smtp:// and a server on this machine, such as 127.0.0.1.")
        security = Security.OFF
    user, password = (unquote(part) if part else None for part in (url.username, url.password))
    return MailServer(url.hostname, port or default_port, security, user, password)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_mail_from(text: str) -> str:
    """Return the address of the sender."""
    if not _ADDRESS.fullmatch(text):
        raise Unusable("Use an e-mail address in ASCII, such as scimsvc@example.com.")
    return text


def mail_of(read: dict[str, Any]) -> MailSettings | None:
    """Return the settings of e-mail, or None if no e-mail is sent. Raises ``Unusable`` if only one of both is set."""
    server, sender = read["SMTP_URL"], read["MAIL_FROM"]
    if (server is None) != (sender is None):
        raise Unusable("Use SCIMSVC_SMTP_URL and SCIMSVC_MAIL_FROM together. One of them is not set.")
    return MailSettings(server, sender) if server is not None else None
