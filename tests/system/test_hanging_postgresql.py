"""A PostgreSQL server that hangs: its synchronous standby is lost, or the server is frozen."""

import gc
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from tests.support.apps import SECRET_KEY, make_enterprise, run_command
from tests.support.client import CONTENT_TYPE, SCIM, Enterprise, assert_scim_error, replace, user_body
from tests.support.cluster import Cluster, own_cluster
from tests.support.cpu import crowd
from tests.support.live import Answer, Live, serving
from tests.support.types import MakeApp

pytestmark = [
    pytest.mark.system,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*was deleted while still open:ResourceWarning"),
]

READ_SECONDS, WRITE_SECONDS = 1, 5
#: Seconds that it may take longer on a busy machine, including the time until a connection is cut.
SLACK = 5


@pytest.fixture
def database_url(cluster: Cluster) -> str:
    """The URL of the cluster's database."""
    return cluster.url


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with own_cluster() as cluster:
        yield cluster


@pytest.fixture
def guest(make_app: MakeApp, tmp_path: Path) -> Iterator[Enterprise]:
    """An enterprise in the cluster that the tests stop."""
    app = make_app(MAX_READ_SECONDS=READ_SECONDS, MAX_WRITE_SECONDS=WRITE_SECONDS)
    run_command(app, "init")
    yield make_enterprise(app, f"Guest {tmp_path.name}")
    gc.collect()  # a connection that a stopped server left open is a warning, which must not reach the next test


def test_a_commit_that_waits_for_a_lost_standby_is_unknown_and_reads_go_on(guest: Enterprise, cluster: Cluster) -> None:
    user = guest.create()

    with cluster.without_standby():
        begin = time.monotonic()
        unknown = guest.patch(user, replace("title", "Lead"))
        took = time.monotonic() - begin
        read = guest.get(user)
    done = guest.patch(user, replace("nickName", "Bo"))

    assert_scim_error(unknown, 503, None, "unknown whether the request was applied")
    assert int(unknown.headers["Retry-After"]) > 0
    assert WRITE_SECONDS <= took < WRITE_SECONDS + SLACK
    assert read["title"] == "Lead"  # committed, though not by a standby
    assert done.status_code == 200
    assert guest.get(user)["nickName"] == "Bo"


def test_other_requests_are_answered_while_writes_wait_for_a_lost_standby(guest: Enterprise, cluster: Cluster) -> None:
    user, answers = guest.create(), []

    def write(number: int) -> None:
        answers.append(guest.send("POST", "/Users", user_body(f"waits{number}@contoso.example")).status_code)

    with cluster.without_standby():
        threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        slowest = 0.0
        while any(thread.is_alive() for thread in threads):
            begin = time.monotonic()
            assert guest.get(user) == user
            slowest = max(slowest, time.monotonic() - begin)
            time.sleep(0.1)
    created = guest.create(**user_body("after@contoso.example"))

    assert answers == [503, 503, 503]
    assert slowest < crowd()
    assert guest.get(created) == created


def test_requests_to_a_frozen_server_are_503_and_it_recovers_by_itself(guest: Enterprise, cluster: Cluster) -> None:
    user = guest.create()

    with cluster.frozen():
        begin = time.monotonic()
        read = guest.send("GET", f"/Users/{user['id']}")
        read_took = time.monotonic() - begin
        begin = time.monotonic()
        write = guest.patch(user, replace("title", "Lead"))
        ready = guest.app.test_client().get("/readyz").status_code
        write_took = time.monotonic() - begin
    after = guest.get(user)
    done = guest.patch(user, replace("title", "Chief"))

    assert_scim_error(read, 503, None, "later")
    assert_scim_error(write, 503, None, "later")
    assert read_took < READ_SECONDS + SLACK
    assert write_took < WRITE_SECONDS + 2 * SLACK
    assert ready == 503
    assert after == user
    assert done.status_code == 200


def test_a_server_that_freezes_within_a_write_is_503(guest: Enterprise, cluster: Cluster) -> None:
    user = guest.create()
    answers: list[int] = []
    stopping = threading.Event()

    def write() -> None:
        while not stopping.is_set():
            answers.append(guest.patch(user, replace("title", f"Title {len(answers)}")).status_code)

    thread = threading.Thread(target=write)
    thread.start()
    while len(answers) < 20:
        time.sleep(0.001)
    with cluster.frozen():
        before = len(answers)
        begin = time.monotonic()
        while len(answers) < before + 2:
            time.sleep(0.01)
        took = time.monotonic() - begin
        stopping.set()
        thread.join()
    title = guest.get(user)["title"]

    assert took < 2 * (WRITE_SECONDS + SLACK)
    assert answers[before + 1] == 503
    last = max(number for number, status in enumerate(answers) if status == 200)
    assert title in {f"Title {last}", f"Title {last + 1}"}


# The whole service.

WRITERS = 8


@pytest.fixture
def live(guest: Enterprise, cluster: Cluster, tmp_path: Path) -> Iterator[Live]:
    """The service in a process of its own."""
    with serving(
        tmp_path / "served",
        command="serve",
        DATABASE_URL=cluster.url,
        SECRET_KEY=SECRET_KEY,
        MAX_READ_SECONDS=str(READ_SECONDS),
        MAX_WRITE_SECONDS=str(WRITE_SECONDS),
    ) as live:
        yield live


@dataclass
class Load:
    """Clients that write, read and ask for the health of a service, and what they saw."""

    live: Live
    token: str
    prefix: str
    #: The addresses that were acknowledged.
    created: list[str] = field(default_factory=list)
    statuses: dict[str, set[int]] = field(default_factory=dict)
    #: The seconds of the slowest answer, by what was asked.
    slowest: dict[str, float] = field(default_factory=dict)

    def send(self, method: str, path: str, body: object = None) -> Answer:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": CONTENT_TYPE}
        return self.live.send(method, path, json.dumps(body) if body is not None else None, headers)

    def clear(self) -> None:
        self.statuses.clear()
        self.slowest.clear()

    def timed(self, what: str, ask: Callable[[], Answer]) -> int:
        begin = time.monotonic()
        answer = ask()
        self.slowest[what] = max(self.slowest.get(what, 0.0), time.monotonic() - begin)
        self.statuses.setdefault(what, set()).add(answer.status)
        return answer.status

    def write(self, client: int, number: int) -> None:
        address = f"{self.prefix}.{client}.{number}@contoso.example"
        if self.timed("write", lambda: self.send("POST", f"{SCIM}/Users", user_body(address))) == 201:
            self.created.append(address)

    def ask(self, what: str, path: str) -> Callable[[int], None]:
        def once(_number: int) -> None:
            self.timed(what, lambda: self.send("GET", path))
            time.sleep(0.05)

        return once

    @contextmanager
    def running(self) -> Iterator[None]:
        stopping = threading.Event()

        def repeat(work: Callable[[int], None]) -> None:
            number = 0
            while not stopping.is_set():
                work(number)
                number += 1

        works = [
            *((lambda number, client=client: self.write(client, number)) for client in range(WRITERS)),
            self.ask("read", f"{SCIM}/Users?count=1"),
            self.ask("health", "/healthz"),
            self.ask("ready", "/readyz"),
        ]
        threads = [threading.Thread(target=repeat, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stopping.set()
            for thread in threads:
                thread.join()


def wait_until_recovered(load: Load) -> None:
    """Return when every request has been successful for a second. Raises ``AssertionError`` after half a minute."""
    deadline = time.monotonic() + 30
    while load.statuses != {"write": {201}, "read": {200}, "health": {200}, "ready": {200}}:
        assert time.monotonic() < deadline, load.statuses
        load.clear()
        time.sleep(1)


def stored_addresses(cluster: Cluster) -> set[str]:
    with psycopg.connect(cluster.url) as connection:
        return {address for (address,) in connection.execute("SELECT email_key FROM users")}


def test_a_lost_standby_stops_only_writes_of_the_service(guest: Enterprise, live: Live, cluster: Cluster) -> None:
    load = Load(live, guest.token, "standby")

    with load.running():
        time.sleep(1)
        load.clear()
        with cluster.without_standby():
            time.sleep(WRITE_SECONDS * 2.5)
        during, slowest = {what: set(seen) for what, seen in load.statuses.items()}, dict(load.slowest)
        time.sleep(1)
        load.clear()
        time.sleep(2)

    assert during["health"] == during["read"] == during["ready"] == {200}
    assert 503 in during["write"]
    assert during["write"] <= {201, 503}
    assert slowest["health"] < crowd()
    assert slowest["read"] < crowd()
    assert slowest["write"] < 40
    assert load.statuses["write"] == {201}
    assert set(load.created) <= stored_addresses(cluster)


def test_a_frozen_server_stops_neither_health_nor_recovery(guest: Enterprise, live: Live, cluster: Cluster) -> None:
    load = Load(live, guest.token, "frozen")

    with load.running():
        time.sleep(1)
        load.clear()
        with cluster.frozen():
            time.sleep(WRITE_SECONDS * 3)
        during, slowest = {what: set(seen) for what, seen in load.statuses.items()}, dict(load.slowest)
        wait_until_recovered(load)
        load.clear()
        time.sleep(2)

    assert during["health"] == {200}
    assert 503 in during["ready"]
    assert 503 in during["write"]
    assert during["write"] <= {201, 503}
    assert slowest["health"] < crowd()
    assert slowest["ready"] < 2 * crowd()
    assert slowest["read"] < 40
    assert slowest["write"] < 40
    assert load.statuses == {"write": {201}, "read": {200}, "health": {200}, "ready": {200}}
    assert set(load.created) <= stored_addresses(cluster)
