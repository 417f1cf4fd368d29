"""A PostgreSQL server that hangs: its synchronous standby is lost, or the server is frozen."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.apps import make_enterprise, run_command
from tests.support.client import Enterprise, assert_scim_error, replace, user_body
from tests.support.cluster import Cluster, own_cluster
from tests.support.types import MakeApp

pytestmark = [pytest.mark.system, pytest.mark.slow]

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
def guest(make_app: MakeApp, tmp_path: Path) -> Enterprise:
    """An enterprise in the cluster that the tests stop."""
    app = make_app(MAX_READ_SECONDS=READ_SECONDS, MAX_WRITE_SECONDS=WRITE_SECONDS)
    run_command(app, "init")
    return make_enterprise(app, f"Guest {tmp_path.name}")


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
    assert slowest < 1
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
