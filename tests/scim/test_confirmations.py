"""A request that reads, finds or writes exactly one user confirms the user."""

from typing import Any

import pytest

from scimsvc.auth.last_uses import LastUses, last_uses, write_last_uses
from tests.support.client import Api, Enterprise, patch_body, replace, user_body
from tests.support.moved_clock import MovedClock
from tests.support.types import Cli
from tests.support.urns import BULK_URN, SEARCH_URN

MANAGED = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> MovedClock:
    return MovedClock(monkeypatch)


def confirmed_at(enterprise: Enterprise, cli: Cli, user: dict[str, Any]) -> str | None:
    """Write what was collected, and return when the user was confirmed."""
    write_last_uses(enterprise.app)
    value = cli("user", "show", enterprise.name, user["id"])["confirmed_at"]
    return None if value is None else str(value)


def test_requests_for_one_user_confirm_the_user(acme: Enterprise, cli: Cli, time: MovedClock) -> None:
    user = acme.create(userName="anna", externalId="a-1", emails=[{"value": "a@x.example", "type": "work"}])
    tag = acme.send("GET", f"/Users/{user['id']}").headers["ETag"]
    first = confirmed_at(acme, cli, user)
    assert first is not None
    path = f"/Users/{user['id']}"
    bulk = {"method": "PATCH", "path": path, "data": patch_body(replace("title", "Chief"))}
    search = {"schemas": [SEARCH_URN], "filter": 'userName eq "ANNA"'}
    requests: list[dict[str, Any]] = [
        {"method": "GET", "path": path},
        {"method": "GET", "path": path, "headers": {"If-None-Match": tag}},
        *(
            {"method": "GET", "path": "/Users", "query": {"filter": filter_}}
            for filter_ in (
                'userName eq "anna"',
                'externalId eq "a-1"',
                'emails[type eq "work"].value eq "A@x.example"',
                'emails[type eq "work" and value eq "a@x.example"]',
                'emails.value eq "a@x.example"',
                f'id eq "{user["id"]}" and active eq true',
            )
        ),
        {"method": "POST", "path": "/Users/.search", "body": search},
        {"method": "PATCH", "path": path, "body": patch_body(replace("title", "Lead"))},
        {"method": "PATCH", "path": path, "body": patch_body(replace("title", "Lead"))},
        {"method": "PUT", "path": path, "body": user_body("a@x.example", userName="anna", externalId="a-1")},
        {"method": "POST", "path": "/Bulk", "body": {"schemas": [BULK_URN], "Operations": [bulk]}},
    ]
    for request in requests:
        before = confirmed_at(acme, cli, user)
        time.move(hours=2)
        answer = acme.send(**request)
        assert answer.status_code in (200, 304), answer.text
        after = confirmed_at(acme, cli, user)
        assert before is not None
        assert after is not None
        assert after > before, request


def test_other_requests_confirm_no_one(acme: Enterprise, api: Api, cli: Cli, time: MovedClock) -> None:
    user = acme.create(userName="anna", externalId="a-1")
    before = confirmed_at(acme, cli, user)
    time.move(hours=2)
    path = f"/Users/{user['id']}"

    for filter_ in ("active eq true", 'userName sw "an"', 'not (userName eq "b")', 'userName eq "anna" or id pr'):
        assert acme.find(filter_) != []
    acme.send("GET", "/Users").close()
    acme.send("GET", "/Users", query={"filter": 'userName eq "anna"', "count": "0"}).close()
    assert acme.send("PATCH", path, patch_body(replace("roles", [{"value": "Nothing"}]))).status_code == 400
    refused = {"method": "PATCH", "path": path, "data": patch_body(replace("userName", ""))}
    acme.send("POST", "/Bulk", {"schemas": [BULK_URN], "Operations": [refused]}).close()
    api.send("POST", "/explain", {"method": "GET", "path": path}).close()
    api.get(f"/users/{user['id']}")

    assert confirmed_at(acme, cli, user) == before


def test_a_confirmation_is_stored_once_an_hour_beside_the_user(
    acme: Enterprise, api: Api, cli: Cli, time: MovedClock
) -> None:
    user = acme.create()
    first = confirmed_at(acme, cli, user)
    entry = api.send("GET", f"/users/{user['id']}")
    seen = []
    for _ in range(3):
        time.move(minutes=40)
        acme.get(user)
        seen.append(confirmed_at(acme, cli, user))
    later = api.send("GET", f"/users/{user['id']}")

    assert seen[0] == first
    assert first is not None
    assert seen[1] is not None
    assert seen[1] > first
    assert seen[2] == seen[1]
    assert later.get_json() == entry.get_json() | {"confirmed_at": seen[1]}
    assert later.headers["ETag"] == entry.headers["ETag"]
    assert acme.get(user) == user
    assert [row["confirmed_at"] for row in cli("user", "list", "Acme")] == [seen[1]]


def test_confirmations_end_with_the_user_and_survive_neither_a_bound_nor_a_deletion(
    acme: Enterprise, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_last_uses(acme.app)
    monkeypatch.setattr(LastUses, "MOST_CONFIRMED", 2)
    write_last_uses(acme.app)
    last_uses.of(acme.app).has_writer = True  # requests do not write
    users = [acme.create(email=f"{number}@x.example") for number in range(4)]
    acme.send("DELETE", f"/Users/{users[0]['id']}").close()

    write_last_uses(acme.app)

    assert [confirmed_at(acme, cli, user) is not None for user in users[1:]] == [True, False, False]
    acme.send("DELETE", f"/Users/{users[1]['id']}").close()
    assert cli("check")["faults"] == []
    assert cli("check")["rows"]["user_confirmations"] == 0
