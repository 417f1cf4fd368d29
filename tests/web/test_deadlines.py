"""Requests that take the database too long are refused in the form of their path, and others are answered."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from scimsvc.enterprises.enterprises import delete_enterprise, update_enterprise
from scimsvc.mapping.roles import add_role, update_role
from scimsvc.store.engine.database import current_database
from scimsvc.store.engine.deadlines import DeadlineExceeded
from scimsvc.store.fast.connections import READ, WRITE
from tests.support.apps import make_api
from tests.support.client import Enterprise, assert_problem, assert_scim_error, replace
from tests.support.console import Console, make_admin
from tests.support.cpu import crowd
from tests.support.endless import EXPENSIVE, add_large_users
from tests.support.types import MakeApp
from tests.support.urns import SEARCH_URN


@pytest.fixture
def hasty(acme: Enterprise, make_app: MakeApp) -> Enterprise:
    """The enterprise in a service whose reads may take a second."""
    return Enterprise(make_app(MAX_READ_SECONDS=1, MAX_WRITE_SECONDS=5), acme.made, acme.token)


@pytest.mark.parametrize("way", ["GET", "POST"])
def test_an_expensive_filter_is_refused_and_others_are_answered(hasty: Enterprise, way: str) -> None:
    add_large_users(hasty)
    answers: list[Any] = []

    def ask() -> None:
        if way == "GET":
            answers.append(hasty.send("GET", "/Users", query={"filter": EXPENSIVE}))
        else:
            answers.append(hasty.send("POST", "/Users/.search", {"schemas": [SEARCH_URN], "filter": EXPENSIVE}))

    for _ in range(3):  # a busy database may not even answer that it stopped the work, which is another error
        answers.clear()
        begin = time.monotonic()
        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        slowest = 0.0
        while any(thread.is_alive() for thread in threads):
            started = time.monotonic()
            assert hasty.find('userName eq "nobody"') == []
            slowest = max(slowest, time.monotonic() - started)
            time.sleep(0.05)
        took = time.monotonic() - begin
        if {answer.status_code for answer in answers} == {400}:
            break

    for answer in answers:
        assert_scim_error(answer, 400, "tooMany", "fewer conditions", "cursor")
    assert took < 5 * crowd()
    assert slowest < crowd()
    assert len(hasty.find('userName eq "Test User"', count="5")) == 5


def test_a_request_may_wait_for_changes_longer_than_it_may_work(hasty: Enterprise) -> None:
    assert make_api(hasty).get("/changes", wait=6)["items"] == []


def test_changes_that_concern_many_users_have_more_time(acme: Enterprise) -> None:
    with acme.app.app_context():
        deadlines = current_database().deadlines
        with deadlines.replaced({READ: 0.0, WRITE: 0.0}, 0.0), pytest.raises(DeadlineExceeded):
            add_role("Acme", {"name": "Clerk"})
        with deadlines.replaced({READ: 0.0, WRITE: 0.0}, 0.0):
            update_role("Acme", "User", {"name": "Employee"})
            update_enterprise("Acme", {"default_role": "Employee"})
            delete_enterprise("Acme")


@contextmanager
def locked_users(url: str) -> Iterator[None]:
    """Let every read of users wait."""
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        yield


class TestPostgreSQLThatWaits:
    """A table is locked, as a careless maintenance does it."""

    @pytest.fixture
    def database_url(self, empty_postgresql_url: str) -> str:
        return empty_postgresql_url

    def test_each_front_end_answers_503_in_its_form(self, hasty: Enterprise, database_url: str) -> None:
        api = make_api(hasty)
        console = Console(hasty.app, make_admin(hasty.app, "admin@acme.example", "Acme"))
        with locked_users(database_url):
            begin = time.monotonic()
            scim = hasty.send("GET", "/Users", query={"filter": 'userName eq "a"'})
            problem = api.send("GET", "/users")
            page = console.send("GET", f"/console/enterprises/{hasty.made['id']}/users")
            took = time.monotonic() - begin

        assert_scim_error(scim, 503, None, "did not complete the request in time")
        assert_problem(
            problem, 503, "did not complete the request in time. Retry it later. If it is a search, narrow it"
        )
        assert (page.status_code, page.mimetype) == (503, "text/html")
        assert "did not complete the request in time" in page.text
        for answer in (scim, problem, page):
            assert int(answer.headers["Retry-After"]) > 0
        assert took < 9

    def test_a_write_that_waits_too_long_is_not_applied(self, hasty: Enterprise, database_url: str) -> None:
        user = hasty.create()
        with locked_users(database_url):
            begin = time.monotonic()
            refused = hasty.patch(user, replace("title", "Lead"))
            took = time.monotonic() - begin

        assert_scim_error(refused, 503, None, "The request was not applied")
        assert took < 8
        assert hasty.get(user) == user
