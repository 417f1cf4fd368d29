"""Broken, slow, incomplete and oversized requests at the server's port (requirements R55, R56, R57)."""

import json
import re
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.client import MEDIA_TYPE, SCIM, user_body
from tests.support.ledger import Client
from tests.support.live import Live, serving
from tests.support.long_runs import LONG

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


def answers_to(live: Live, content: bytes, *, pieces: int = 1) -> list[int]:
    """Send ``content`` in this number of pieces, close the sending side, and return the statuses of all responses."""
    with connect(live) as connection:
        received = b""
        try:
            size = len(content) // pieces + 1
            for start in range(0, len(content), size):
                connection.sendall(content[start : start + size])
                time.sleep(0.002 if pieces > 1 else 0)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65536):
                received += part
        except TimeoutError:
            pytest.fail(f"no end within 3 seconds: {received!r}")
        except OSError:
            pass  # the server may leave a refused request unread
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", received)]


SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = "Transfer-Encoding: chunked"
BROKEN = {
    "length and chunks": (["Content-Length: 5", CHUNKED], b"0\r\n\r\n" + SMUGGLED),
    "chunks and length": ([CHUNKED, "Content-Length: 5"], b"0\r\n\r\n" + SMUGGLED),
    "two lengths": (["Content-Length: 5", "Content-Length: 6"], b"abcdef" + SMUGGLED),
    "one length twice": (["Content-Length: 5", "Content-Length: 5"], b"abcde" + SMUGGLED),
    "a list of lengths": (["Content-Length: 5, 5"], b"abcde" + SMUGGLED),
    "a signed length": (["Content-Length: +5"], b"abcde" + SMUGGLED),
    "a negative length": (["Content-Length: -1"], SMUGGLED),
    "a length in hexadecimal": (["Content-Length: 0x5"], b"abcde" + SMUGGLED),
    "a length with an underscore": (["Content-Length: 1_0"], b"abcdefghij" + SMUGGLED),
    "a length that is none": (["Content-Length: x"], SMUGGLED),
    "an unknown coding": (["Transfer-Encoding: xchunked"], b"0\r\n\r\n" + SMUGGLED),
    "two codings": (["Transfer-Encoding: gzip, chunked"], b"0\r\n\r\n" + SMUGGLED),
    "a coding after a vertical tab": (["Transfer-Encoding: \x0bchunked"], b"0\r\n\r\n" + SMUGGLED),
    "a chunk size that is none": ([CHUNKED], b"x\r\nab\r\n0\r\n\r\n" + SMUGGLED),
    "a negative chunk size": ([CHUNKED], b"-1\r\nab\r\n0\r\n\r\n" + SMUGGLED),
    "a chunk size with 0x": ([CHUNKED], b"0x2\r\nab\r\n0\r\n\r\n" + SMUGGLED),
    "a chunk longer than its size": ([CHUNKED], b"1\r\nab\r\n0\r\n\r\n" + SMUGGLED),
    "a chunk ended by LF": ([CHUNKED], b"2\nab\n0\n\n" + SMUGGLED),
    "a blank before the colon": (["X-A : b"], SMUGGLED),
    "a header without a colon": (["X-A"], SMUGGLED),
    "a header without a name": ([": b"], SMUGGLED),
    "a NUL in a header": (["X-A: \0"], SMUGGLED),
    "a bare CR in a header": (["X-A: b\rc"], SMUGGLED),
    "a bare LF in a header": (["X-A: b\nContent-Length: 9"], SMUGGLED),
}


@pytest.mark.requirement("R56")
@pytest.mark.parametrize("name", BROKEN)
def test_broken_framing_is_refused_and_the_rest_is_not_read(live: Live, name: str) -> None:
    headers, rest = BROKEN[name]

    statuses = answers_to(live, head(live, *headers) + rest)

    assert len(statuses) == 1, statuses
    assert statuses[0] in (400, 501)


@pytest.mark.requirement("R56")
@pytest.mark.parametrize(
    "content",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) * 2 + b"\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET\r\n\r\n",
        b"\r\n\r\n\r\n\r\n",
        b" / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http:// HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
        b"get /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"TRACE /api/scim/v2 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\nHost: x\n\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: \xff\r\n\r\n",
        b"GET /api/scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\n\r\n",
        b"A" * 100_000,
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    ],
)
def test_bytes_that_are_not_a_request_never_cause_a_500(live: Live, content: bytes) -> None:
    statuses = answers_to(live, content)

    assert all(status < 500 or status == 501 for status in statuses), statuses
    assert answers_to(live, b"GET /healthz HTTP/1.0\r\n\r\n") == [200]


def _chunks(body: bytes, sizes: list[int]) -> bytes:
    parts, rest = [], body
    for size in [*sizes, len(body)]:
        part, rest = rest[:size], rest[size:]
        parts += [b"%x\r\n%s\r\n" % (len(part), part)] if part else []
    return b"".join(parts) + b"0\r\n\r\n"


_ODD_LINES = st.sampled_from(
    ["Expect: 100-continue", "Connection: close", "Connection: upgrade", "Upgrade: h2c", "Content-Length: 5", "Transfer-Encoding: identity",
     "Transfer-Encoding: Chunked", "X-A: " + "b" * 9000, "X-A:", "Host: y", "Content-Type: text/plain", " folded", "\tfolded", "X\x00: y", "X-A: \xff",
     "Authorization: Bearer x", "Content-Encoding: gzip", "Range: bytes=0-1", "If-Match: *", "TE: trailers", "Trailer: X", "Cookie: a=b"]
)  # fmt: skip
_FRAMED = st.fixed_dictionaries({
    "method": st.sampled_from(["POST", "POST", "PATCH", "GET", "HEAD", "BREW"]),
    "http": st.sampled_from(["HTTP/1.1", "HTTP/1.1", "HTTP/1.0"]),
    "lines": st.lists(_ODD_LINES, max_size=2),
    "sizes": st.none() | st.lists(st.integers(1, 40), max_size=6),
    "length": st.sampled_from([0, 0, 0, -1, 1, 50, -10**6]),
    # The part of the request that arrives, the number of pieces, and the bytes inserted between them.
    "cut": st.none() | st.floats(0, 1),
    "pieces": st.integers(1, 5),
    "inserted": st.none() | st.tuples(st.binary(min_size=1, max_size=3), st.floats(0, 1)),
})  # fmt: skip
_EXAMPLES = 2_000 if LONG else 150


@pytest.mark.requirement("R56", "R57")
def test_slow_halved_and_chunked_requests_never_cause_a_500(live: Live) -> None:
    before = users(live)
    ended: Counter[int] = Counter()

    @settings(max_examples=_EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(sent=_FRAMED)
    def send(sent: dict[str, Any]) -> None:
        body = BODY.replace(b"smuggled", b"framed")
        framing = CHUNKED if sent["sizes"] is not None else f"Content-Length: {max(0, len(body) + sent['length'])}"
        content = head(live, *sent["lines"], framing, method=sent["method"], http=sent["http"])
        content += body if sent["sizes"] is None else _chunks(body, sent["sizes"])
        if sent["inserted"]:
            what, where = sent["inserted"]
            position = int(len(content) * where)
            content = content[:position] + what + content[position:]
        if sent["cut"] is not None:
            content = content[: int(len(content) * sent["cut"])]

        statuses = answers_to(live, content, pieces=sent["pieces"])

        ended.update(statuses or [0])
        assert all(status < 500 or status == 501 for status in statuses), statuses

    send()
    print(f"{_EXAMPLES} connections: {dict(ended)}")
    assert ended.total() >= _EXAMPLES
    assert len(ended) > 3
    assert users(live) in (before, before + 1)  # the one address, once


@pytest.mark.requirement("R56")
def test_a_client_that_expects_100_continue_without_a_body_is_answered(live: Live) -> None:
    for expectation in ("100-continue", "100-Continue"):
        assert answers_to(live, head(live, f"Expect: {expectation}", method="GET")) == [200]
    with connect(live) as connection:
        connection.sendall(head(live, f"Content-Length: {len(BODY)}", "Expect: 100-continue", "Connection: close"))
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")


def test_chunks_are_understood_and_counted(live: Live) -> None:
    body = json.dumps(user_body("chunked@contoso.example")).encode()
    chunks = b"".join(b"%x;x=y\r\n%s\r\n" % (len(part), part) for part in (body[:1], body[1:9], body[9:]))
    large = b"%x\r\n%s\r\n" % (2**20 + 1, b" " * (2**20 + 1))

    assert answers_to(live, head(live, CHUNKED) + chunks + b"0\r\n\r\n") == [201]
    assert answers_to(live, head(live, CHUNKED) + large + b"0\r\n\r\n") == [413]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param((f"Content-Length: {len(BODY)}", BODY[:-1]), id="one byte short"),
        pytest.param((f"Content-Length: {len(BODY)}", b""), id="no body"),
        pytest.param((CHUNKED, b"%x\r\n%s\r\n" % (len(BODY), BODY)), id="no last chunk"),
        pytest.param((CHUNKED, b"%x\r\n%s" % (len(BODY), BODY[:9])), id="half a chunk"),
        pytest.param((CHUNKED, b""), id="no chunk"),
    ],
)
def test_half_a_request_does_nothing(live: Live, content: tuple[str, bytes]) -> None:
    before = users(live)

    header, body = content
    assert answers_to(live, head(live, header) + body) == []

    assert users(live) == before


def test_half_a_head_does_nothing(live: Live) -> None:
    whole = head(live, "Content-Length: 0")

    for length in (1, 10, len(whole) - 1):
        assert answers_to(live, whole[:length]) == []


def test_pipelined_requests_are_answered_in_their_order(live: Live) -> None:
    one = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    two = b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"

    assert answers_to(live, one + two + one) == [200, 404, 200]


@pytest.mark.parametrize("hosts", [[], ["Host: a", "Host: b"]], ids=["none", "two"])
def test_a_request_needs_exactly_one_host(live: Live, hosts: list[str]) -> None:
    def request(version: str) -> bytes:
        return "\r\n".join([f"GET /healthz HTTP/{version}", *hosts, "", ""]).encode()

    assert answers_to(live, request("1.1") * 2) == [400]
    assert answers_to(live, request("1.0")) == [200]


def test_a_connection_stays_open_after_an_answer_without_a_body(live: Live) -> None:
    with closing(Client(live.base_url, live.token)) as client:
        created = [client.send("POST", "/Users", user_body(f"kept{n}@contoso.example"))[2] for n in range(3)]
    users, tag = [user["id"] for user in created], created[1]["meta"]["version"]
    deletions = [head(live, method="DELETE").replace(b"/Users ", f"/Users/{user} ".encode()) for user in users]
    one = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    read = head(live, f"If-None-Match: {tag}", method="GET").replace(b"/Users ", f"/Users/{users[1]} ".encode())

    assert answers_to(live, deletions[0] + one) == [204, 200]
    assert answers_to(live, read + deletions[1] + one) == [304, 204, 200]
    closed = deletions[2].replace(b"Host: x", b"Host: x\r\nConnection: close")
    assert answers_to(live, closed + one) == [204]
