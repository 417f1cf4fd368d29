"""A kill during writes loses no acknowledged write and leaves no partial one (requirements R1, R7)."""

import random
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from scimsvc import create_app
from tests.support.apps import dispose, run_command
from tests.support.client import user_body
from tests.support.cluster import own_cluster
from tests.support.ledger import Client, GroupWriter, Writer, documents, totals, writing_to
from tests.support.live import Live, serving
from tests.support.long_runs import LONG

pytestmark = pytest.mark.system

WRITERS = 4
KILLS = 200 if LONG else 3
GROUP_KILLS = 60 if LONG else 3
CLUSTER_KILLS = 40 if LONG else 3  # every second one is a restart

Stored = dict[str, dict[str, Any]]


def set_up(folder: Path, **settings: str) -> str:
    """Create the schema and an enterprise with commands, and return a SCIM token."""
    app = create_app({"INSTANCE_PATH": str(folder / "instance")} | settings)
    run_command(app, "init")
    run_command(app, "enterprise", "create", "Acme", "--enable-scim")
    token = run_command(app, "token", "issue", "Acme")["access_token"]
    dispose(app)
    return str(token)


def disagreements(writers: list[Writer], stored: Stored) -> list[str]:
    """Compare the stored users with every writer's ledger, and accept the outcome of unanswered writes."""
    found = [line for writer in writers for line in writer.disagreements(stored)]
    known = {email for writer in writers for email in writer.acknowledged.keys() | writer.unanswered.keys()}
    for writer in writers:
        writer.settle(stored)
    return found + [f"nobody made {email}" for email in stored.keys() - known]


def successors(writers: list[Writer], base_url: str) -> list[Writer]:
    """Return writers that continue with the users of their predecessors."""
    return [writer.successor(base_url) for writer in writers]


def sound_documents(path: Path) -> Stored:
    """Check a SQLite file first after the crash, and return its users."""
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        assert_one_entry_each(database.execute)
        return documents(database.execute("SELECT document FROM users"))


def assert_one_entry_each(execute: Callable[[str], Any]) -> None:
    """Assert that log and feed have an entry for each change of the users, and no other entries (R65)."""
    logged = execute(
        "SELECT user_id, count(*) FROM provisioning_log WHERE outcome = 'ok' GROUP BY user_id ORDER BY user_id"
    )
    fed = execute("SELECT user_id, count(*) FROM changes GROUP BY user_id ORDER BY user_id")
    assert logged.fetchall() == (counts := fed.fetchall())
    versions = dict(execute("SELECT id, version FROM users").fetchall())
    assert versions == {user_id: count for user_id, count in counts if user_id in versions}
    numbers = execute("SELECT number FROM changes ORDER BY number").fetchall()
    assert [number for (number,) in numbers] == list(range(1, len(numbers) + 1))
    ends = execute("SELECT type, users FROM changes ORDER BY number DESC").fetchone()
    assert ends is None or ends[1] == len(versions)


@pytest.mark.slow
@pytest.mark.requirement("R7")
def test_a_server_killed_during_writes_keeps_acknowledged_writes(tmp_path: Path) -> None:
    token = set_up(tmp_path)
    writers = [Writer("http://127.0.0.1:1", token) for _ in range(WRITERS)]
    acknowledged = in_flight = 0

    for _ in range(KILLS):
        begin = time.monotonic()
        with serving(tmp_path, command="serve") as live:
            assert time.monotonic() - begin < 5 or not LONG  # other tests may keep the machine busy
            writers = successors(writers, live.base_url)
            with writing_to(*writers):
                time.sleep(random.uniform(0.05, 0.4))
                live.process.kill()
                live.process.wait()
        acknowledged += sum(totals(writers).values())
        in_flight += sum(len(writer.unanswered) for writer in writers)
        assert disagreements(writers, sound_documents(tmp_path / "instance" / "scimsvc.db")) == []

    with serving(tmp_path, command="serve") as live, closing(Client(live.base_url, token)) as client:
        seen = _seen_by(client)
    assert seen == {email: mark for writer in writers for email, mark in writer.acknowledged.items() if mark}
    print(f"{KILLS} kills, {acknowledged} acknowledged writes, all found; {in_flight} in flight, none half done")
    assert acknowledged > KILLS


def _seen_by(client: Client) -> dict[str, str]:
    users: list[dict[str, Any]] = []
    while True:
        _, _, page = client.send("GET", f"/Users?count=1000&startIndex={len(users) + 1}")
        users += page["Resources"]
        if len(users) >= page["totalResults"]:
            return {user["emails"][0]["value"]: user["title"] for user in users}


@pytest.mark.slow
@pytest.mark.requirement("R7")
def test_a_server_killed_while_groups_change_keeps_acknowledged_members(tmp_path: Path) -> None:
    token = set_up(tmp_path)
    with serving(tmp_path, command="serve") as live, closing(Client(live.base_url, token)) as client:
        bodies = [user_body(f"member{number}@contoso.example") for number in range(8)]
        members = [client.send("POST", "/Users", body)[2]["id"] for body in bodies]
    writers: list[Writer] = [GroupWriter("http://127.0.0.1:1", token, members) for _ in range(WRITERS)]
    acknowledged = 0

    for _ in range(GROUP_KILLS):
        with serving(tmp_path, command="serve") as live:
            writers = successors(writers, live.base_url)
            with writing_to(*writers):
                time.sleep(random.uniform(0.05, 0.4))
                live.process.kill()
                live.process.wait()
        acknowledged += sum(totals(writers).values())
        with serving(tmp_path, command="serve") as live, closing(Client(live.base_url, token)) as client:
            groups = client.send("GET", "/Groups?count=1000")[2]["Resources"]
        assert disagreements(writers, {group["displayName"]: group for group in groups}) == []

    app = create_app({"INSTANCE_PATH": str(tmp_path / "instance")})
    assert run_command(app, "check")["faults"] == []
    dispose(app)
    print(f"{GROUP_KILLS} kills, {acknowledged} acknowledged writes of groups, all found")
    assert acknowledged > GROUP_KILLS


# PostgreSQL.


def stored_in(url: str) -> Stored:
    with psycopg.connect(url) as database:
        assert_one_entry_each(database.execute)
        return documents(database.execute("SELECT document FROM users").fetchall())


def wait_until_ready(live: Live) -> None:
    deadline = time.monotonic() + 30
    while live.send("GET", "/readyz").status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.requirement("R7")
def test_a_postgresql_killed_during_writes_causes_only_503(tmp_path: Path) -> None:
    with own_cluster() as cluster:
        token = set_up(tmp_path, DATABASE_URL=cluster.url)
        with serving(tmp_path, command="serve", DATABASE_URL=cluster.url) as live:
            writers = [Writer(live.base_url, token) for _ in range(WRITERS)]
            for number in range(CLUSTER_KILLS):
                with writing_to(*(writers := _with_counts(writers, live.base_url))):
                    time.sleep(random.uniform(0.1, 0.6))
                    cluster.kill() if number % 2 == 0 else cluster.restart()
                    time.sleep(0.2)
                    if number % 2 == 0:
                        cluster.start()
                    wait_until_ready(live)
                    time.sleep(0.1)
                assert disagreements(writers, stored_in(cluster.url)) == []
                assert [writer.breaks for writer in writers] == [0] * WRITERS  # each one was answered
            counts = totals(writers)
            assert live.stop() == 0

    print(f"{CLUSTER_KILLS} ends of PostgreSQL; answers by status: {counts}")
    assert counts[503] > 0
    assert set(counts) == {200, 201, 204, 503}


def _with_counts(writers: list[Writer], base_url: str) -> list[Writer]:
    new = successors(writers, base_url)
    for old, writer in zip(writers, new, strict=True):
        writer.counts = old.counts
    return new


@pytest.mark.slow
def test_two_servers_share_a_postgresql_and_one_continues_when_the_other_is_killed(
    tmp_path: Path, empty_postgresql_url: str
) -> None:
    key = "k" * 40
    token = set_up(tmp_path, DATABASE_URL=empty_postgresql_url, SECRET_KEY=key)

    with ExitStack() as stack:
        lives = [
            stack.enter_context(
                serving(tmp_path / name, command="serve", DATABASE_URL=empty_postgresql_url, SECRET_KEY=key)
            )
            for name in ("killed", "other")
        ]
        killed, other = ([Writer(live.base_url, token) for _ in range(2)] for live in lives)
        with writing_to(*killed, *other):
            time.sleep(0.7)
            lives[0].process.kill()
            lives[0].process.wait()
            before = sum(totals(other).values())
            time.sleep(0.7)
        stored = stored_in(empty_postgresql_url)
        with closing(Client(lives[1].base_url, token)) as client:
            seen = _seen_by(client)

    assert [writer.breaks for writer in (*killed, *other)] == [1, 1, 0, 0]
    assert disagreements([*killed, *other], stored) == []
    assert sum(totals(other).values()) > before
    assert set(totals(other)) <= {200, 201, 204}
    assert len(seen) == len(stored)


# One winner.


@pytest.fixture(params=["sqlite", "postgresql"])
def racing_settings(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """Settings that let two servers share a database."""
    if request.param == "sqlite":
        return {"DATABASE_URL": f"sqlite:///{tmp_path}/scimsvc.db", "SECRET_KEY": "k" * 40}
    return {"DATABASE_URL": request.getfixturevalue("empty_postgresql_url"), "SECRET_KEY": "k" * 40}


@pytest.mark.slow
@pytest.mark.requirement("R1")
def test_one_of_50_creates_of_one_address_in_two_processes_wins(
    tmp_path: Path, racing_settings: dict[str, Any]
) -> None:
    token = set_up(tmp_path, **racing_settings)
    bodies = [user_body("Racer@Contoso.example" if n % 2 else "racer@contoso.example") for n in range(50)]

    with ExitStack() as stack:
        lives = [
            stack.enter_context(serving(tmp_path / name, command="serve", **racing_settings)) for name in ("a", "b")
        ]
        clients = [stack.enter_context(closing(Client(lives[n % 2].base_url, token))) for n in range(50)]
        for client in clients:
            client._connection.connect()
        pool = stack.enter_context(ThreadPoolExecutor(50))
        answers = list(pool.map(lambda client, body: client.send("POST", "/Users", body), clients, bodies))
        found = clients[0].send("GET", "/Users?filter=emails.value%20eq%20%22racer@contoso.example%22")[2]
        listed = clients[1].send("GET", "/Users")[2]

    assert sorted(status for status, _, _ in answers) == [201] + [409] * 49
    assert {body["scimType"] for status, _, body in answers if status == 409} == {"uniqueness"}
    assert (found["totalResults"], listed["totalResults"]) == (1, 1)
