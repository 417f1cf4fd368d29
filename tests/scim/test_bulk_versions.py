"""Versions in Bulk: preconditions of operations, and versions in their answers (RFC 7644 §3.7)."""

from typing import Any

import pytest

from tests.support.client import Enterprise, patch_body, replace, user_body
from tests.support.urns import BULK_URN, ENTERPRISE_URN

STALE = 'W/"stale"'


WRITES = ["PUT", "PATCH", "DELETE"]


def bulk(acme: Enterprise, *operations: dict[str, Any]) -> list[dict[str, Any]]:
    answer = acme.send("POST", "/Bulk", {"schemas": [BULK_URN], "Operations": list(operations)})
    assert answer.status_code == 200, answer.text
    return list(answer.get_json()["Operations"])


def operation(method: str, user: dict[str, Any], version: str | None) -> dict[str, Any]:
    data = {"PUT": user_body(title="New"), "PATCH": patch_body(replace("title", "New"))}
    made = {"method": method, "path": f"/Users/{user['id']}", "version": version, "data": data.get(method)}
    return {name: value for name, value in made.items() if value is not None}


@pytest.mark.parametrize("method", WRITES)
def test_an_operation_of_a_bulk_request_is_done_under_its_version(acme: Enterprise, method: str) -> None:
    user = acme.create()
    version = user["meta"]["version"]

    stale, done, again = bulk(acme, *(operation(method, user, each) for each in (STALE, version, version)))

    assert (stale["status"], stale["response"]["status"]) == ("412", "412")
    assert version in stale["response"]["detail"]
    assert "version" not in stale
    if method == "DELETE":
        assert (done["status"], again["status"], acme.find("id pr")) == ("204", "404", [])
    else:
        assert (done["status"], again["status"]) == ("200", "412")
        assert done["version"] == acme.get(user)["meta"]["version"] != version


def test_a_bulk_response_has_the_version_that_the_user_has_afterwards(acme: Enterprise) -> None:
    created = {"method": "POST", "path": "/Users", "bulkId": "new", "version": STALE, "data": user_body()}

    [result] = bulk(acme, created)

    [user] = acme.find("id pr")
    assert (result["status"], result["version"]) == ("201", user["meta"]["version"])
    strong = user["meta"]["version"].removeprefix("W/")
    [patched] = bulk(acme, operation("PATCH", user, f'"x", {strong}'))
    assert (patched["status"], patched["version"]) == ("200", acme.get(user)["meta"]["version"])


@pytest.fixture
def user(acme: Enterprise) -> dict[str, Any]:
    return acme.create(
        name={"givenName": "Test"}, phoneNumbers=["1"], **{ENTERPRISE_URN: {"department": "D", "manager": "M"}}
    )
