"""Lists of groups: filters agree with their evaluation in Python, sorting, pages by index and by cursor, `.search`."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scimsvc.protocol.filters.matching import matches
from scimsvc.protocol.filters.parser import parse_filter
from scimsvc.protocol.groups import GROUPS
from scimsvc.protocol.users import USERS
from scimsvc.store.engine.transactions import reading
from scimsvc.store.filters.group_filters import compile_group_filter
from scimsvc.store.group_pages import LISTING
from tests.support.client import Enterprise, assert_scim_error
from tests.support.groups import store_users
from tests.support.long_runs import LONG
from tests.support.scim_groups import create_group, create_users, get_group, patch_group
from tests.support.urns import GROUP_URN, SEARCH_URN

NAMES = ["Sales", "support", "STRASSE", "Straße West", "100%_Ops"]
PATHS = ["displayName", "externalId", "id", "members.value", "members.display", "members.type", "members.$ref",
         "meta.lastModified", "meta.version", "meta.resourceType", "members"]  # fmt: skip


@pytest.fixture
def population(acme: Enterprise) -> list[dict[str, Any]]:
    """Groups with 0 to 3 members, some of them with an externalId."""
    users = [
        acme.create(email=f"{name}@x.example", userName=name, displayName=shown)["id"]
        for name, shown in (("ada", "Ada L"), ("BOB", None), ("eve", "Straße"))
    ]
    return [
        create_group(acme, name, users[: number % 4], **({"externalId": f"Ext-{number}"} if number % 2 else {}))
        for number, name in enumerate(NAMES)
    ]


def find(acme: Enterprise, filter_: str, **query: str) -> list[str]:
    """Return the names of the groups that a filter finds."""
    answer = acme.send("GET", "/Groups", query={"filter": filter_, **query})
    assert answer.status_code == 200, (filter_, answer.text)
    return [group["displayName"] for group in answer.get_json()["Resources"]]


FILTERS = [
    'displayName eq "SALES"', 'displayName ne "sales"', 'displayName sw "stra"', 'displayName co "%_"', "displayName pr",
    'externalId eq "Ext-1"', 'externalId eq "ext-1"', "externalId pr", "externalId eq null", "not (externalId pr)",
    'displayName gt "stra" and displayName le "support"', 'meta.resourceType eq "group"', 'meta[version eq "W/\\"1\\""]',
    'meta.created gt "2020-01-01T00:00:00Z"', 'meta.lastModified lt "2020-01-01T00:00:00Z"',
    "members pr", "not (members pr)", "members.value pr", "members eq null", "members.value ne null",
    'members.display eq "ADA L"', 'members.display eq "bob"', 'members.display co "STRASSE"', 'members.display ne "ada l"',
    'members.type eq "user"', 'members.type ne "User"', 'members[type eq "User" and display sw "b"]',
    'members[not (display eq "bob")]', "members[display pr]", 'members.$ref ew "x"', 'members.$ref co "/Users/"',
    'members.value eq "nobody"', 'members.value ne "nobody"', 'not (members.value eq "nobody")', 'members.value sw "0"',
    f'{GROUP_URN}:displayName eq "sales" or {GROUP_URN}:members.display eq "bob"', 'members co ""', 'id ge "8"',
]  # fmt: skip


def test_filters_find_the_groups_that_they_match(acme: Enterprise, population: list[dict[str, Any]]) -> None:
    member = population[3]["members"][2]
    for filter_ in [
        *FILTERS, f'members.value eq "{member["value"]}"', f'members[value eq "{member["value"].upper()}"]',
        f'members eq "{member["value"]}" and displayName sw "s"', f'not (members[value eq "{member["value"]}"])',
        f'members.$ref eq "{member["$ref"]}"', f'id eq "{population[1]["id"]}" or members.value eq "{member["value"]}"',
        f'members[value eq "{member["value"]}" and display eq "straße"]',
    ]:  # fmt: skip
        node = parse_filter(filter_, GROUPS)
        assert sorted(find(acme, filter_)) == sorted(g["displayName"] for g in population if matches(node, g)), filter_


CONDITIONS = st.builds(
    lambda path, op, value: f"{path} pr" if op == "pr" else f"{path} {op} {json.dumps(value)}",
    st.sampled_from([each for each in PATHS if not each.startswith("meta.last")]),
    st.sampled_from(["eq", "ne", "co", "sw", "ew", "gt", "le", "pr"]),
    st.sampled_from(["s", "SALES", "ada l", "bob", "user", "Ext-1", "W/\"1\"", "Group", "", "8"]),
)  # fmt: skip
ELEMENTS = st.builds(
    lambda sub, op, value: f'members[{sub} {op} "{value}"]',
    st.sampled_from(["value", "display", "type", "$ref"]), st.sampled_from(["eq", "ne", "co", "sw"]),
    st.sampled_from(["a", "BOB", "User", "0"]),
)  # fmt: skip
TREES = st.recursive(
    CONDITIONS | ELEMENTS,
    lambda below: (
        st.builds("({}) and ({})".format, below, below)
        | st.builds("({}) or ({})".format, below, below)
        | st.builds("not ({})".format, below)
    ),
    max_leaves=4,
)


@given(filter_=TREES)
@settings(max_examples=500 if LONG else 30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_generated_filters_find_the_groups_that_they_match(
    acme: Enterprise, population: list[dict[str, Any]], filter_: str
) -> None:
    node = parse_filter(filter_, GROUPS)

    assert sorted(find(acme, filter_)) == sorted(each["displayName"] for each in population if matches(node, each))


def test_a_filter_that_is_not_about_groups_is_refused(acme: Enterprise) -> None:
    work = 'emails[type eq "work"].value eq "a@x.example"'
    for filter_ in ("userName pr", work, "members[", 'members.nope eq "x"', "x", '"'):
        assert_scim_error(acme.send("GET", "/Groups", query={"filter": filter_}), 400, "invalidFilter")


@pytest.mark.parametrize(
    ("filter_", "index"),
    [
        ('displayName eq "x"', "groups_name"),
        ('displayName sw "x"', "groups_name"),
        ('externalId eq "x"', "groups_external_id"),
        ('members.value eq "x"', "group_members_user"),
        ('members[value eq "x"]', "group_members_user"),
        ('id eq "x"', "autoindex_groups"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_frequent_filters_use_an_index(app: Flask, filter_: str, index: str) -> None:
    condition = compile_group_filter(parse_filter(filter_, GROUPS), dialect="sqlite", base="http://localhost")
    statement = LISTING.rows.where(condition).params(enterprise_id="x")

    with app.app_context(), reading() as connection:
        text = str(statement.compile(connection.engine, compile_kwargs={"literal_binds": True}))
        plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]

    assert any(index in step for step in plan), plan
    assert all("(enterprise_id=?" in step for step in plan if "groups" in step or "members" in step), plan


def test_users_can_be_filtered_by_their_groups(acme: Enterprise, population: list[dict[str, Any]]) -> None:
    users = acme.send("GET", "/Users").get_json()["Resources"]
    group = population[2]
    for filter_ in (
        f'groups.value eq "{group["id"]}"', f'groups[value eq "{group["id"]}"]', f'groups eq "{group["id"]}"',
        f'groups.value ne "{group["id"]}"', f'not (groups.value eq "{group["id"]}")', 'groups.value eq "x"',
        'groups.display eq "strasse"', 'groups.display co "stra"', "groups pr", "not (groups pr)", "groups eq null",
        'groups[type eq "direct" and display sw "SUP"]', 'groups.type eq "indirect"',
        f'groups.$ref eq "{group["meta"]["location"]}"', f'userName sw "b" and groups.value eq "{group["id"]}"',
    ):  # fmt: skip
        node = parse_filter(filter_, USERS)
        assert {user["userName"] for user in acme.find(filter_)} == {
            user["userName"] for user in users if matches(node, user)
        }, filter_


@pytest.mark.parametrize(
    ("sort_by", "names"),
    [
        ("displayName", ["100%_Ops", "Sales", "STRASSE", "Straße West", "support"]),
        ("externalId", ["support", "Straße West"]),
        ("members.display", ["support", "STRASSE", "Straße West"]),
    ],
)
def test_groups_are_sorted(acme: Enterprise, population: list[dict[str, Any]], sort_by: str, names: list[str]) -> None:
    ascending = find(acme, "id pr", sortBy=sort_by)

    assert sorted(ascending[: len(names)], key=str.casefold) == sorted(names, key=str.casefold)
    if sort_by != "members.display":
        assert ascending[: len(names)] == names
    assert find(acme, "id pr", sortBy=sort_by, sortOrder="descending") == ascending[::-1]


def _pages(acme: Enterprise, by_cursor: bool, **query: str) -> Iterator[dict[str, Any]]:
    where = {"cursor": ""} if by_cursor else {"startIndex": "1"}
    while True:
        page = acme.send("GET", "/Groups", query={**query, **where}).get_json()
        yield page
        if by_cursor:
            if "nextCursor" not in page:
                return
            where = {"cursor": page["nextCursor"]}
        else:
            following = page["startIndex"] + page["itemsPerPage"]
            if following > page["totalResults"]:
                return
            where = {"startIndex": str(following)}


QUERIES = [
    *({}, {"sortBy": "displayName"}, {"sortBy": "externalId", "sortOrder": "descending"}),
    *({"filter": "members pr"}, {"excludedAttributes": "members"}),
]


def test_pages_together_are_the_list(acme: Enterprise, population: list[dict[str, Any]]) -> None:
    for query, by_cursor in itertools.product(QUERIES, (True, False)):
        whole = acme.send("GET", "/Groups", query=query).get_json()

        pages = list(_pages(acme, by_cursor, count="2", **query))

        where = query, by_cursor
        assert [group for page in pages for group in page["Resources"]] == whole["Resources"], where
        assert {page["totalResults"] for page in pages} == {whole["totalResults"]}, where
        assert [page["itemsPerPage"] for page in pages[:-1]] == [2] * (len(pages) - 1), where


def test_cursors_belong_to_their_list(acme: Enterprise, population: list[dict[str, Any]]) -> None:
    page = acme.send("GET", "/Groups", query={"cursor": "", "count": "1"}).get_json()
    create_users(acme, 2)

    for path in ("/Users", "/Groups?sortBy=displayName"):
        answer = acme.send("GET", path + ("&" if "?" in path else "?") + f"cursor={page['nextCursor']}")
        assert_scim_error(answer, 400, "invalidCursor")


def test_a_count_of_zero_counts(acme: Enterprise, population: list[dict[str, Any]]) -> None:
    page = acme.send("GET", "/Groups", query={"count": "0"}).get_json()

    assert (page["totalResults"], page["itemsPerPage"], page["Resources"]) == (len(NAMES), 0, [])


def test_a_page_ends_when_its_members_are_as_large_as_a_page_may_be(acme: Enterprise) -> None:
    ids = store_users(acme, 10_000)
    groups = [create_group(acme, f"Large {number}", ids) for number in range(4)]

    pages = list(_pages(acme, False))
    by_cursor = list(_pages(acme, True))
    without = acme.send("GET", "/Groups", query={"excludedAttributes": "members"}).get_json()

    assert [page["itemsPerPage"] for page in pages] == [page["itemsPerPage"] for page in by_cursor] == [3, 1]
    assert {page["totalResults"] for page in pages} == {4}
    assert {group["id"]: len(group["members"]) for page in pages for group in page["Resources"]} == {
        group["id"]: 10_000 for group in groups
    }
    assert without["itemsPerPage"] == 4


def test_a_search_is_a_list_by_post(acme: Enterprise, population: list[dict[str, Any]]) -> None:
    body = {"schemas": [SEARCH_URN], "filter": "members pr", "sortBy": "displayName", "count": 2,
            "excludedAttributes": ["members"]}  # fmt: skip

    answer = acme.send("POST", "/Groups/.search", body)

    query = {name: str(value) for name, value in body.items() if name in ("filter", "sortBy", "count")}
    assert answer.get_json() == acme.send("GET", "/Groups", query=query | {"excludedAttributes": "members"}).get_json()
    assert [group["displayName"] for group in answer.get_json()["Resources"]] == ["STRASSE", "Straße West"]
    assert_scim_error(acme.send("POST", "/Groups/.search", {"schemas": []}), 400, "invalidSyntax", "SearchRequest")


def test_a_list_shows_a_change_of_members(acme: Enterprise) -> None:
    (user,) = create_users(acme, 1)
    group = create_group(acme)
    patch_group(acme, group, {"op": "add", "path": "members", "value": [user]})

    (listed,) = acme.send("GET", "/Groups").get_json()["Resources"]

    assert listed == get_group(acme, group)
