"""Large downloads that clients do not read delay no one."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPResponse
from pathlib import Path

import pytest
from sqlalchemy import insert

from scimsvc import clock, create_app
from scimsvc.models import LogEntry
from scimsvc.store.engine.transactions import writing
from scimsvc.store.log import new_entry_id
from tests.support.apps import dispose, run_command
from tests.support.console import Console, make_admin
from tests.support.cpu import crowd
from tests.support.live import PATIENCE, Live, serving

pytestmark = [pytest.mark.system, pytest.mark.slow]

THREADS = 4
#: Together the entries are longer than the 16 MiB that waitress keeps before a thread waits for the reader.
ENTRIES = 8_000
DETAIL = "The value is not valid. " * 110
NAMES = [f"Enterprise {number}" for number in range(THREADS)]


@dataclass(frozen=True)
class Service:
    """A running service with a long log in each enterprise, and the cookie of an operator."""

    live: Live
    cookie: str
    ids: list[str]

    def open(self, number: int, *, copies: int = 1) -> socket.socket:
        """Ask for the log of an enterprise, ``copies`` times in one packet, and read nothing."""
        url = self.live.base_url.removeprefix("http://").split(":")
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(PATIENCE)
        connection.connect((url[0], int(url[1])))
        path = f"/console/enterprises/{self.ids[number]}/log.csv"
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nCookie: {self.cookie}\r\n\r\n".encode() * copies)
        return connection

    def open_files(self) -> list[str]:
        """Return the temporary files that the service has open."""
        targets = []
        for link in Path(f"/proc/{self.live.process.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # the service has closed it
                targets.append(str(link.readlink()))
        return [target for target in targets if "(deleted)" in target]

    def wait_until_closed(self) -> None:
        """Wait until the service has noticed that the clients of all downloads are gone."""
        deadline = time.monotonic() + PATIENCE
        while self.open_files():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def slowest_answer(self, seconds: float) -> float:
        """Return the longest time that /healthz took within these seconds."""
        slowest, end = 0.0, time.monotonic() + seconds
        while time.monotonic() < end:
            begin = time.monotonic()
            assert self.live.send("GET", "/healthz").status == 200
            slowest = max(slowest, time.monotonic() - begin)
            time.sleep(0.02)
        return slowest


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("downloads")
    app = create_app({"INSTANCE_PATH": str(folder / "instance")})
    run_command(app, "init")
    ids = [run_command(app, "enterprise", "create", name)["id"] for name in NAMES]
    with app.app_context():
        for each in ids:
            fill_log(each)
    browser = Console(app, make_admin(app, "operator@example.com")).browser
    cookie = browser.get_cookie("scimsvc_console", path="/console")
    assert cookie is not None
    dispose(app)
    with serving(folder, f"--threads={THREADS}", command="serve") as live:
        yield Service(live, f"scimsvc_console={cookie.value}", ids)


def fill_log(enterprise_id: str) -> None:
    """Insert ``ENTRIES`` refusals."""
    common = {
        "enterprise_id": enterprise_id, "operation": "create", "user_id": None, "email": "a@x.example",
        "email_key": "a@x.example", "outcome": "refused", "status": 400, "scim_type": "invalidValue", "detail": DETAIL,
        "effect": None, "cause": None, "role_value": None, "role_key": None, "holder_id": None, "changed": "[]", "tolerances": "[]",
        "ignored": "[]", "client_id": "c", "request_id": "r", "duration_ms": 1.0,
    }  # fmt: skip
    now = clock.now()
    times = [now - timedelta(milliseconds=number) for number in range(ENTRIES)]
    rows = [{**common, "id": new_entry_id(at), "time": clock.timestamp(at)} for at in times]
    with writing() as connection:
        connection.execute(insert(LogEntry), rows)


def status_of(connection: socket.socket) -> int:
    answer = HTTPResponse(connection)
    answer.begin()
    return answer.status


def test_four_unread_downloads_of_one_enterprise_are_one(service: Service) -> None:
    with ExitStack() as stack:
        connections = [stack.enter_context(service.open(0)) for _ in range(THREADS)]
        slowest = service.slowest_answer(4)
        statuses = sorted(map(status_of, connections))

    service.wait_until_closed()
    assert slowest < crowd()
    assert statuses == [200, 429, 429, 429]


def test_unread_downloads_of_several_enterprises_hold_no_thread(service: Service) -> None:
    with ExitStack() as stack:
        for number in range(THREADS):
            connection = stack.enter_context(service.open(number, copies=2))
            assert connection.recv(12, socket.MSG_PEEK) == b"HTTP/1.1 200", number
        slowest = service.slowest_answer(3)
        files = service.open_files()

    service.wait_until_closed()
    assert slowest < crowd()
    assert len(files) == THREADS


def test_the_file_is_gone_when_the_client_is(service: Service) -> None:
    with service.open(0) as connection:
        assert connection.recv(12, socket.MSG_PEEK) == b"HTTP/1.1 200"
    service.wait_until_closed()

    with service.open(0) as connection:
        answer = HTTPResponse(connection)
        answer.begin()
        assert answer.status == 200
        content = answer.read()

    assert content.count(b"\r\n") == ENTRIES + 1
    assert len(content) > 16 * 2**20
