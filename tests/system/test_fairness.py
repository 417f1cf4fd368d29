"""An enterprise, a stranger or a database that is slow does not delay others."""

import json
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest
from flask import Flask

from tests.support.apps import SECRET_KEY, make_api, make_enterprise
from tests.support.client import CONTENT_TYPE, MEDIA_TYPE, SCIM, Enterprise, user_body
from tests.support.cpu import crowd, slowness
from tests.support.live import PATIENCE, Answer, environment, wait_for_url
from tests.support.long_runs import outside_the_database

pytestmark = pytest.mark.system

API = "/api/v1"
USERS = SCIM + "/Users"
#: Seconds in which a request of a bystander must be answered, on a machine that is not busy.
SOON = 1.0


@dataclass(frozen=True)
class Service:
    """A running service with two enterprises. ``acme`` is the one that attacks."""

    process: subprocess.Popen[bytes]
    port: int
    acme: Enterprise
    globex: Enterprise
    acme_api: str
    globex_api: str

    def connect(self, source: str = "127.0.0.1") -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=60, source_address=(source, 0))

    def send(self, method: str, path: str, token: str | None = None, body: Any = None) -> Answer:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if body is not None:
            headers["Content-Type"] = CONTENT_TYPE
        with closing(self.connect()) as connection:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read().decode())

    def get(self, path: str, token: str) -> Answer:
        return self.send("GET", path, token)

    def open(self, content: bytes, source: str = "127.0.0.1") -> socket.socket:
        """Return a connection on which ``content`` was sent."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=20, source_address=(source, 0))
        connection.sendall(content)
        return connection

    def memory(self) -> float:
        """Return the memory of the process in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) / 1024

    def slowest(self, seconds: float, *asked: Callable[[], Answer]) -> float:
        """Ask in turn for ``seconds``, and return the seconds of the slowest answer. Each must be successful."""
        end, slowest = time.monotonic() + seconds, 0.0
        while time.monotonic() < end:
            for ask in asked:
                begin = time.monotonic()
                answer = ask()
                slowest = max(slowest, time.monotonic() - begin)
                assert answer.status in (200, 201), answer
        return slowest

    def alive(self) -> Answer:
        return self.send("GET", "/healthz")

    def ready(self) -> Answer:
        return self.send("GET", "//readyz/")

    def read(self) -> Answer:
        return self.get(USERS, self.globex.token)


@contextmanager
def slow_service(app: Flask, folder: Path, acme: Enterprise, *, queue_seconds: float = 20.0) -> Iterator[Service]:
    settings = {
        "DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"],
        "SECRET_KEY": SECRET_KEY,
        "INSTANCE_PATH": str(folder),
    }
    with (folder / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.slow", str(queue_seconds)],
            stdout=stderr,
            stderr=stderr,
            env=environment(**settings),
        )
    try:
        globex = make_enterprise(app, "Globex")
        port = int(wait_for_url(process, folder / "stderr").rpartition(":")[2])
        yield Service(process, port, acme, globex, make_api(acme).token, make_api(globex).token)
    finally:
        process.terminate()
        try:
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
    assert "Traceback" not in (folder / "stderr").read_text()


@pytest.fixture
def service(app: Flask, tmp_path: Path, acme: Enterprise) -> Iterator[Service]:
    with slow_service(app, tmp_path, acme) as service:
        yield service


@contextmanager
def writes_blocked(app: Flask) -> Iterator[None]:
    """Keep every write of users waiting."""
    url: str = app.config["SQLALCHEMY_DATABASE_URI"]
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")
    else:
        with psycopg.connect(url.replace("+psycopg", "")) as other:
            other.execute("LOCK TABLE users IN EXCLUSIVE MODE")
            yield
            other.rollback()


@outside_the_database
def test_slow_reads_of_an_enterprise_delay_no_other(service: Service) -> None:
    with ThreadPoolExecutor(24) as pool:
        attack = [pool.submit(service.get, f"{API}/slow?seconds=2", service.acme_api) for _ in range(12)]
        time.sleep(0.3)

        slowest = service.slowest(
            3,
            service.alive,
            service.ready,
            service.read,
            lambda: service.get(f"{API}/users", service.globex_api),
            lambda: service.send("POST", USERS, service.globex.token, user_body(f"{time.monotonic()}@x.example")),
        )

        assert {answer.result().status for answer in attack} == {200}
    assert slowest < SOON * crowd()


def test_writes_that_wait_for_the_database_delay_no_reads(service: Service, app: Flask) -> None:
    with ThreadPoolExecutor(24) as pool:
        with writes_blocked(app):
            attack = [
                pool.submit(service.send, "POST", USERS, service.acme.token, user_body(f"user{n}@contoso.example"))
                for n in range(20)
            ]
            time.sleep(0.3)

            slowest = service.slowest(
                3,
                service.alive,
                service.ready,
                service.read,
                lambda: service.get(USERS, service.acme.token),
            )

        assert {answer.result().status for answer in attack} == {201}
    assert slowest < SOON * crowd()


@outside_the_database
@pytest.mark.slow
def test_a_request_that_waits_too_long_is_refused_in_the_format_of_its_path(
    app: Flask, tmp_path: Path, acme: Enterprise
) -> None:
    with slow_service(app, tmp_path, acme, queue_seconds=1 / 6) as service, ThreadPoolExecutor(8) as pool:
        running = [pool.submit(service.get, f"{API}/slow?seconds=4", service.acme_api) for _ in range(4)]
        time.sleep(0.5)
        begin = time.monotonic()
        scim = pool.submit(service.get, USERS, acme.token)
        problem = pool.submit(service.get, f"{API}/users", service.acme_api)

        answers = [scim.result(), problem.result()]
        took = time.monotonic() - begin

        assert [answer.status for answer in answers] == [503, 503]
        assert [answer.headers["Content-Type"] for answer in answers] == [MEDIA_TYPE, "application/problem+json"]
        assert [int(answer.headers["Retry-After"]) for answer in answers] == [5, 5]
        assert "Retry it later" in scim.result().json()["detail"]
        assert 1 <= took < 3
        assert {answer.result().status for answer in running} == {200}


@outside_the_database
def test_requests_that_wait_when_the_service_stops_are_refused_and_not_cut(service: Service) -> None:
    with ThreadPoolExecutor(30) as pool:
        slow = [pool.submit(service.get, API + "/slow?seconds=2", service.acme_api) for _ in range(30)]
        time.sleep(0.5)
        service.process.terminate()
        answers = [each.result() for each in slow]

    assert service.process.wait(PATIENCE) == 0
    assert {answer.status for answer in answers} == {200, 503}
    assert all(answer.headers["Retry-After"] for answer in answers if answer.status == 503)


@outside_the_database
def test_sign_ins_use_one_thread_and_delay_no_one(service: Service) -> None:
    attack, stop = [], threading.Event()

    def sign_in(address: str) -> int:
        last = 0
        while not stop.is_set():
            with closing(service.connect(address)) as connection:
                connection.request("GET", "/console/sign-in")
                response = connection.getresponse()
                cookie, text = response.headers["Set-Cookie"].partition(";")[0], response.read().decode()
                found = re.search(r'name="csrf_token" value="([^"]+)"', text)
                assert found is not None
                form = {"csrf_token": found[1], "email": f"{address}@x.example", "password": "a wrong password"}
                connection.request(
                    "POST",
                    "/console/sign-in",
                    urlencode(form),
                    {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"},
                )
                last = connection.getresponse().status
        return last

    with ThreadPoolExecutor(20) as pool:
        attack = [pool.submit(sign_in, f"127.0.0.{n}") for n in range(2, 22)]
        time.sleep(0.3)
        try:
            slowest = service.slowest(3, service.alive, service.read)
        finally:
            stop.set()
        assert {answer.result() for answer in attack} <= {400, 429}
    # The load average of a minute is late. A password takes as long as the processor is slow.
    assert slowest < SOON * max(crowd(), slowness(time.perf_counter))


@outside_the_database
def test_1010_half_requests_of_a_client_keep_no_one_out(service: Service) -> None:
    half = f"GET {USERS} HTTP/1.1\r\nHost: x\r\n".encode()
    with ExitStack() as stack:
        for _ in range(1010):
            stack.enter_context(service.open(half, "127.0.0.2"))

        assert service.slowest(1, service.alive, service.ready, service.read) < SOON * crowd()


@outside_the_database
def test_long_incomplete_heads_use_little_memory(service: Service) -> None:
    service.slowest(0.2, service.alive, service.read)
    before = service.memory()
    head = f"GET {USERS} HTTP/1.1\r\nHost: x\r\nX: {'x' * 60_000}".encode()
    with ExitStack() as stack:
        for _ in range(900):
            stack.enter_context(service.open(head, "127.0.0.2"))
        time.sleep(1)

        assert service.slowest(1, service.alive, service.read) < SOON * crowd()
        assert service.memory() < before + 30


@outside_the_database
def test_1010_whole_requests_of_a_client_keep_no_one_out(service: Service) -> None:
    whole = f"GET {API}/slow?seconds=3 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.acme_api}\r\n\r\n".encode()
    with ExitStack() as stack:
        for _ in range(1010):
            stack.enter_context(service.open(whole, "127.0.0.2"))

        assert service.slowest(1, service.alive, service.ready, service.read) < SOON * crowd()


@outside_the_database
@pytest.mark.parametrize("query", ["mib=8", "mib=32&stream"])
def test_unread_answers_use_neither_threads_nor_memory(service: Service, query: str) -> None:
    service.slowest(0.2, service.alive, service.read)
    before = service.memory()
    request = f"GET {API}/long?{query} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.acme_api}\r\n\r\n".encode()
    with ExitStack() as stack:
        for _ in range(24):
            stack.enter_context(service.open(request * 3))

        assert service.slowest(2, service.alive, service.read) < SOON * crowd()
        assert service.memory() < before + 30 + 8 * 4  # the answers that four threads prepare


@outside_the_database
def test_pipelined_long_answers_arrive_whole(service: Service) -> None:
    request = f"GET {API}/long?mib=3 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.acme_api}\r\n\r\n".encode()
    with closing(service.open(request * 3)) as connection:
        time.sleep(0.5)
        file = connection.makefile("rb")
        lengths = []
        for _ in range(3):
            head = b"".join(iter(file.readline, b"\r\n"))
            assert head.startswith(b"HTTP/1.1 200")
            lengths.append(len(file.read(3 * 2**20)))
        file.close()

    assert lengths == [3 * 2**20] * 3


@outside_the_database
def test_requests_that_wait_for_changes_delay_no_one(service: Service) -> None:
    path = f"{API}/changes?wait=3&after="
    after = {
        token: service.get(f"{API}/changes", token).json()["next"] for token in (service.acme_api, service.globex_api)
    }
    with ThreadPoolExecutor(24) as pool:
        waiting = [pool.submit(service.get, path + after[service.acme_api], service.acme_api) for _ in range(20)]
        time.sleep(0.3)
        other = pool.submit(service.get, path + after[service.globex_api], service.globex_api)
        slowest = service.slowest(1, service.alive, service.read, lambda: service.get(USERS, service.acme.token))
        service.send("POST", USERS, service.globex.token, user_body())

        assert [each["type"] for each in other.result().json()["items"]] == ["created"]
        assert {answer.result().status for answer in waiting} == {200}
    assert slowest < SOON * crowd()


def _head(path: str, length: int, *headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {length}", *headers, "", ""]
    return "\r\n".join(lines).encode()


FORM = "Content-Type: application/x-www-form-urlencoded"


@outside_the_database
@pytest.mark.parametrize(
    ("path", "headers", "length", "status"),
    [
        pytest.param(USERS, [f"Content-Type: {MEDIA_TYPE}"], 12_000_000, 401, id="no token"),
        pytest.param(USERS, ["Authorization: Bearer scimsvc_x.y"], 12_000_000, 401, id="forged token"),
        pytest.param("/api/authenticate", [FORM], 12_000_000, 400, id="token endpoint"),
        pytest.param("/api/authenticate", [FORM], 130_000, 400, id="token endpoint, 130 kB"),
        pytest.param("/console/sign-in", [FORM], 12_000_000, 413, id="sign-in"),
        pytest.param("/console/sign-in", [FORM], 130_000, 413, id="sign-in, 130 kB"),
        pytest.param("/nowhere", [], 12_000_000, 404, id="no endpoint"),
    ],
)
def test_bodies_of_strangers_are_not_stored(
    service: Service, path: str, headers: list[str], length: int, status: int
) -> None:
    service.alive()
    before, memory = _count_temporary_files(service.process.pid), service.memory()
    with ExitStack() as stack:
        connections = [stack.enter_context(service.open(_head(path, length, *headers))) for _ in range(8)]
        for connection in connections:
            connection.sendall(b"x" * (length - 1))
        service.alive()
        stored = _count_temporary_files(service.process.pid) - before
        grown = service.memory() - memory
        answers = []
        for connection in connections:
            connection.sendall(b"x")
            response = HTTPResponse(connection)
            response.begin()
            answers.append(response.status)

    assert set(answers) == {status}
    assert stored == 0
    assert grown < 10


def _count_temporary_files(pid: int) -> int:
    """Return the number of open files of the process besides connections, devices and the database."""
    links = []
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # it was closed meanwhile
            links.append(str(file.readlink()))
    return sum(link.startswith("/") and not link.startswith("/dev/") and "scimsvc.db" not in link for link in links)


@outside_the_database
def test_a_caller_may_send_a_body_up_to_the_limit(service: Service) -> None:
    body = json.dumps(user_body(nickName="n" * 200_000)).encode()
    token = f"Authorization: Bearer {service.acme.token}"
    for length in (len(body), 2_000_000):
        content = _head(USERS, length, token, f"Content-Type: {MEDIA_TYPE}") + body.ljust(length)
        with closing(service.open(content)) as connection:
            response = HTTPResponse(connection)
            response.begin()
            assert response.status == (201 if length < 2**20 else 413)
            assert response.headers["Content-Type"].startswith(MEDIA_TYPE)
