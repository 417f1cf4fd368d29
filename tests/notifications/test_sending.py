"""Sending to a receiver over TLS: deadlines, bounds, certificates, broken answers."""

import gzip
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path

import pytest

from scimsvc.notifications.sending.posting import Outcome, Receiver, post
from tests.support import receivers
from tests.support.receivers import Answer, certificate, receiving, scripted

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
BODY = b'{"type":"webhook.test"}'
#: Seconds of an attempt that is to reach its deadline.
SHORT = 0.5


def send(url: str, seconds: float = 15.0) -> Outcome:
    return post(url, {"webhook-id": "msg_1"}, body=BODY, networks=LOOPBACK, seconds=seconds)


def answer(*parts: bytes) -> Callable[[socket.socket], None]:
    def script(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)

    return script


def drip(start: bytes, part: bytes = b"a", pause: float = 0.05) -> Callable[[socket.socket], None]:
    def script(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(part)
            time.sleep(pause)

    return script


def test_a_request_arrives_as_it_was_sent(trusted: Path) -> None:
    with receiving(trusted, receivers.Receiver()) as receiver:
        outcome = send(f"{receiver.url}?key=a%20b")

    [request] = receiver.requests
    port = receiver.url.split(":")[2].partition("/")[0]
    assert outcome == Outcome(204, None, None, outcome.duration_ms)
    assert (request.path, request.body) == ("/hook?key=a%20b", BODY)
    assert request.headers == {
        "host": f"localhost:{port}",
        "accept-encoding": "identity",
        "content-length": str(len(BODY)),
        "webhook-id": "msg_1",
    }


@pytest.mark.parametrize(
    ("status", "headers", "retry_after", "text"),
    [
        (301, {"Location": "https://localhost/"}, None, "The receiver answered 301. Redirects are not followed."),
        (307, {"Location": "/other"}, None, "The receiver answered 307. Redirects are not followed."),
        (401, {}, None, "The receiver answered 401. Let it accept requests with a valid signature"),
        (404, {}, None, "The receiver answered 404. Check the path in the URL"),
        (410, {}, None, "The receiver answered 410, which says that it is gone. The webhook is disabled."),
        (429, {"Retry-After": "120"}, 120.0, "The receiver answered 429, which asks to slow down."),
        (503, {"Retry-After": "999999"}, 86400.0, "The receiver answered 503. Only a status from 200 to 299"),
        (503, {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0, "The receiver answered 503."),
        (503, {"Retry-After": "-5"}, None, "The receiver answered 503."),
        (503, {"Retry-After": "soon"}, None, "The receiver answered 503."),
    ],
)
def test_another_status_than_2xx_is_a_failure_that_says_what_to_change(
    trusted: Path, status: int, headers: dict[str, str], retry_after: float | None, text: str
) -> None:
    with receiving(trusted, receivers.Receiver(lambda _: Answer(status, headers))) as receiver:
        outcome = send(receiver.url)

    assert (outcome.status, outcome.retry_after) == (status, retry_after)
    assert outcome.error is not None
    assert outcome.error.startswith(text)
    assert len(receiver.requests) == 1


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("script", "text"),
    [
        pytest.param(drip(b"H"), "did not answer within 0.5 seconds", id="status line, byte by byte"),
        pytest.param(drip(OK + b"A: "), "did not answer within 0.5 seconds", id="header, byte by byte"),
        pytest.param(drip(OK, b"A: b\r\n"), "did not answer within 0.5 seconds", id="headers without an end"),
        pytest.param(drip(OK + b"\r\n"), "did not answer within 0.5 seconds", id="body, byte by byte"),
        pytest.param(drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "did not answer within 0.5", id="100 forever"),
        pytest.param(lambda _: time.sleep(2), "did not answer within 0.5 seconds", id="no answer"),
        pytest.param(answer(), "closed the connection before its answer was complete", id="closed without an answer"),
        pytest.param(answer(b"HTTP/1.1 20"), "did not answer in HTTP/1.1", id="closed within the status"),
        pytest.param(
            answer(OK + b"Content-Length: 9\r\n\r\nabc"), "closed the connection", id="closed within the body"
        ),
        pytest.param(
            answer(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab"), "closed the connection", id="closed in a chunk"
        ),
        pytest.param(answer(b"SSH-2.0-OpenSSH_9.2\r\n"), "did not answer in HTTP/1.1", id="another protocol"),
        pytest.param(answer(b"<html>hello"), "did not answer in HTTP/1.1", id="HTTP 0.9"),
        pytest.param(drip(OK, b"A: " + b"b" * 9000 + b"\r\n", 0), "more than 64 kB of headers", id="long headers"),
        pytest.param(drip(OK + b"A: ", b"b" * 9000, 0), "more than 64 kB of headers", id="a long header"),
        pytest.param(drip(OK, b"A: b\r\n", 0), "did not answer in HTTP/1.1", id="many headers"),
        pytest.param(
            answer(b"HTTP/1.1 103 Early Hints\r\n\r\n"), "answered 103. Only a status from 200 to 299", id="only hints"
        ),
    ],
)
def test_a_broken_or_slow_answer_is_a_failure(
    trusted: Path, script: Callable[[socket.socket], None], text: str
) -> None:
    with scripted(trusted, script) as url:
        outcome = send(url, SHORT)

    assert text in str(outcome.error)
    assert outcome.duration_ms < 1000 * SHORT + 1500


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(answer(b"HTTP/1.0 200 OK\r\n\r\nfine"), id="HTTP 1.0"),
        pytest.param(answer(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"), id="chunks"),
        pytest.param(answer(b"HTTP/1.1 100 Continue\r\n\r\n", OK + b"Content-Length: 0\r\n\r\n"), id="100 first"),
        pytest.param(drip(OK + b"\r\n", b"x" * 9000, 0), id="an endless body"),
        pytest.param(drip(OK + b"Content-Length: 99999999\r\n\r\n", b"x" * 9000, 0), id="a huge body"),
        pytest.param(
            answer(OK + b"Content-Encoding: gzip\r\nContent-Length: 29\r\n\r\n" + gzip.compress(b"x" * 10**6)[:29]),
            id="a compressed body, which stays compressed",
        ),
    ],
)
def test_an_unusual_but_complete_success_is_a_success(trusted: Path, script: Callable[[socket.socket], None]) -> None:
    with scripted(trusted, script) as url:
        outcome = send(url, 5.0)

    assert (outcome.status, outcome.error) == (200, None)


def test_a_handshake_that_hangs_ends_at_the_deadline(trusted: Path) -> None:
    with scripted(trusted, lambda _: time.sleep(2), tls=False) as url:
        outcome = send(url, SHORT)

    assert "did not complete the TLS handshake in time" in str(outcome.error)


def test_a_handshake_byte_by_byte_ends_at_the_deadline(trusted: Path) -> None:
    with scripted(trusted, drip(b"\x16\x03\x03\x40\x00", b"\x02"), tls=False) as url:
        outcome = send(url, SHORT)

    assert "did not complete the TLS handshake" in str(outcome.error)
    assert outcome.duration_ms < 2000


def test_a_server_without_tls_is_not_sent_to(trusted: Path) -> None:
    received: list[bytes] = []

    def script(connection: socket.socket) -> None:
        connection.sendall(OK + b"\r\n")
        with suppress(OSError):
            received.append(connection.recv(1000))

    with scripted(trusted, script, tls=False) as url:
        outcome = send(url)

    assert "did not complete the TLS handshake. Check that it serves HTTPS" in str(outcome.error)
    assert BODY not in b"".join(received)


def test_a_receiver_that_reads_nothing_ends_at_the_deadline(trusted: Path) -> None:
    with scripted(trusted, lambda _: time.sleep(2), reads=False) as url:
        outcome = post(url, {}, body=b"x" * 30_000_000, networks=LOOPBACK, seconds=SHORT)

    assert "did not answer within 0.5 seconds" in str(outcome.error)


def test_a_certificate_must_be_trusted_and_name_the_host(
    tmp_path: Path, pem: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving(pem, receivers.Receiver()) as receiver:
        untrusted = send(receiver.url)
        by_address = send(receiver.url.replace("localhost", "127.0.0.1"))
    other = certificate(tmp_path, "other.example.com")
    monkeypatch.setenv("SSL_CERT_FILE", str(other))
    with receiving(other, receivers.Receiver()) as misnamed:
        wrong_name = send(misnamed.url)

    assert str(untrusted.error).startswith("The certificate of localhost is not valid: self-signed certificate.")
    assert "The certificate of 127.0.0.1 is not valid" in str(by_address.error)
    assert "Hostname mismatch, certificate is not valid for 'localhost'" in str(wrong_name.error)
    assert receiver.requests == misnamed.requests == []


def test_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    outcome = send(f"https://localhost:{port}/")

    assert str(outcome.error).startswith(f"localhost port {port} cannot be reached (Connection refused).")


def test_proxies_of_the_environment_are_ignored(trusted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    with receiving(trusted, receivers.Receiver()) as receiver:
        assert send(receiver.url).is_success


def test_several_requests_use_one_connection_while_it_is_open(trusted: Path) -> None:
    close_each: dict[str, str] = {}
    with receiving(trusted, receivers.Receiver(lambda _: Answer(headers=close_each))) as server:
        receiver = Receiver(server.url, LOOPBACK)
        kept = [receiver.post({}, BODY).status for _ in range(3)]
        connections = server.connections
        close_each["Connection"] = "close"
        closed = [receiver.post({}, BODY).status for _ in range(3)]
        receiver.close()

    assert kept == closed == [204] * 3
    assert (connections, server.connections) == (1, 3)


def test_a_connection_that_the_receiver_closed_meanwhile_is_replaced(trusted: Path) -> None:
    accepted = []

    def script(connection: socket.socket) -> None:
        accepted.append(connection)
        connection.sendall(OK + b"Content-Length: 0\r\n\r\n")  # and closes, without saying it

    with scripted(trusted, script) as url:
        receiver = Receiver(url, LOOPBACK)
        outcomes = [receiver.post({}, BODY) for _ in range(3)]
        receiver.close()

    assert [outcome.status for outcome in outcomes] == [200] * 3
    assert len(accepted) == 3


def test_a_running_request_can_be_aborted_from_another_thread(trusted: Path) -> None:
    def script(_: socket.socket) -> None:
        receiver.abort()
        time.sleep(5)

    with scripted(trusted, script) as url:
        receiver = Receiver(url, LOOPBACK)
        outcome = receiver.post({}, BODY)

    assert "closed the connection" in str(outcome.error)
    assert outcome.duration_ms < 3000


def test_an_aborted_receiver_sends_nothing_more(trusted: Path) -> None:
    with receiving(trusted, receivers.Receiver()) as server:
        receiver = Receiver(server.url, LOOPBACK)
        receiver.abort()
        outcome = receiver.post({}, BODY)

    assert not outcome.is_success
    assert server.requests == []


def test_a_connection_that_breaks_within_a_later_answer_is_a_failure(trusted: Path) -> None:
    accepted = []

    def script(connection: socket.socket) -> None:
        accepted.append(connection)
        connection.sendall(OK + b"Content-Length: 0\r\n\r\n")
        connection.recv(65536)
        connection.sendall(OK + b"Content-Length: 9\r\n\r\nabc")

    with scripted(trusted, script) as url:
        receiver = Receiver(url, LOOPBACK)
        outcomes = [receiver.post({}, BODY) for _ in range(2)]

    assert [outcome.status for outcome in outcomes] == [200, None]
    assert "closed the connection before its answer was complete" in str(outcomes[1].error)
    assert len(accepted) == 1


def test_a_url_that_is_not_valid_is_not_sent_to() -> None:
    assert str(send("http://localhost/").error).startswith("The URL does not begin with https://.")
