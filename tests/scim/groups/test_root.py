"""Lists at the root find users and groups together, in one order and with one total (RFC 7644 §3.4.2.1)."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.client import Enterprise, assert_scim_error
from tests.support.groups import store_users
from tests.support.scim_groups import create_group, listed, patch_group
from tests.support.urns import SEARCH_URN

Resources = list[dict[str, Any]]


@pytest.fixture
def population(acme: Enterprise) -> Resources:
    """Users and groups, some of which have the same names."""
    users = [
        acme.create(email=f"{name}@x.example", userName=name, **attributes)
        for name, attributes in (
            ("ada", {"displayName": "Sales", "externalId": "1"}),
            ("bob", {"displayName": "Élan"}),
            ("eve", {"externalId": "3", "active": False}),
        )
    ]
    groups = [
        create_group(acme, "sales", [user["id"] for user in users], externalId="2"),
        create_group(acme, "Ops"),
        create_group(acme, "Zoo", [users[0]["id"]]),
    ]
    return [acme.get(user) for user in users] + groups


def names(resources: Resources) -> list[str]:
    """Return the userNames and the names of groups."""
    return [each.get("userName") or each["displayName"] for each in resources]


def pages(acme: Enterprise, *, by_cursor: bool, **query: str) -> Iterator[dict[str, Any]]:
    where = {"cursor": ""} if by_cursor else {"startIndex": "1"}
    while True:
        page = acme.send("GET", "", query={**query, **where}).get_json()
        yield page
        if by_cursor and "nextCursor" in page:
            where = {"cursor": page["nextCursor"]}
        elif not by_cursor and page["startIndex"] + page["itemsPerPage"] <= page["totalResults"]:
            where = {"startIndex": str(page["startIndex"] + page["itemsPerPage"])}
        else:
            return


QUERIES: list[dict[str, str]] = [
    {},
    {"sortBy": "displayName"},
    {"sortBy": "displayName", "sortOrder": "descending"},
    {"sortBy": "externalId"},
    {"sortBy": "userName"},
    {"sortBy": "userName", "sortOrder": "descending"},
    {"sortBy": "members.value"},
    {"sortBy": "active", "sortOrder": "descending"},
    {"sortBy": "id", "sortOrder": "descending"},
    {"sortBy": "meta.lastModified"},
    {"filter": 'displayName sw "s" or externalId pr'},
    {"filter": "meta.created pr", "sortBy": "externalId", "sortOrder": "descending"},
]


def test_the_root_lists_users_and_groups_in_one_order(acme: Enterprise, population: Resources) -> None:
    for query in QUERIES:
        whole = acme.send("GET", "", query=query).get_json()

        of_types = [acme.send("GET", path, query=_known(path, query)).get_json() for path in ("/Users", "/Groups")]
        assert whole["totalResults"] == sum(each["totalResults"] for each in of_types), query
        by_id = {each["id"]: each for page in of_types for each in page["Resources"]}
        assert {each["id"]: each for each in whole["Resources"]} == by_id, query
        keys = [_key(each, query) for each in whole["Resources"]]
        assert keys == sorted(keys, reverse=query.get("sortOrder") == "descending"), query


def _known(path: str, query: dict[str, str]) -> dict[str, str]:
    """Return ``query`` without a sort order that the type does not have."""
    of_other = {"/Users": "members.value", "/Groups": ("userName", "active")}[path]
    return {name: value for name, value in query.items() if name != "sortBy" or value not in of_other}


def _key(resource: dict[str, Any], query: dict[str, str]) -> tuple[bool, str, str]:
    value: Any = resource
    for step in query.get("sortBy", "none").split("."):
        value = value[0] if isinstance(value, list) and value else value
        value = value.get(step) if isinstance(value, dict) else None
    exact = query.get("sortBy") in ("externalId", "id", "meta.lastModified")
    text = "" if value is None else str(value) if exact else str(value).casefold()
    return value is None, text, resource["id"]


def test_pages_of_the_root_together_are_the_list(acme: Enterprise, population: Resources) -> None:
    for query in QUERIES:
        whole = acme.send("GET", "", query=query).get_json()

        for count, by_cursor in itertools.product("124", (True, False)):
            all_pages = list(pages(acme, by_cursor=by_cursor, count=count, **query))

            where = query, count, by_cursor
            assert [each for page in all_pages for each in page["Resources"]] == whole["Resources"], where
            assert {page["totalResults"] for page in all_pages} == {whole["totalResults"]}, where


FOUND = {
    'meta.resourceType eq "Group"': ["Ops", "Zoo", "sales"],
    'meta.resourceType eq "User"': ["ada", "bob", "eve"],
    'displayName eq "SALES"': ["ada", "sales"],
    'userName eq "ada"': ["ada"],
    'emails[type eq "work"].value eq "bob@x.example"': ["bob"],
    "members pr": ["Zoo", "sales"],
    "groups pr": ["ada", "bob", "eve"],
    'externalId gt "1"': ["eve", "sales"],
}


def test_a_filter_finds_the_resources_that_have_its_attributes(acme: Enterprise, population: Resources) -> None:
    for filter_, found in FOUND.items():
        by_get = acme.send("GET", "", query={"filter": filter_}).get_json()
        by_post = acme.send("POST", "/.search", {"schemas": [SEARCH_URN], "filter": filter_}).get_json()

        assert by_get == by_post, filter_
        assert (sorted(names(by_get["Resources"])), by_get["totalResults"]) == (found, len(found)), filter_


def test_a_query_that_the_root_cannot_answer_is_refused(acme: Enterprise, population: Resources) -> None:
    for query, scim_type in (
        ({"filter": 'nope eq "x"'}, "invalidFilter"),
        ({"filter": "displayName"}, "invalidFilter"),
        ({"filter": 'userName eq "x" and members pr'}, "invalidFilter"),
        ({"sortBy": "nope"}, "invalidValue"),
        ({"startIndex": "9990", "count": "100"}, "tooMany"),
        ({"cursor": "x"}, "invalidCursor"),
    ):
        assert_scim_error(acme.send("GET", "", query=query), 400, scim_type)


def test_each_type_has_its_selected_attributes(acme: Enterprise, population: Resources) -> None:
    page = acme.send("GET", "", query={"attributes": "userName,members.value", "count": "0"}).get_json()
    selected = acme.send("GET", "", query={"attributes": "userName,members.value"}).get_json()["Resources"]

    assert (page["totalResults"], page["Resources"]) == (6, [])
    assert {frozenset(each) for each in selected} == {
        frozenset({"schemas", "id", "userName"}), frozenset({"schemas", "id", "members"}), frozenset({"schemas", "id"}),
    }  # fmt: skip


def test_without_groups_the_root_is_the_list_of_users(acme: Enterprise) -> None:
    for number in range(3):
        acme.create(email=f"u{number}@x.example")

    for query in ({}, {"startIndex": "2", "count": "1"}, {"startIndex": "20000"}, {"sortBy": "userName"}):
        at_root = acme.send("GET", "", query=query).get_json()
        assert at_root == acme.send("GET", "/Users", query=query).get_json()


def test_large_groups_end_a_page_of_the_root(acme: Enterprise) -> None:
    ids = store_users(acme, 9_000)
    groups = [create_group(acme, f"Large {number}", ids) for number in range(4)]
    patch_group(acme, groups[0], {"op": "remove", "path": "members", "value": listed(ids[:1])})

    found = list(pages(acme, by_cursor=True, count="1000", filter='displayName sw "large"'))

    assert len(found) > 1
    assert sorted(len(each["members"]) for page in found for each in page["Resources"]) == [8_999, 9_000, 9_000, 9_000]
