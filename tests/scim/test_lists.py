"""Lists and their pages (RFC 7644 §3.4.2.4)."""

import pytest

from tests.support.client import Enterprise


def test_pages_neither_overlap_nor_skip(acme: Enterprise) -> None:
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
def test_a_page_says_what_it_is(acme: Enterprise, query: dict[str, str], expected: tuple[int, int, int]) -> None:
    for number in range(3):
        acme.create(email=f"u{number}@contoso.example")

    answer = acme.send("GET", "/Users", query=query).get_json()

    assert (answer["totalResults"], answer["itemsPerPage"], answer["startIndex"]) == expected
    assert len(answer["Resources"]) == answer["itemsPerPage"]
