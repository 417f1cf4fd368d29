"""A page has a maximum number of bytes. A page that ends early leads to the next one like any other page."""

import itertools
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from scimsvc.protocol.limits import DEFAULTS, PAGE_BYTES
from tests.support.apps import make_api
from tests.support.client import Enterprise
from tests.support.urns import SEARCH_URN

USERS = 40
#: The bytes of a user, of whom 20 fill a page.
SIZE = PAGE_BYTES // 20 + 1


@pytest.fixture(params=["a", "é"])
def large_users(acme: Enterprise, request: pytest.FixtureRequest) -> list[str]:
    """Create users whose text has one or two bytes for a character, and return their IDs."""
    character = str(request.param)
    text = character * (SIZE // len(character.encode()))
    created = [
        acme.create(email=f"u{n:02}@contoso.example", title=f"t{n % 7}", photos=[{"value": text[:-900]}])
        for n in range(USERS)
    ]
    return sorted(user["id"] for user in created)


def pages(acme: Enterprise, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the pages of a list, by start index or by cursor."""
    position: dict[str, Any] = {"cursor": ""} if "cursor" in query else {"startIndex": 1}
    while True:
        body = {"schemas": [SEARCH_URN]} | query | position
        page = acme.send("POST", "/.search", body).get_json()
        yield page
        if "cursor" in query:
            if "nextCursor" not in page:
                return
            position = {"cursor": page["nextCursor"]}
        else:
            position = {"startIndex": page["startIndex"] + page["itemsPerPage"]}
            if position["startIndex"] > page["totalResults"]:
                return


QUERIES = [{}, {"filter": "userName pr"}, {"sortBy": "title"}, {"sortBy": "title", "sortOrder": "descending"}]


def test_a_list_of_large_users_has_pages_of_bounded_size_and_every_user_once(
    acme: Enterprise, large_users: list[str]
) -> None:
    for query, paging in itertools.product(QUERIES, ({}, {"cursor": ""})):
        listed = list(pages(acme, query | paging | {"count": 1000}))
        where = query, paging

        assert sorted(user["id"] for page in listed for user in page["Resources"]) == large_users, where
        assert {page["totalResults"] for page in listed} == {USERS}, where
        assert [page["itemsPerPage"] for page in listed] == [len(page["Resources"]) for page in listed], where
        assert 2 <= len(listed) <= 4, where
    whole = acme.send("GET", "/Users", query={"count": "1000"})
    assert PAGE_BYTES // 2 < len(whole.data) < PAGE_BYTES + 2 * DEFAULTS.document


def test_a_page_of_the_api_has_a_bounded_size(acme: Enterprise, large_users: list[str]) -> None:
    api = make_api(acme)
    first = api.send("GET", "/users", query={"limit": "1000"}).get_json()
    second = api.send("GET", "/users", query={"limit": "1000", "cursor": first["next"]}).get_json()

    assert 15 < len(first["items"]) < USERS
    listed = first["items"] + second["items"]
    assert [user["email"] for user in listed] == [f"u{n:02}@contoso.example" for n in range(len(listed))]


def test_a_page_reads_only_the_users_that_it_shows(acme: Enterprise) -> None:
    if not str(acme.app.config["SQLALCHEMY_DATABASE_URI"]).startswith("sqlite"):
        pytest.skip("PostgreSQL adds up the bytes itself.")
    for n in range(100):
        acme.create(email=f"u{n}@contoso.example", photos=[{"value": "x" * 240_000}])
    acme.send("GET", "/Users", query={"count": "1"})

    tracemalloc.start()
    page = acme.send("GET", "/Users", query={"count": "1000"})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert page.get_json()["totalResults"] == 100
    assert peak < 6 * PAGE_BYTES + 32 * DEFAULTS.document


def test_a_changed_role_changes_each_of_many_large_users(acme: Enterprise, large_users: list[str]) -> None:
    api = make_api(acme)
    (role,) = (each for each in api.send("GET", "/roles").get_json()["items"] if each["is_default"])

    assert api.send("PATCH", f"/roles/{role['id']}", {"name": "Renamed"}).status_code == 200

    changes = api.send("GET", "/changes", query={"limit": "1000"}).get_json()["items"]
    renamed = [change["user_id"] for change in changes if change["type"] == "updated"]
    assert sorted(renamed) == large_users
