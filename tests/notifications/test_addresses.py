"""URLs and addresses of webhooks: every trick that leads to an internal network is refused."""

import socket
import threading
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from scimsvc.errors import InvalidInput
from scimsvc.notifications.sending.addresses import find_refusal
from scimsvc.notifications.sending.posting import post
from scimsvc.notifications.sending.problems import Unreachable
from scimsvc.notifications.sending.resolving import MOST_LOOKUPS, Resolver
from scimsvc.notifications.sending.urls import check_url, parse_url
from tests.support.receivers import Receiver, receiving

REFUSED = [
    ("0.0.0.0", "an unspecified address"),
    ("0.1.2.3", "an unspecified address"),
    ("10.0.0.5", "a private address"),
    ("172.16.0.1", "a private address"),
    ("172.31.255.255", "a private address"),
    ("192.168.1.1", "a private address"),
    ("100.64.0.1", "a shared address of a carrier"),
    ("100.127.255.255", "a shared address of a carrier"),
    ("100.100.100.200", "a metadata address of a cloud"),
    ("127.0.0.1", "a loopback address"),
    ("127.255.255.254", "a loopback address"),
    ("169.254.169.254", "a metadata address of a cloud"),
    ("168.63.129.16", "a metadata address of a cloud"),
    ("169.254.0.1", "a link-local address"),
    ("192.0.0.8", "a reserved address"),
    ("192.0.2.1", "a documentation address"),
    ("198.51.100.1", "a documentation address"),
    ("203.0.113.1", "a documentation address"),
    ("192.88.99.1", "a 6to4 address"),
    ("198.18.0.1", "a benchmarking address"),
    ("198.19.255.255", "a benchmarking address"),
    ("224.0.0.1", "a multicast address"),
    ("240.0.0.1", "a reserved address"),
    ("255.255.255.255", "the broadcast address"),
    ("::", "an unspecified address"),
    ("::1", "a loopback address"),
    ("::ffff:8.8.8.8", "an IPv4-mapped address"),
    ("::ffff:7f00:1", "an IPv4-mapped address"),
    ("::8.8.8.8", "an IPv4-compatible address"),
    ("::ffff:0:8.8.8.8", "a reserved address"),
    ("64:ff9b::8.8.8.8", "an address of a NAT64 translator"),
    ("64:ff9b:1::10.0.0.1", "an address of a NAT64 translator"),
    ("100::1", "a reserved address"),
    ("2001::1", "a Teredo address"),
    ("2001:2::1", "a benchmarking address"),
    ("2001:20::1", "a reserved address"),
    ("2001:db8::1", "a documentation address"),
    ("2002:7f00:1::", "a 6to4 address"),
    ("3fff::1", "a documentation address"),
    ("5f00::1", "a reserved address"),
    ("4000::1", "a reserved address"),
    ("fc00::1", "a private address"),
    ("fd00:ec2::254", "a metadata address of a cloud"),
    ("fe80::1", "a link-local address"),
    ("fe80::1%eth0", "an address with a zone ID"),
    ("2600::1%1", "an address with a zone ID"),
    ("fec0::1", "a reserved address"),
    ("ff02::1", "a multicast address"),
]
ALLOWED = ("8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.32.0.1", "223.255.255.255", "2600::1", "2a00::1")


@pytest.mark.parametrize(("text", "kind"), REFUSED)
def test_an_address_that_is_not_public_is_refused(text: str, kind: str) -> None:
    assert find_refusal(ip_address(text), ()) == kind


@pytest.mark.parametrize("text", ALLOWED)
def test_a_public_address_is_allowed(text: str) -> None:
    assert find_refusal(ip_address(text), ()) is None


@settings(max_examples=60)
@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_an_allowed_address_is_public_for_python_too(address: IPv4Address | IPv6Address) -> None:
    assume(find_refusal(address, ()) is None)

    special = (address.is_multicast, address.is_reserved, address.is_link_local, address.is_private)
    assert address.is_global
    assert special == (False,) * 4


@settings(max_examples=60)
@given(st.sampled_from(REFUSED), st.sampled_from(["::ffff:0:0/96", "64:ff9b::/96", "2002::/16", "2001::/32"]))
def test_an_allowed_network_of_a_translator_does_not_allow_the_addresses_behind_it(
    refused: tuple[str, str], translator: str
) -> None:
    inside = ip_address(refused[0])
    assume(isinstance(inside, IPv4Address))
    network = IPv6Network(translator)
    number = {
        96: int(inside),
        16: int(inside) << 80,
        32: int(inside) ^ 0xFFFFFFFF,  # Teredo inverts the client's address
    }[network.prefixlen]
    address = IPv6Address(int(network.network_address) + number)

    assert find_refusal(address, (network,)) == refused[1]
    assert find_refusal(address, (network, IPv4Network(inside))) is None
    assert find_refusal(address, (IPv4Network(inside),)) is not None


def test_only_the_networks_of_the_operator_are_allowed_besides() -> None:
    networks = (ip_network("10.20.0.0/16"), ip_network("fd12::/16"))

    allowed = [find_refusal(ip_address(text), networks) for text in ("10.20.0.5", "fd12::1", "8.8.8.8")]
    refused = [find_refusal(ip_address(text), networks) for text in ("10.21.0.5", "fd13::1", "::ffff:10.20.0.5")]

    assert allowed == [None] * 3
    assert refused == ["a private address", "a private address", "an IPv4-mapped address"]


INVALID = {
    "http://hooks.example.com/": "does not begin with https://",
    "ftp://hooks.example.com/": "does not begin with https://",
    "//hooks.example.com/": "does not begin with https://",
    "hooks.example.com": "does not begin with https://",
    "https:hooks.example.com": "does not begin with https://",
    "https:/\\hooks.example.com": "does not begin with https://",
    " https://hooks.example.com": "does not begin with https://",
    "https://hooks.example.com/\n": "has spaces",
    "https://hooks.example.com/a b": "has spaces",
    "https://hooks.exa\tmple.com/": "has spaces",
    "https://hooks.example.com/\x00": "has spaces",
    "https://münchen.example/": "not ASCII",
    "https://１２７.0.0.1/": "not ASCII",
    "https://127。0。0。1/": "not ASCII",
    "https://hooks.example.com\\@127.0.0.1/": "has one of the characters",
    "https://127.0.0.1\\.example.com/": "has one of the characters",
    "https://hooks.example.com/{id}": "has one of the characters",
    "https://hooks.example.com/#a": "has a fragment",
    "https://hooks.example.com#@127.0.0.1/": "has a fragment",
    "https://user@hooks.example.com/": "has a user name",
    "https://user:password@hooks.example.com/": "has a user name",
    "https://hooks.example.com@127.0.0.1/": "has a user name",
    "https://hooks.example.com:443@127.0.0.1/": "has a user name",
    "https:///path": "has no valid host",
    "https://:443/": "has no valid host",
    "https://?a": "has no valid host",
    "https://[::1": "has no valid host",
    "https://[::1]a/": "has no valid host",
    "https://::1/": "has no valid host",
    "https://[fe80::1%25eth0]/": "has no valid host",
    "https://[fe80::1%eth0]/": "has no valid host",
    "https://[]/": "not a valid IPv6 address",
    "https://[1.2.3.4]/": "not a valid IPv6 address",
    "https://[1:2:3]/": "not a valid IPv6 address",
    "https://h.example:/": "port of the URL",
    "https://h.example:0/": "port of the URL",
    "https://h.example:65536/": "port of the URL",
    "https://h.example:+443/": "port of the URL",
    "https://h.example:443:443/": "port of the URL",
    "https://256.1.1.1/": "not a valid IPv4 address",
    "https://hooks.example.com./": "ends with a dot",
    "https://127.0.0.1./": "ends with a dot",
    "https://2130706433/": "ends with a number",
    "https://0x7f000001/": "ends with a number",
    "https://0X7F.0.0.1/": "ends with a number",
    "https://0177.0.0.1/": "ends with a number",
    "https://127.1/": "ends with a number",
    "https://127.0.0.1.0/": "ends with a number",
    "https://127.0.0.0x1/": "ends with a number",
    "https://example.0x/": "ends with a number",
    "https://hooks..example.com/": "not a valid name",
    "https://.example.com/": "not a valid name",
    "https://-a.example.com/": "not a valid name",
    "https://hooks%00.example.com/": "not a valid name",
    "https://%31%32%37.0.0.1.example/": "not a valid name",
    "https://a,b.example/": "not a valid name",
    "https://" + "a" * 64 + ".example/": "not a valid name",
    "https://" + "a." * 126 + "example/": "not a valid name",
    "https://hooks.example.com/" + "a" * 2000: "longer than 2000 characters",
    "https://[::1]/": "is a loopback address",
    "https://127.0.0.1/": "is a loopback address",
    "https://[::ffff:127.0.0.1]/": "is an IPv4-mapped address",
    "https://[0:0:0:0:0:FFFF:7F00:0001]:8443/": "is an IPv4-mapped address",
    "https://169.254.169.254/latest/meta-data": "is a metadata address of a cloud",
    "https://10.0.0.5/": "The operator can allow other networks in SCIMSVC_WEBHOOK_NETWORKS.",
}


@pytest.mark.parametrize(("url", "text"), INVALID.items(), ids=ascii)
def test_an_ambiguous_or_internal_url_is_refused_with_a_reason(url: str, text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_url(url, ())

    assert text in refused.value.detail
    assert list(refused.value.errors) == ["url"]


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("https://hooks.example.com", "hooks.example.com", "/"),
        ("HTTPS://Hooks.Example.COM:443/A?b=%20", "hooks.example.com", "/A?b=%20"),
        ("https://hooks.example.com?a", "hooks.example.com", "/?a"),
        ("https://hooks.example.com:8443/a/@b:c", "hooks.example.com:8443", "/a/@b:c"),
        ("https://xn--mnchen-3ya.example/", "xn--mnchen-3ya.example", "/"),
        ("https://my_hooks/", "my_hooks", "/"),
        ("https://8.8.8.8:1/", "8.8.8.8:1", "/"),
        ("https://[2600:0::0001]:8443/", "[2600::1]:8443", "/"),
    ],
)
def test_a_valid_url_names_its_receiver(url: str, authority: str, path: str) -> None:
    target = check_url(url, ())

    assert (target.authority, target.path) == (authority, path)


_PARTS = st.one_of(
    st.sampled_from(
        ["https://", "127.0.0.1", "0x7f", "0177", "[::1]", "@", ":", "/", "\\", "#", "?", "%00", ".", "localhost"]
    ),
    st.text(max_size=3),
)


@settings(max_examples=60)
@given(st.lists(_PARTS, max_size=8).map("".join).map("https://".__add__))
@example("https://127.0.0.1:1.example/")
def test_a_host_that_is_accepted_as_a_name_is_not_read_as_a_number(url: str) -> None:
    try:
        target = parse_url(url)
    except InvalidInput:
        return

    assert "@" not in target.authority
    assert _is_number(target.host) == isinstance(target.address, IPv4Address)


def _is_number(host: str) -> bool:
    """Return whether the C library reads ``host`` as an IPv4 address in any form."""
    try:
        return bool(socket.inet_aton(host))
    except OSError:
        return False


def resolving_to(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let the system resolve every name to ``answers`` in turn, and return the names that are looked up."""
    asked: list[str] = []

    def getaddrinfo(host: str, *_: Any, **__: Any) -> list[Any]:
        addresses = answers[min(len(asked), len(answers) - 1)]
        asked.append(host)
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(2 if "." in text else 10, 1, 6, "", (text, 0)) for text in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


LOOPBACK = (ip_network("127.0.0.0/8"),)


@pytest.mark.parametrize("addresses", [["10.0.0.5"], ["127.0.0.1", "10.0.0.5"], ["127.0.0.1", "::1"]])
def test_a_name_with_one_internal_address_is_not_connected_to(
    pem: Path, monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    resolving_to(monkeypatch, addresses)
    with receiving(pem, Receiver()) as receiver:
        url = receiver.url.replace("localhost", "hooks.example.com")
        outcome = post(url, {}, body=b"", networks=LOOPBACK)

    kind = {"10.0.0.5": "a private address", "::1": "a loopback address"}[addresses[-1]]
    assert outcome.error == (
        f"The name hooks.example.com resolves to {addresses[-1]}, which is {kind}. Webhooks reach only public "
        "addresses. The operator can allow other networks in SCIMSVC_WEBHOOK_NETWORKS."
    )
    assert receiver.connections == 0


def test_a_name_that_changes_its_address_after_the_check_is_connected_to_as_checked(
    trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = resolving_to(monkeypatch, ["127.0.0.1"], ["10.0.0.5"])
    with receiving(trusted, Receiver()) as receiver:
        url = receiver.url.replace("localhost", "hooks.example.com")
        first = post(url, {}, body=b"", networks=LOOPBACK)
        second = post(url, {}, body=b"", networks=LOOPBACK)

    assert first.is_success
    assert "resolves to 10.0.0.5" in str(second.error)
    assert asked == ["hooks.example.com"] * 2
    assert receiver.requests[0].headers["host"].startswith("hooks.example.com:")


def test_the_next_address_is_tried_if_the_first_does_not_answer(trusted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resolving_to(monkeypatch, ["127.0.0.2", "127.0.0.1"])
    with receiving(trusted, Receiver()) as receiver:
        outcome = post(receiver.url, {}, body=b"", networks=LOOPBACK)

    assert outcome.is_success


def test_an_unknown_name_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving_to(monkeypatch, [])

    outcome = post("https://hooks.example.com/", {}, body=b"", networks=())

    assert str(outcome.error).startswith("The name hooks.example.com cannot be resolved. Check the host in the URL")


def test_lookups_that_hang_are_left_and_their_number_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    answering, asked = threading.Event(), []

    def getaddrinfo(host: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        answering.wait(20)
        return [(2, 1, 6, "", ("8.8.8.8", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    resolver = Resolver()
    for number in range(MOST_LOOKUPS):
        for _ in range(2):  # the second one shares the lookup
            with pytest.raises(Unreachable, match=r"was not resolved within 0\.001 seconds"):
                resolver.resolve(f"{number}.example", 0.001)
    with pytest.raises(Unreachable, match="because too many other lookups take long"):
        resolver.resolve("one-more.example", 1)
    answering.set()

    assert resolver.resolve("0.example", 20) == [ip_address("8.8.8.8")]
    assert asked == [f"{number}.example" for number in range(MOST_LOOKUPS)][: len(asked)]
    assert len(asked) == MOST_LOOKUPS
