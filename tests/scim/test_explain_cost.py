"""Explaining requests costs other enterprises nothing: no lock for a read, and a short one for a write."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask

from scimsvc.scim.explain import explain
from scimsvc.store.engine import rehearsals
from scimsvc.store.engine.database import current_database
from scimsvc.store.engine.deadlines import DeadlineExceeded
from scimsvc.store.engine.transactions import reading, rehearsing, writing
from tests.support.apps import make_api, make_enterprise
from tests.support.client import Enterprise, assert_problem, patch_body, replace, user_body
from tests.support.cpu import crowd
from tests.support.endless import EXPENSIVE, add_large_users, work_forever
from tests.support.types import MakeApp
from tests.support.urns import SEARCH_URN

BASE = "https://app.example/api/scim/v2"


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app(MAX_READ_SECONDS=2)


@pytest.mark.parametrize(("method", "path", "body"), [
    ("GET", "/Users", None),
    ("GET", '/Users?filter=title eq "x"', None),
    ("POST", "/Users/.search", {"schemas": [SEARCH_URN], "filter": 'title eq "x"'}),
    ("POST", "/Users", {"schemas": []}),
])  # fmt: skip
def test_a_request_that_writes_nothing_is_explained_without_the_write_lock(
    acme: Enterprise, method: str, path: str, body: Any
) -> None:
    with acme.app.app_context(), current_database().write_lock.held(0):
        begin = time.monotonic()
        told = explain("Acme", {"method": method, "path": path, "body": body}, base=BASE)
        took = time.monotonic() - begin

    assert told["outcome"] in ("ok", "refused")
    assert took < 2


def test_slow_explanations_do_not_slow_down_other_enterprises(acme: Enterprise) -> None:
    add_large_users(acme)
    api, other = make_api(acme), make_enterprise(acme.app, "Other")
    answers: list[Any] = []

    def ask() -> None:
        query = {"method": "GET", "path": f"/Users?filter={EXPENSIVE}", "body": None}
        answers.append(api.send("POST", "/explain", query))

    slowest = _slowest_create(other, [ask] * 3)

    # A fast PostgreSQL completes the filter in time, or exceeds it only with the second search, for the users. A busy one
    # may not confirm the interruption in time.
    results = {(answer.get_json()["status"], answer.get_json().get("scim_type")) for answer in answers}
    assert results <= {(200, None), (400, "tooMany"), (400, None), (503, None)}
    assert slowest < crowd()


def test_a_rehearsal_may_write_only_for_a_moment(acme: Enterprise) -> None:
    acme_user = acme.create()
    other = make_enterprise(acme.app, "Other")

    def rehearse_forever() -> None:
        with acme.app.app_context(), pytest.raises(DeadlineExceeded), _rehearsed_write() as connection:
            work_forever(connection)

    slowest = _slowest_create(other, [rehearse_forever] * 3)

    assert slowest < crowd()
    assert acme.patch(acme_user, replace("title", "Lead")).status_code == 200


def test_explained_writes_do_not_slow_down_other_enterprises(acme: Enterprise) -> None:
    user = acme.create(title="Old")
    api, other = make_api(acme), make_enterprise(acme.app, "Other")
    query = {"method": "PATCH", "path": f"/Users/{user['id']}", "body": patch_body(replace("title", "New"))}

    def ask() -> None:
        for _ in range(20):
            assert api.send("POST", "/explain", query).get_json()["status"] == 200

    slowest = _slowest_create(other, [ask] * 3)

    assert slowest < crowd()
    assert acme.get(user)["title"] == "Old"


def test_one_rehearsal_at_a_time_queues_for_the_write_lock(acme: Enterprise, monkeypatch: pytest.MonkeyPatch) -> None:
    with acme.app.app_context():
        database = current_database()
    if not database.has_one_writer:
        pytest.skip("PostgreSQL has no such queue")
    api = make_api(acme)
    query = {"method": "POST", "path": "/Users", "body": user_body("new@contoso.example")}
    monkeypatch.setattr(rehearsals, "LOCK_TIMEOUT", 0.1)

    with database.rehearsal_lock.held(0):
        refused = api.send("POST", "/explain", query)
        acme.create()  # other writers do not wait for the queue of rehearsals

    assert_problem(refused, 503, "later")


def test_a_rehearsal_reads_what_it_wrote(acme: Enterprise) -> None:
    with acme.app.app_context():
        with rehearsing():
            with writing() as connection:
                # PostgreSQL may still be rolling back the 'a' of a transaction that was cut.
                connection.exec_driver_sql("INSERT INTO settings VALUES ('b', 1)")
            with reading() as connection:
                within = connection.exec_driver_sql("SELECT count(*) FROM settings").scalar_one()
        with reading() as connection:
            after = connection.exec_driver_sql("SELECT count(*) FROM settings").scalar_one()

    assert (within, after) == (1, 0)


@contextmanager
def _rehearsed_write() -> Iterator[Any]:
    with rehearsing(), writing() as connection:
        connection.exec_driver_sql("INSERT INTO settings VALUES ('a', 1)")
        yield connection


def _slowest_create(other: Enterprise, attacks: list[Callable[[], None]]) -> float:
    """Create users in ``other`` until every attack is done, and return the seconds of the slowest creation."""
    threads = [threading.Thread(target=attack) for attack in attacks]
    for thread in threads:
        thread.start()
    slowest, number = 0.0, 0
    while any(thread.is_alive() for thread in threads):
        begin = time.monotonic()
        other.create(**user_body(f"bystander{number}@contoso.example"))
        slowest = max(slowest, time.monotonic() - begin)
        number += 1
        time.sleep(0.02)
    assert number > 1
    return slowest
