"""Cursors lead through any list, stay correct while users change, and are valid only for one query (RFC 9865)."""

import itertools
import re
from typing import Any

import pytest
from flask import Flask

from tests.support.apps import make_enterprise
from tests.support.client import Enterprise, assert_scim_error
from tests.support.urns import USER_URN


def page(enterprise: Enterprise, cursor: str, **query: str) -> dict[str, Any]:
    answer = enterprise.send("GET", "/Users", query={"cursor": cursor, **query})
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def walk(enterprise: Enterprise, **query: str) -> list[str]:
    """Return the userNames of all pages."""
    names, cursor = [], ""
    while True:
        answer = page(enterprise, cursor, **query)
        names += [user["userName"] for user in answer["Resources"]]
        if "nextCursor" not in answer:
            return names
        assert len(answer["Resources"]) == int(query["count"])
        cursor = answer["nextCursor"]


@pytest.fixture
def users(acme: Enterprise) -> list[str]:
    names = [f"user {number:02}" for number in range(11)]
    for number, name in enumerate(names):
        acme.create(email=f"u{number}@x.example", userName=name, title=f"t{number % 3}" if number % 4 else None)
    return names


ORDERS = [{}, {"sortBy": "id"}, {"sortBy": "userName"}, {"sortBy": "title"}, {"sortBy": "active"}]


def test_pages_come_to_the_list_that_one_page_would_be(acme: Enterprise, users: list[str]) -> None:
    for order, direction in itertools.product(ORDERS, ("ascending", "descending")):
        whole = walk(acme, count="1000", sortOrder=direction, **order)

        assert sorted(whole) == users, (order, direction)
        for count in ("1", "4", "10", "11", "12"):
            assert walk(acme, count=count, sortOrder=direction, **order) == whole, (order, direction, count)


def test_a_page_describes_itself(acme: Enterprise, users: list[str]) -> None:
    first = page(acme, "", count="4", filter='userName sw "user"')
    last = page(acme, page(acme, first["nextCursor"], count="4", filter='userName sw "user"')["nextCursor"],
                count="4", filter='userName sw "user"')  # fmt: skip

    assert (first["totalResults"], first["itemsPerPage"]) == (11, 4)
    assert (last["totalResults"], last["itemsPerPage"]) == (11, 3)
    assert "startIndex" not in first
    assert "nextCursor" not in last
    assert re.fullmatch(r"[A-Za-z0-9._~-]+", first["nextCursor"])


def test_no_resources_need_no_next_page(acme: Enterprise, users: list[str]) -> None:
    answer = page(acme, "", count="0")

    assert (answer["totalResults"], answer["Resources"], "nextCursor" in answer) == (11, [], False)


def test_pages_stay_steady_while_users_come_and_go(acme: Enterprise, users: list[str]) -> None:
    first = page(acme, "", sortBy="userName", count="4")
    acme.send("DELETE", f"/Users/{first['Resources'][0]['id']}")
    acme.send("DELETE", f"/Users/{first['Resources'][3]['id']}")
    acme.create(email="new@x.example", userName="user 000")

    second = page(acme, first["nextCursor"], sortBy="userName", count="4")

    assert [user["userName"] for user in second["Resources"]] == users[4:8]


def test_a_cursor_is_valid_only_for_its_query(app: Flask, acme: Enterprise, users: list[str]) -> None:
    cursor = page(acme, "", count="4", filter="title pr", sortBy="title")["nextCursor"]
    other = make_enterprise(app, "Other")

    for enterprise, query in (
        (acme, {"filter": "title pr"}),
        (acme, {"filter": "title pr", "sortBy": "userName"}),
        (acme, {"filter": "title pr", "sortBy": "title", "sortOrder": "descending"}),
        (acme, {"sortBy": "title"}),
        (other, {"filter": "title pr", "sortBy": "title"}),
    ):
        answer = enterprise.send("GET", "/Users", query={"cursor": cursor, "count": "4", **query})
        assert_scim_error(answer, 400, "invalidCursor", "cursor")


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"sortBy": "userName"}, {"sortBy": "USERNAME", "sortOrder": "ascending"}),
        ({"sortBy": f"{USER_URN}:userName", "sortOrder": "Ascending"}, {"sortBy": "username", "sortOrder": ""}),
        ({"sortBy": "emails", "sortOrder": "descending"}, {"sortBy": "Emails.Value", "sortOrder": "DESCENDING"}),
        ({}, {"sortBy": "", "sortOrder": "descending"}),
        ({"filter": ""}, {}),
    ],
)
def test_a_cursor_is_valid_for_other_spellings_of_its_query(
    acme: Enterprise, users: list[str], first: dict[str, str], then: dict[str, str]
) -> None:
    cursor = page(acme, "", count="4", **first)["nextCursor"]

    assert page(acme, cursor, count="4", **then) == page(acme, cursor, count="4", **first)


def test_a_forged_cursor_is_refused(acme: Enterprise, users: list[str]) -> None:
    cursor = page(acme, "", count="4")["nextCursor"]

    for forged in ("x", cursor[:-2], cursor + "x", "x" + cursor, cursor.replace(".", ""), "\0", "é", "." * 9):
        answer = acme.send("GET", "/Users", query={"cursor": forged})
        assert_scim_error(answer, 400, "invalidCursor", "cursor")


def test_numbers_and_ways_of_paging_are_checked(acme: Enterprise) -> None:
    assert_scim_error(acme.send("GET", "/Users", query={"cursor": "", "count": "x"}), 400, "invalidCount", "count")
    assert_scim_error(
        acme.send("GET", "/Users", query={"cursor": "", "startIndex": "1"}), 400, "invalidValue", "cursor"
    )


def test_the_configuration_announces_both_ways(acme: Enterprise) -> None:
    assert acme.send("GET", "/ServiceProviderConfig").get_json()["pagination"] == {
        "cursor": True,
        "index": True,
        "defaultPaginationMethod": "index",
        "defaultPageSize": 100,
        "maxPageSize": 1000,
    }


def create_users(acme: Enterprise, number: int) -> list[str]:
    """Create users and return their ids."""
    return [acme.create(email=f"u{n}@contoso.example", userName=f"user {n}")["id"] for n in range(number)]


def page_of(acme: Enterprise, **query: str) -> dict[str, Any]:
    answer = acme.send("GET", "/Users", query=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def ids(answer: dict[str, Any]) -> list[str]:
    return [user["id"] for user in answer["Resources"]]


@pytest.mark.requirement("P39")
def test_cursors_lead_through_the_whole_list(acme: Enterprise) -> None:
    created = create_users(acme, 5)
    seen, sizes, query = [], [], {"cursor": "", "count": "2", "sortBy": "userName"}

    while "cursor" in query:
        answer = page_of(acme, **query)
        assert (answer["totalResults"], answer["itemsPerPage"]) == (5, len(answer["Resources"]))
        assert "startIndex" not in answer
        seen += ids(answer)
        sizes.append(len(answer["Resources"]))
        query = {**query, "cursor": answer["nextCursor"]} if "nextCursor" in answer else {}

    assert sizes == [2, 2, 1]
    assert seen == created


@pytest.mark.requirement("P39")
def test_cursor_errors_and_announcement(acme: Enterprise) -> None:
    # Cursors do not expire here (contract section 5), so that no response is expiredCursor.
    create_users(acme, 3)
    good = page_of(acme, cursor="", count="1", filter="userName pr")["nextCursor"]
    pagination = acme.send("GET", "/ServiceProviderConfig").get_json()["pagination"]

    for query, scim_type in (
        ({"cursor": "forged"}, "invalidCursor"),
        ({"cursor": good, "filter": "active eq true"}, "invalidCursor"),
        ({"cursor": good, "filter": "userName pr", "count": "many"}, "invalidCount"),
        ({"cursor": good, "filter": "userName pr", "startIndex": "2"}, "invalidValue"),
    ):
        answer = acme.send("GET", "/Users", query=query)
        assert_scim_error(answer, 400, scim_type, "count" if scim_type == "invalidCount" else "cursor")
    assert (pagination["cursor"], pagination["index"], pagination["defaultPaginationMethod"]) == (True, True, "index")
    assert "cursorTimeout" not in pagination
