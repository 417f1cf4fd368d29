"""Idle, half-used, unread and reset connections do not delay other clients."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from tests.support.client import MEDIA_TYPE, SCIM, user_body
from tests.support.cpu import crowd
from tests.support.ledger import Client
from tests.support.live import Live, serving

pytestmark = pytest.mark.system


USERS = SCIM + "/Users"


BODY = json.dumps(user_body("smuggled@contoso.example")).encode()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with serving(tmp_path_factory.mktemp("live")) as live:
        yield live
        assert "Traceback" not in live.log
        assert live.stop() == 0


def connect(live: Live) -> socket.socket:
    url = urlsplit(live.base_url)
    connection = socket.create_connection((url.hostname, url.port), timeout=10)
    connection.settimeout(3)
    return connection


def head(live: Live, *headers: str, method: str = "POST", http: str = "HTTP/1.1") -> bytes:
    """Return the head of a request with a valid token."""
    lines = [
        f"{method} {USERS} {http}",
        "Host: x",
        f"Authorization: Bearer {live.token}",
        f"Content-Type: {MEDIA_TYPE}",
    ]
    return "\r\n".join([*lines, *headers, "", ""]).encode()


def users(live: Live) -> int:
    with closing(Client(live.base_url, live.token)) as client:
        return int(client.send("GET", "/Users")[2]["totalResults"])


@pytest.mark.requirement("R57")
def test_50_idle_and_half_sent_connections_delay_no_one(live: Live) -> None:
    whole = head(live, f"Content-Length: {len(BODY)}") + BODY
    with ExitStack() as stack:
        for n in range(150):
            connection = stack.enter_context(connect(live))
            connection.sendall(whole[: (0, 20, len(whole) - 5)[n % 3]])
        slowest = 0.0
        for _ in range(10):
            begin = time.monotonic()
            users(live)
            slowest = max(slowest, time.monotonic() - begin)

    assert slowest < 2 * crowd()


def test_a_client_that_does_not_read_delays_no_one(live: Live) -> None:
    with closing(Client(live.base_url, live.token)) as client:
        for n in range(20):
            body = user_body(f"large{n}@contoso.example", nickName="n" * 100_000)
            assert client.send("POST", "/Users", body)[0] == 201
        with ExitStack() as stack:
            for _ in range(8):  # twice the number of threads
                connection = stack.enter_context(connect(live))
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                connection.sendall(head(live, method="GET"))
            begin = time.monotonic()
            assert client.send("GET", "/Users?count=0")[0] == 200
            assert time.monotonic() - begin < 2 * crowd()


def test_a_reset_connection_has_no_effect(live: Live) -> None:
    for n in range(20):
        with connect(live) as connection:
            linger = b"\x01\0\0\0\0\0\0\0"  # close with a reset
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            connection.sendall(head(live, method="GET")[: None if n % 2 else 30])

    url = urlsplit(live.base_url)
    assert url.hostname is not None
    with closing(HTTPConnection(url.hostname, url.port, timeout=5)) as client:
        client.request("GET", "/healthz")
        assert client.getresponse().status == 200
