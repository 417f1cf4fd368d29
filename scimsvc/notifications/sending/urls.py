"""Read the URL of a webhook, and refuse every form that two programs could understand differently.

Numbers in other forms than four decimal ones (``0x7f.1``, ``2130706433``, ``0177.0.0.1``) are not host names here,
because the C library reads them as addresses. The addresses of a name are checked when it is resolved.
"""

import re
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple, NoReturn

from scimsvc.errors import InvalidInput
from scimsvc.notifications.sending.addresses import Address, find_refusal
from scimsvc.settings.webhooks import Networks

MOST_CHARACTERS = 2000
HTTPS_PORT = 443
_URL = re.compile(r"(?i:https)://(?P<authority>[^/?]*)(?P<rest>.*)", re.DOTALL)
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]*\]|[^:\[\]]*)(?::(?P<port>.*))?", re.DOTALL)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_DOTTED_QUAD = re.compile(r"(0|[1-9][0-9]{0,2})(\.(0|[1-9][0-9]{0,2})){3}")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_LONGEST_NAME = 253


class Target(NamedTuple):
    """The receiver that a URL names."""

    #: In lower case; an IPv6 address without brackets.
    host: str
    port: int
    #: The path with the query.
    path: str
    #: Set if the host is an IP address.
    address: Address | None

    @property
    def authority(self) -> str:
        """The value of the header Host."""
        host = f"[{self.host}]" if isinstance(self.address, IPv6Address) else self.host
        return host if self.port == HTTPS_PORT else f"{host}:{self.port}"


def check_url(url: str, networks: Networks) -> Target:
    """Return the target of ``url``. Raises ``InvalidInput`` if webhooks cannot use it.

    Names are not resolved. An address in the place of a name is refused unless it is public or in ``networks``.
    """
    target = parse_url(url)
    kind = None if target.address is None else find_refusal(target.address, networks)
    if kind is not None:
        _refuse(
            f"The host of the URL, {target.host}, is {kind}. Use a public address. The operator can allow "
            "other networks in SCIMSVC_WEBHOOK_NETWORKS.",
            "Not a public address",
        )
    return target


def parse_url(url: str) -> Target:
    """Return the target of ``url``. Raises ``InvalidInput`` if its form is not valid."""
    if len(url) > MOST_CHARACTERS:
        _refuse(f"The URL is longer than {MOST_CHARACTERS} characters. Use a shorter one.", "Too long")
    match = _URL.fullmatch(url)
    if match is None:
        _refuse("The URL does not begin with https://. Use a URL such as https://hooks.example.com/scim.", "Not https")
    if not re.fullmatch(r"[!-~]+", url):
        _refuse(
            "The URL has spaces or characters that are not ASCII. Write the host in its ASCII form (xn--…) and other "
            "characters in percent-encoding.",
            "Not ASCII",
        )
    if re.search(r"[\\\"<>^`{|}]", url):
        _refuse(
            'The URL has one of the characters \\ " < > ^ ` { | }. Write it in percent-encoding.', "Invalid characters"
        )
    if "#" in url:
        _refuse("The URL has a fragment (#), which is never sent. Remove it.", "Has a fragment")
    if "@" in match["authority"]:
        _refuse(
            "The URL has a user name or password before its host. Remove it; receivers verify the signature instead.",
            "Has a user name",
        )
    host, port, address = _read_authority(match["authority"])
    path = match["rest"] if match["rest"].startswith("/") else "/" + match["rest"]
    return Target(host, port, path, address)


def _read_authority(authority: str) -> tuple[str, int, Address | None]:
    match = _AUTHORITY.fullmatch(authority)
    if match is None or not match["host"]:
        _refuse("The URL has no valid host. Use a URL such as https://hooks.example.com/scim.", "Invalid host")
    port = match["port"]
    if port is not None and (not _PORT.fullmatch(port) or int(port) > 65535):
        _refuse("The port of the URL is not a number from 1 to 65535. Correct it, or leave it out.", "Invalid port")
    host = match["host"].lower()
    number = HTTPS_PORT if port is None else int(port)
    if host.startswith("["):
        address = _read_ipv6(host[1:-1])
        return str(address), number, address
    return host, number, _read_host(host)


def _read_ipv6(text: str) -> IPv6Address:
    try:
        return IPv6Address(text)
    except ValueError:
        _refuse("The host of the URL is not a valid IPv6 address. Correct it.", "Invalid host")


def _read_host(host: str) -> IPv4Address | None:
    """Return the address of a ``host`` that is an IPv4 address, or None if it is a name."""
    if _DOTTED_QUAD.fullmatch(host):
        try:
            return IPv4Address(host)
        except ValueError:
            _refuse("The host of the URL is not a valid IPv4 address. Correct it.", "Invalid host")
    labels = host.split(".")
    if labels[-1] == "":
        _refuse("The host of the URL ends with a dot. Remove the dot.", "Invalid host")
    if _NUMBER.fullmatch(labels[-1]):
        _refuse(
            "The host of the URL ends with a number. Write an IPv4 address as four decimal numbers.", "Invalid host"
        )
    if len(host) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, labels)):
        _refuse("The host of the URL is not a valid name. Use a name such as hooks.example.com.", "Invalid host")
    return None


def _refuse(detail: str, problem: str) -> NoReturn:
    raise InvalidInput(detail, {"url": [problem]})
