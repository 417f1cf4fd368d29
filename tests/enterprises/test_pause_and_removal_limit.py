"""A pause and the removal limit refuse SCIM writes (contract section 2)."""

from datetime import timedelta
from typing import Any

import pytest

from scimsvc import clock
from scimsvc.enterprises import enterprises
from tests.support.client import Enterprise, assert_scim_error, replace, user_body
from tests.support.records import log_of


def set_limit(acme: Enterprise, **limit: int) -> None:
    with acme.app.app_context():
        enterprises.update_enterprise("Acme", {"removal_limit": limit or None})


@pytest.fixture
def users(acme: Enterprise) -> list[dict[str, Any]]:
    return [acme.create(email=f"user{number}@x.example") for number in range(6)]


def disable(acme: Enterprise, user: dict[str, Any]) -> int:
    return acme.patch(user, replace("active", False)).status_code


def delete(acme: Enterprise, user: dict[str, Any]) -> int:
    return acme.send("DELETE", f"/Users/{user['id']}").status_code


def test_a_pause_refuses_writes_and_allows_reads(acme: Enterprise, users: list[dict[str, Any]]) -> None:
    with acme.app.app_context():
        enterprises.update_enterprise("Acme", {"paused": True})
    own = f"/Users/{users[0]['id']}"

    writes = [
        acme.send("POST", "/Users", user_body()),
        acme.send("PUT", own, user_body("user0@x.example")),
        acme.patch(users[0], replace("title", "x")),
        acme.send("DELETE", own),
    ]

    for answer in writes:
        assert_scim_error(answer, 503, None, "paused for Acme", "open Settings in the scimsvc console")
        assert int(answer.headers["Retry-After"]) > 0
    assert acme.find("id pr", sortBy="emails.value") == users
    assert [each["status"] for each in log_of(acme, outcome="refused")] == [503] * 4
    with acme.app.app_context():
        enterprises.update_enterprise("Acme", {"paused": False})
    assert acme.patch(users[0], replace("title", "x")).status_code == 200


def test_the_removal_limit_refuses_only_further_removals(acme: Enterprise, users: list[dict[str, Any]]) -> None:
    set_limit(acme, users=2, hours=24)

    assert [disable(acme, users[0]), delete(acme, users[1])] == [200, 204]
    answer = acme.patch(users[2], replace("active", False))

    assert_scim_error(answer, 503, None, "at most 2 users", "open Settings in the scimsvc console")
    assert answer.headers["Retry-After"]
    put = acme.send("PUT", f"/Users/{users[3]['id']}", user_body("user3@x.example", active=False))
    assert (put.status_code, delete(acme, users[4])) == (503, 503)
    assert acme.get(users[2])["active"] is True
    assert acme.patch(users[2], replace("title", "x")).status_code == 200
    assert acme.patch(users[0], replace("active", True)).status_code == 200
    assert acme.send("POST", "/Users", user_body("new@x.example", active=False)).status_code == 201
    # A disabled user is counted already and can still be deleted.
    assert [disable(acme, users[0]), delete(acme, users[0])] == [200, 204]


def test_the_removal_limit_counts_the_hours_of_its_period(
    acme: Enterprise, users: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_limit(acme, users=1, hours=2)
    assert [disable(acme, users[0]), disable(acme, users[1])] == [200, 503]

    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(hours=2, seconds=1))

    assert [disable(acme, users[1]), disable(acme, users[2])] == [200, 503]


def test_a_release_allows_removals_for_the_same_hours(
    acme: Enterprise, users: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_limit(acme, users=1, hours=2)
    assert [disable(acme, users[0]), disable(acme, users[1])] == [200, 503]

    with acme.app.app_context():
        enterprises.release_removals("Acme")

    assert [disable(acme, user) for user in users[1:4]] == [200, 200, 200]
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(hours=2, seconds=1))
    assert [disable(acme, users[4]), disable(acme, users[5])] == [200, 503]


@pytest.mark.parametrize(
    ("limit", "removed"),
    [({"percent": 50}, 3), ({"percent": 1}, 1), ({"users": 2, "percent": 50}, 2), ({"users": 5, "percent": 34}, 2)],
)
def test_a_percentage_is_of_the_enterprises_users(
    acme: Enterprise, users: list[dict[str, Any]], limit: dict[str, int], removed: int
) -> None:
    set_limit(acme, **limit)

    assert [disable(acme, user) for user in users] == [200] * removed + [503] * (6 - removed)
    set_limit(acme)
    assert disable(acme, users[-1]) == 200
