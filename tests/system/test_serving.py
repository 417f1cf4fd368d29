"""``scimsvc serve`` and ``quickstart`` as processes: they serve, stop gracefully, and refuse with one line."""

import json
import re
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask

from tests.support.client import CONTENT_TYPE, MEDIA_TYPE, user_body
from tests.support.commands import misuse
from tests.support.cpu import crowd
from tests.support.live import PATIENCE, SCIMSVC, Answer, Live, environment, serving
from tests.support.urns import ERROR_URN

pytestmark = pytest.mark.system

USERS = "/api/scim/v2/Users"


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with serving(tmp_path / "live", is_prestarted=False) as live:
        yield live


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A service that no test stops."""
    with serving(tmp_path_factory.mktemp("steady"), is_prestarted=False) as live:
        yield live


class SlowPost:
    """A POST of a user with a body in two halves."""

    def __init__(self, live: Live) -> None:
        self.body = json.dumps(user_body()).encode()
        url = live.base_url.removeprefix("http://")
        head = (
            f"POST {USERS} HTTP/1.1\r\nHost: {url}\r\nAuthorization: Bearer {live.token}\r\n"
            f"Content-Type: {CONTENT_TYPE}\r\nContent-Length: {len(self.body)}\r\n\r\n"
        )
        self.socket = socket.create_connection((url.split(":")[0], int(url.split(":")[1])), PATIENCE)
        self.socket.sendall(head.encode() + self.body[:10])

    def finish(self) -> Answer:
        """Send the rest and return the response."""
        self.socket.sendall(self.body[10:])
        response = HTTPResponse(self.socket, method="POST")
        response.begin()
        return Answer(response.status, dict(response.getheaders()), response.read().decode())


def _refuses_connections(live: Live) -> bool:
    with closing(live.connect()) as connection:
        try:
            connection.connect()
        except ConnectionRefusedError:
            return True
        return False


def _wait_until_it_refuses(live: Live) -> None:
    deadline = time.monotonic() + PATIENCE
    while not _refuses_connections(live):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.requirement("R59")
def test_alive_and_ready(steady: Live) -> None:
    for path in ("/healthz", "/readyz"):
        answer = steady.send("GET", path, headers={"Authorization": ""})
        assert (answer.status, answer.headers["Content-Type"], answer.json()) == (
            200,
            "application/json",
            {"status": "ok"},
        )


@pytest.mark.requirement("R11", "R59")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_first_ends_readiness_then_new_connections_and_no_request(live: Live, number: signal.Signals) -> None:
    slow = SlowPost(live)
    idle = live.connect()
    idle.connect()

    begin = time.monotonic()
    live.process.send_signal(number)
    ready = live.send("GET", "/readyz")
    alive = live.send("GET", "/healthz")
    read = live.send("GET", USERS)
    _wait_until_it_refuses(live)
    still_running = live.process.poll()
    answer = slow.finish()
    status = live.process.wait(PATIENCE)
    slow.socket.close()
    idle.close()

    assert (ready.status, ready.json()["status"]) == (503, "unavailable")
    assert (alive.status, read.status) == (200, 200)
    assert still_running is None
    assert (answer.status, answer.json()["userName"]) == (201, "Test User")
    assert status == 0
    assert time.monotonic() - begin < 5 * crowd()
    assert "Traceback" not in live.log


def test_a_second_signal_changes_nothing(live: Live) -> None:
    slow = SlowPost(live)

    live.process.send_signal(signal.SIGTERM)
    time.sleep(0.1)
    live.process.send_signal(signal.SIGTERM)
    live.process.send_signal(signal.SIGINT)
    answer = slow.finish()
    slow.socket.close()

    assert answer.status == 201
    assert live.process.wait(PATIENCE) == 0


@pytest.mark.slow
def test_endless_requests_are_aborted_within_ten_seconds(live: Live) -> None:
    for _ in range(2):
        live.send("GET", USERS)  # the last use of the second token waits to be written
    half_sent = SlowPost(live)
    waiting = SlowPost(live)
    database = sqlite3.connect(live.folder / "instance" / "scimsvc.db", isolation_level=None)
    database.execute("BEGIN IMMEDIATE")  # no other user can write
    waiting.socket.sendall(waiting.body[10:])
    time.sleep(0.3)

    begin = time.monotonic()
    status = live.stop()
    took = time.monotonic() - begin
    database.execute("ROLLBACK")
    database.close()
    half_sent.socket.close()
    waiting.socket.close()

    assert status == 0
    assert took < 10


def test_serving_on_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "scimsvc.sock"
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()  # as a killed server leaves it

    with serving(tmp_path, f"--unix-socket={path}", command="serve") as live:
        assert live.base_url == f"unix:{path}"
        connection = HTTPConnection("app.example.com", timeout=PATIENCE)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(path))
        connection.request("GET", "/healthz")
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, b'{"status":"ok"}')
        connection.close()
        assert live.stop() == 0


@pytest.mark.slow
def test_a_unix_socket_that_is_served_is_not_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "scimsvc.sock"

    with serving(tmp_path, f"--unix-socket={path}", command="serve"):
        assert str(path) in _refusal(tmp_path, "--unix-socket", str(path))


def _refusal(folder: Path, *options: str) -> str:
    variables = environment(INSTANCE_PATH=str(folder / "other"))
    done = subprocess.run([SCIMSVC, "serve", *options], env=variables, capture_output=True, text=True, timeout=10)
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.mark.slow
def test_an_address_in_use_is_refused_in_one_line(steady: Live, tmp_path: Path) -> None:
    port = steady.base_url.rpartition(":")[2]
    somebodys = tmp_path / "file"
    somebodys.write_text("somebody's")

    assert f"127.0.0.1:{port}" in _refusal(tmp_path, "--port", port)
    assert "192.0.2.1" in _refusal(tmp_path, "--host=192.0.2.1", "--port=0")
    assert "not a host" in _refusal(tmp_path, "--host=not a host", "--port=0")
    assert str(somebodys) in _refusal(tmp_path, "--unix-socket", str(somebodys))
    assert "/no/such/" in _refusal(tmp_path, "--unix-socket=/no/such/folder/s")
    assert somebodys.read_text() == "somebody's"


@pytest.mark.parametrize("option", ["--port=65536", "--port=-1", "--port=x", "--threads=0", "--threads=257"])
def test_a_wrong_option_has_exit_status_2(app: Flask, option: str) -> None:
    assert option.partition("=")[0] in misuse(app, "serve", option)


@pytest.mark.slow
def test_without_a_database_it_lives_is_not_ready_and_says_so(tmp_path: Path) -> None:
    with serving(tmp_path, command="serve", is_prestarted=False) as live:
        alive, ready = live.send("GET", "/healthz"), live.send("GET", "/readyz")
        token = _foreign_token(live)
        scim = live.send("GET", USERS, headers={"Authorization": f"Bearer {token}"})
        form = "grant_type=client_credentials&client_id=a&client_secret=b"
        oauth = live.send("POST", "/api/authenticate", form, {"Content-Type": "application/x-www-form-urlencoded"})
        assert live.stop() == 0

    assert (alive.status, ready.status) == (200, 503)
    assert "scimsvc init" in ready.json()["reason"]
    assert (scim.status, scim.headers["Content-Type"]) == (503, MEDIA_TYPE)
    assert (scim.json()["schemas"], scim.json()["status"]) == ([ERROR_URN], "503")
    assert int(scim.headers["Retry-After"]) > 0
    assert (oauth.status, oauth.json()["error"]) == (503, "temporarily_unavailable")
    assert int(oauth.headers["Retry-After"]) > 0
    assert "Traceback" not in live.log
    assert "scimsvc init" in live.log


def _foreign_token(live: Live) -> str:
    """Return a token signed with the key of ``live``, which cannot issue one without a database."""
    key = (live.folder / "instance" / "secret_key").read_text().strip()
    variables = environment(INSTANCE_PATH=str(live.folder / "second"), SECRET_KEY=key)

    def run(*words: str) -> str:
        done = subprocess.run([SCIMSVC, *words, "--json"], env=variables, capture_output=True, text=True, check=True)
        return done.stdout

    run("init")
    run("enterprise", "create", "Acme", "--enable-scim")
    return str(json.loads(run("token", "issue", "Acme"))["access_token"])


@pytest.mark.slow
def test_a_service_that_waits_for_its_database_becomes_ready_after_init(tmp_path: Path) -> None:
    with serving(tmp_path, command="serve") as live:
        before = live.send("GET", "/readyz").status
        subprocess.run(
            [SCIMSVC, "init"],
            env=environment(INSTANCE_PATH=str(tmp_path / "instance")),
            check=True,
            capture_output=True,
        )
        after = live.send("GET", "/readyz").status

    assert (before, after) == (503, 200)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        pytest.param("POST /api/scim/v2/Users HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", 413, id="body"),
        pytest.param(
            "GET /api/scim//v2/Users HTTP/1.1\r\nHost: x\r\nX: " + "x" * 300_000 + "\r\n\r\n", 431, id="headers"
        ),
        pytest.param(
            "POST /api/scim/v2/Users HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n\r\n",
            400,
            id="chunk",
        ),
        pytest.param(
            "POST /api/scim/v2/Users HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501, id="encoding"
        ),
    ],
)
def test_errors_of_the_server_before_the_application_are_scim_errors(steady: Live, request_: str, status: int) -> None:
    url = urlsplit(steady.base_url)
    with socket.create_connection((url.hostname, url.port), timeout=10) as connection:
        connection.sendall(request_.encode())
        answer = HTTPResponse(connection)
        answer.begin()
        body = json.loads(answer.read())

    assert answer.status == status
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    assert re.fullmatch("[0-9a-f]{16}", answer.headers["X-Request-ID"])
    assert (body["schemas"], body["status"]) == ([ERROR_URN], str(status))
