"""The lane of a request is its enterprise if a signature proves it, else its address."""

import pytest
from flask import Flask

from scimsvc.auth.lanes import lane_of_account, lane_of_session
from scimsvc.auth.state import token_signer
from scimsvc.operations.serving.lanes import LaneName, Lanes, kind_of, lane_of_address, route_of
from scimsvc.operations.serving.slots import Kind
from scimsvc.paths import SCIM_PREFIX
from tests.support.apps import run_command
from tests.support.client import Api, Enterprise
from tests.support.console import Console, make_admin
from tests.support.cpu import cpu_seconds
from tests.support.types import MakeApp

USERS = SCIM_PREFIX + "/Users"
ADDRESS = "192.0.2.1"
STRANGER = LaneName(lane_of_address(ADDRESS), is_known=False)


def lane(app: Flask, path: str = USERS, address: str = ADDRESS, **headers: str) -> LaneName:
    return Lanes(app).find(headers, path, address)


def test_signed_tokens_of_both_kinds_have_the_lane_of_their_enterprise(acme: Enterprise, api: Api) -> None:
    of_acme = LaneName(acme.made["id"], is_known=True)

    assert lane(acme.app, AUTHORIZATION=f"Bearer {acme.token}") == of_acme
    assert lane(acme.app, AUTHORIZATION=f"bearer Bearer {acme.token}") == of_acme
    assert lane(acme.app, "/api/v1/users", AUTHORIZATION=f"Bearer {api.token}") == of_acme


def test_a_revoked_token_still_selects_the_lane_of_its_enterprise(acme: Enterprise) -> None:
    run_command(acme.app, "token", "revoke", "Acme", token_signer.of(acme.app).read_any(acme.token).token_id)  # type: ignore[union-attr]

    assert acme.send("GET", "/Users").status_code == 401
    assert lane(acme.app, AUTHORIZATION=f"Bearer {acme.token}").is_known


@pytest.mark.parametrize("change", [str.upper, lambda token: token[:-1], lambda token: token + "x" * 600, lambda _: ""])
def test_other_tokens_have_the_lane_of_the_address(acme: Enterprise, change: object) -> None:
    assert callable(change)
    assert lane(acme.app, AUTHORIZATION=f"Bearer {change(acme.token)}") == STRANGER


def test_basic_credentials_and_nothing_have_the_lane_of_the_address(acme: Enterprise) -> None:
    assert lane(acme.app, AUTHORIZATION=f"Basic {acme.token}") == STRANGER
    assert lane(acme.app) == STRANGER


def test_only_signed_tokens_are_remembered(acme: Enterprise) -> None:
    lanes = Lanes(acme.app)
    for token in (acme.token, "scimsvc_x.y", acme.token):
        lanes.find({"AUTHORIZATION": f"Bearer {token}"}, USERS, ADDRESS)

    assert list(lanes._tokens) == [f"Bearer {acme.token}"]


def cookie(app: Flask, prefix: str = "", **session: object) -> str:
    serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    return f"other=1; {prefix}scimsvc_console={serializer.dumps(session)}"


@pytest.mark.parametrize("prefix", ["", "__Host-", "__Secure-"])
def test_a_signed_in_administrator_has_the_lane_of_the_enterprise_in_the_console_only(app: Flask, prefix: str) -> None:
    signed_in = cookie(app, prefix, id="s1", lane=lane_of_account("a1", "e1"))

    assert lane(app, "/console/users", COOKIE=signed_in) == LaneName("e1", is_known=True)
    assert lane(app, USERS, COOKIE=signed_in) == STRANGER
    assert lane(app, "/console/users", COOKIE=signed_in + "x") == STRANGER


@pytest.mark.parametrize("value", ["", "\xff\xfe", '"\\377"', "x=y=z", ".eJw", "."])
def test_a_cookie_of_a_stranger_is_never_an_error(app: Flask, value: str) -> None:
    assert lane(app, "/console/users", COOKIE=f"scimsvc_console={value}; \xff") == STRANGER


@pytest.mark.parametrize("other", ["\xff=\xfe; ", "a" * 50_000 + ";", "x_scimsvc_console=1; ", "a;" * 20_000])
def test_other_cookies_do_not_hide_the_session(app: Flask, other: str) -> None:
    session = cookie(app, id="s1", lane="e1")

    assert lane(app, "/console/users", COOKIE=other + session) == LaneName("e1", is_known=True)


def test_a_header_of_many_cookies_is_read_quickly(app: Flask) -> None:
    lanes, many = Lanes(app), "a;" * 31_000 + "scimsvc_console=x"
    _, spent = cpu_seconds(lambda: lanes.find({"COOKIE": many}, "/console/users", ADDRESS))

    assert spent < 0.015  # 40 ms if each cookie is parsed


def test_signing_in_selects_the_lane_of_the_enterprise(acme: Enterprise) -> None:
    browser = Console(acme.app, make_admin(acme.app, "ada@example.com", "Acme")).browser
    session = browser.get_cookie("scimsvc_console", path="/console")

    assert session is not None
    of_acme = LaneName(acme.made["id"], is_known=True)
    assert lane(acme.app, "/console/users", COOKIE=f"scimsvc_console={session.value}") == of_acme


def test_an_operator_has_a_lane_and_a_visitor_has_none() -> None:
    assert lane_of_session({"lane": lane_of_account("a1", None)}) == "operator a1"
    assert lane_of_session({"csrf_token": "x"}) is None


def test_a_visitor_with_a_session_has_the_lane_of_the_address(app: Flask) -> None:
    assert lane(app, "/console/sign-in", COOKIE=cookie(app, csrf_token="x")) == STRANGER


def test_the_address_is_the_forwarded_one_only_behind_trusted_proxies(make_app: MakeApp) -> None:
    forwarded = "203.0.113.9, 198.51.100.7"

    assert lane(make_app(), X_FORWARDED_FOR=forwarded) == STRANGER
    one, two = make_app(TRUSTED_PROXIES=1), make_app(TRUSTED_PROXIES=2)
    assert lane(one, X_FORWARDED_FOR=forwarded).name == lane_of_address("198.51.100.7")
    assert lane(two, X_FORWARDED_FOR=forwarded).name == lane_of_address("203.0.113.9")
    assert lane(two, X_FORWARDED_FOR="203.0.113.9") == STRANGER


def test_addresses_of_an_ipv6_network_share_a_lane() -> None:
    lanes = [lane_of_address(f"2001:db8:{part}::1") for part in ("0:1:2", "0:1:3", "1:1:2")]

    assert lanes[0] == lanes[1]
    assert lanes[0] != lanes[2]
    assert lane_of_address("x" * 100_000) == lane_of_address("x" * 45)


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", USERS, Kind.READ),
        ("HEAD", "/console", Kind.READ),
        ("POST", USERS, Kind.WRITE),
        ("POST", USERS + "/.search", Kind.READ),
        ("PATCH", USERS + "/1", Kind.WRITE),
        ("BREW", "/", Kind.WRITE),
        ("POST", "/api/authenticate", Kind.WRITE),
        ("GET", "/console/sign-in", Kind.READ),
        ("POST", "/console/sign-in", Kind.SIGN_IN),
        ("POST", "/console/password/scimsvc_link_x", Kind.SIGN_IN),
        ("POST", "/console/sign-out", Kind.WRITE),
    ],
)
def test_the_kind_of_a_request(method: str, path: str, kind: Kind) -> None:
    assert kind_of(method, path) is kind


def test_a_route_has_no_doubled_or_trailing_slashes() -> None:
    assert list(map(route_of, ["//readyz//", "/readyz", "/", "", "//"])) == ["/readyz", "/readyz", "/", "/", "/"]
