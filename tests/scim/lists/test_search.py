"""``.search`` lists users by a query in the body (RFC 7644 §3.4.3)."""

from typing import Any

import pytest

from tests.support.client import Enterprise, assert_scim_error
from tests.support.urns import LIST_URN, SEARCH_URN, USER_URN


def create_users(acme: Enterprise, number: int) -> list[str]:
    """Create users and return their ids."""
    return [acme.create(email=f"u{n}@contoso.example", userName=f"user {n}")["id"] for n in range(number)]


def numbers(answer: dict[str, Any]) -> tuple[int, int, int, int]:
    """Return the numbers of a page and the number of its resources."""
    return answer["totalResults"], answer["itemsPerPage"], answer["startIndex"], len(answer["Resources"])


@pytest.mark.requirement("P38")
def test_a_search_takes_everything_from_its_body(acme: Enterprise) -> None:
    created = create_users(acme, 3)
    body = {
        "schemas": [SEARCH_URN],
        "filter": 'userName sw "user"',
        "sortBy": "userName",
        "sortOrder": "descending",
        "startIndex": 2,
        "count": 1,
        "excludedAttributes": ["emails", "meta", "roles", "active"],
    }
    foreign = {"filter": 'userName eq "user 0"', "startIndex": "1", "count": "3", "attributes": "active"}

    for path in ("/.search", "/Users/.search"):
        answer = acme.send("POST", path, body, query=foreign)
        assert numbers(answer.get_json()) == (3, 1, 2, 1)
        assert answer.get_json()["Resources"] == [{"schemas": [USER_URN], "id": created[1], "userName": "user 1"}]
        for schemas in ([], [USER_URN], ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], None):
            assert_scim_error(acme.send("POST", path, body | {"schemas": schemas}), 400, "invalidSyntax", "schemas")


@pytest.mark.parametrize("path", ["/.search", "/Users/.search"])
@pytest.mark.usefixtures("sortable_users")
def test_a_search_answers_as_a_list(acme: Enterprise, path: str) -> None:
    body = {
        "schemas": [SEARCH_URN],
        "filter": "title pr",
        "sortBy": "title",
        "sortOrder": "descending",
        "startIndex": 2,
        "count": 2,
        "attributes": ["userName"],
    }

    answer = acme.send("POST", path, body, query={"count": "1", "filter": "not a filter"})

    assert answer.status_code == 200
    found = answer.get_json()
    assert {name: found[name] for name in found if name != "Resources"} == {
        "schemas": [LIST_URN],
        "totalResults": 3,
        "itemsPerPage": 2,
        "startIndex": 2,
    }
    assert [user["userName"] for user in found["Resources"]] == ["c", "É"]
    assert set(found["Resources"][0]) == {"schemas", "id", "userName"}


@pytest.mark.parametrize(
    ("body", "scim_type", "word"),
    [
        ([], "invalidSyntax", "SearchRequest"),
        ({}, "invalidSyntax", "SearchRequest"),
        ({"schemas": [LIST_URN]}, "invalidSyntax", "SearchRequest"),
        ({"schemas": [SEARCH_URN], "count": "x"}, "invalidValue", "count"),
        ({"schemas": [SEARCH_URN], "count": 1.5}, "invalidValue", "count"),
        ({"schemas": [SEARCH_URN], "count": True}, "invalidValue", "count"),
        ({"schemas": [SEARCH_URN], "attributes": [1]}, "invalidValue", "attributes"),
        ({"schemas": [SEARCH_URN], "filter": {}}, "invalidValue", "filter"),
        ({"schemas": [SEARCH_URN], "filter": "bogus"}, "invalidFilter", "bogus"),
        ({"schemas": [SEARCH_URN], "startIndex": 1, "cursor": ""}, "invalidValue", "cursor"),
    ],
)
def test_a_search_that_cannot_be_read_is_refused(acme: Enterprise, body: object, scim_type: str, word: str) -> None:
    assert_scim_error(acme.send("POST", "/Users/.search", body), 400, scim_type, word)


def test_the_urn_of_a_search_may_have_any_case(acme: Enterprise) -> None:
    user = acme.create()

    for path in ("/.search", "/Users/.search"):
        answer = acme.send("POST", path, {"schemas": [SEARCH_URN.upper()], "filter": "userName pr"})
        assert answer.get_json()["Resources"] == [user]
