"""Pages by ``startIndex`` and ``count`` (RFC 7644 §3.4.2.4)."""

from typing import Any

import pytest

from tests.support.client import Enterprise, assert_scim_error, replace, user_body
from tests.support.urns import BULK_URN, SEARCH_URN


def create_users(acme: Enterprise, number: int) -> list[str]:
    """Create users and return their ids."""
    return [acme.create(email=f"u{n}@contoso.example", userName=f"user {n}")["id"] for n in range(number)]


def page_of(acme: Enterprise, **query: str) -> dict[str, Any]:
    answer = acme.send("GET", "/Users", query=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def ids(answer: dict[str, Any]) -> list[str]:
    return [user["id"] for user in answer["Resources"]]


def numbers(answer: dict[str, Any]) -> tuple[int, int, int, int]:
    """Return the numbers of a page and the number of its resources."""
    return answer["totalResults"], answer["itemsPerPage"], answer["startIndex"], len(answer["Resources"])


@pytest.mark.requirement("P29")
def test_count_is_a_maximum_and_zero_returns_only_the_total(acme: Enterprise) -> None:
    create_users(acme, 3)

    assert numbers(page_of(acme, count="0")) == (3, 0, 1, 0)
    assert numbers(page_of(acme, count="0", filter='userName eq "user 1"')) == (1, 0, 1, 0)
    assert numbers(page_of(acme, count="2")) == (3, 2, 1, 2)
    assert numbers(page_of(acme, count="50")) == (3, 3, 1, 3)


@pytest.mark.requirement("P30")
def test_a_negative_count_is_zero_and_a_negative_start_is_one(acme: Enterprise) -> None:
    create_users(acme, 3)

    first = page_of(acme, count="2")

    assert numbers(page_of(acme, count="-1")) == (3, 0, 1, 0)
    assert page_of(acme, count="2", startIndex="-5") == first
    assert page_of(acme, count="2", startIndex="0") == first


@pytest.mark.requirement("P31")
def test_a_page_past_the_end_is_empty_with_the_true_total(acme: Enterprise) -> None:
    create_users(acme, 3)

    assert numbers(page_of(acme, startIndex="4")) == (3, 0, 4, 0)
    assert numbers(page_of(acme, startIndex="1000", count="5")) == (3, 0, 1000, 0)
    assert numbers(page_of(acme, startIndex="3", count="5")) == (3, 1, 3, 1)
    assert numbers(page_of(acme, startIndex="3", filter='userName eq "user 1"')) == (1, 0, 3, 0)


@pytest.mark.requirement("P32")
@pytest.mark.parametrize("value", ["x", "1.5", "1e3", "0x10", "1 000", "１", "--1", "null", "true"])
def test_an_invalid_number_is_refused(acme: Enterprise, value: str) -> None:
    for name in ("count", "startIndex"):
        assert_scim_error(acme.send("GET", "/Users", query={name: value}), 400, "invalidValue", name)
        body = {"schemas": [SEARCH_URN], name: value}
        assert_scim_error(acme.send("POST", "/.search", body), 400, "invalidValue", name)


@pytest.mark.requirement("P33")
@pytest.mark.parametrize("order", [{}, {"sortBy": "title"}, {"sortBy": "userName", "sortOrder": "descending"}])
def test_pages_neither_overlap_nor_skip(acme: Enterprise, order: dict[str, str]) -> None:
    created = create_users(acme, 7)
    whole = ids(page_of(acme, **order))
    acme.patch({"id": created[3]}, replace("nickName", "changed in between"))

    pages = [ids(page_of(acme, startIndex=str(start), count="2", **order)) for start in (1, 3, 5, 7)]

    assert [len(each) for each in pages] == [2, 2, 2, 1]
    assert [each for ids_ in pages for each in ids_] == whole == ids(page_of(acme, **order))
    assert sorted(whole) == sorted(created)


@pytest.mark.slow
@pytest.mark.requirement("P34")
def test_the_maximum_of_results_is_kept(acme: Enterprise) -> None:
    announced = acme.send("GET", "/ServiceProviderConfig").get_json()["filter"]["maxResults"]
    for start in range(0, announced + 1, 1000):
        operations = [
            {"method": "POST", "path": "/Users", "bulkId": str(n), "data": user_body(f"u{n}@contoso.example")}
            for n in range(start, min(start + 1000, announced + 1))
        ]
        made = acme.send("POST", "/Bulk", {"schemas": [BULK_URN], "Operations": operations}).get_json()["Operations"]
        assert {each["status"] for each in made} == {"201"}

    assert numbers(page_of(acme, count=str(announced + 1), filter="active eq true")) == (
        announced + 1,
        announced,
        1,
        announced,
    )
    assert numbers(page_of(acme, filter="active eq true")) == (announced + 1, 100, 1, 100)
    assert numbers(page_of(acme, count="5000", startIndex=str(announced + 1))) == (announced + 1, 1, announced + 1, 1)


def test_pages_cover_the_whole_list(acme: Enterprise) -> None:
    ids = {acme.create(email=f"u{number}@contoso.example")["id"] for number in range(12)}
    seen = []

    for page in range(3):
        answer = acme.send("GET", "/Users", query={"startIndex": str(page * 5 + 1), "count": "5"}).get_json()
        assert (answer["totalResults"], answer["startIndex"]) == (12, page * 5 + 1)
        assert answer["itemsPerPage"] == len(answer["Resources"])
        seen += [user["id"] for user in answer["Resources"]]

    assert len(seen) == 12
    assert set(seen) == ids


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, (3, 3, 1)),
        ({"count": "0"}, (3, 0, 1)),
        ({"count": "-5"}, (3, 0, 1)),
        ({"startIndex": "0"}, (3, 3, 1)),
        ({"startIndex": "-7", "count": "2"}, (3, 2, 1)),
        ({"startIndex": "3"}, (3, 1, 3)),
        ({"startIndex": "4"}, (3, 0, 4)),
        ({"startIndex": "9" * 30}, (3, 0, 10**15)),
        ({"startIndex": "-" + "9" * 30}, (3, 3, 1)),
        ({"count": "9" * 30}, (3, 3, 1)),
        ({"count": "", "startIndex": ""}, (3, 3, 1)),
        ({"filter": 'userName eq "nobody"'}, (0, 0, 1)),
        ({"filter": 'userName eq "test user"', "count": "1"}, (3, 1, 1)),
        ({"unknown": "ignored"}, (3, 3, 1)),
    ],
)
def test_a_page_describes_itself(acme: Enterprise, query: dict[str, str], expected: tuple[int, int, int]) -> None:
    for number in range(3):
        acme.create(email=f"u{number}@contoso.example")

    answer = acme.send("GET", "/Users", query=query).get_json()

    assert (answer["totalResults"], answer["itemsPerPage"], answer["startIndex"]) == expected
    assert len(answer["Resources"]) == answer["itemsPerPage"]


@pytest.mark.requirement("R46")
def test_numbers_beyond_their_ends_are_the_ends(acme: Enterprise) -> None:
    acme.create()

    for query, shown in (
        ({"startIndex": "0"}, 1), ({"startIndex": "-9"}, 1), ({"count": "-1"}, 0), ({"count": "0"}, 0), ({"count": "1000000"}, 1),
        ({"count": "9" * 40}, 1), ({"count": "-" + "9" * 40}, 0),
    ):  # fmt: skip
        page = acme.send("GET", "/Users", query=query).get_json()
        assert (page["totalResults"], len(page["Resources"])) == (1, shown), query
