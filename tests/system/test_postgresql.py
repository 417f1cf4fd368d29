"""A PostgreSQL server that restarts, stops or becomes a standby."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.apps import make_enterprise, run_command
from tests.support.client import Enterprise, assert_scim_error, replace
from tests.support.cluster import Cluster, own_cluster
from tests.support.cpu import crowd
from tests.support.types import MakeApp

pytestmark = pytest.mark.system


@pytest.fixture
def database_url(cluster: Cluster) -> str:
    """The URL of the cluster's database."""
    return cluster.url


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with own_cluster() as cluster:
        yield cluster


@pytest.fixture
def guest(make_app: MakeApp, cluster: Cluster, tmp_path: Path) -> Enterprise:
    """An enterprise in the cluster that the tests restart."""
    app = make_app()
    run_command(app, "init")
    return make_enterprise(app, f"Guest {tmp_path.name}")


def test_connections_from_before_a_restart_are_replaced_unnoticed(guest: Enterprise, cluster: Cluster) -> None:
    user = guest.create()

    cluster.restart()

    assert guest.get(user) == user
    assert guest.patch(user, replace("title", "Lead")).status_code == 200


def test_requests_are_503_while_postgresql_is_stopped_and_served_afterwards(
    guest: Enterprise, cluster: Cluster
) -> None:
    user = guest.create()

    cluster.kill()
    begin = time.monotonic()
    refused = [guest.patch(user, replace("title", "Lead")), guest.send("GET", "/Users")]
    took = time.monotonic() - begin
    ready = guest.app.test_client().get("/readyz")
    cluster.start()
    read = guest.get(user)

    for answer in refused:
        assert_scim_error(answer, 503, None, "later")
        assert int(answer.headers["Retry-After"]) > 0
    assert ready.status_code == 503
    assert took < 5 * crowd()
    assert read == user


def test_a_connection_that_breaks_within_a_transaction_leaves_no_partial_write(
    guest: Enterprise, cluster: Cluster
) -> None:
    user = guest.create()
    with psycopg.connect(cluster.url, autocommit=True) as other, psycopg.connect(cluster.url) as holder:
        holder.execute("SELECT 1 FROM users FOR UPDATE")
        answers = []
        thread = threading.Thread(
            target=lambda: answers.append(guest.patch(user, replace("title", "Lead"), token=guest.token))
        )
        thread.start()
        waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'scimsvc'"
        while not (pids := other.execute(waiting).fetchall()):
            time.sleep(0.01)
        other.execute("SELECT pg_terminate_backend(%s)", pids[0])
        thread.join()

    assert_scim_error(answers[0], 503, None, "later")
    assert guest.get(user) == user


def test_a_standby_is_replaced_by_a_server_that_accepts_writes(guest: Enterprise, cluster: Cluster) -> None:
    user = guest.create()
    with psycopg.connect(cluster.url, autocommit=True) as other:
        other.execute("ALTER DATABASE postgres SET default_transaction_read_only = on")
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        refused = guest.patch(user, replace("title", "Lead"))
        read = guest.get(user)
        other.execute("SET default_transaction_read_only = off")
        other.execute("ALTER DATABASE postgres RESET default_transaction_read_only")
    # A new connection reaches a server that accepts writes.
    done = [guest.patch(user, replace("title", "Lead")).status_code for _ in range(2)]

    assert_scim_error(refused, 503, None, "later")
    assert read == user
    assert done[-1] == 200
