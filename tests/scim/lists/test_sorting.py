"""Lists are sorted by any attribute, with absent values last (RFC 7644 §3.4.2.3)."""

import pytest

from tests.support.client import Enterprise, assert_scim_error
from tests.support.urns import ENTERPRISE_URN


def named(enterprise: Enterprise, **query: str) -> list[str]:
    """Return the userNames of a list in order."""
    answer = enterprise.send("GET", "/Users", query=query)
    assert answer.status_code == 200, answer.text
    return [user["userName"] for user in answer.get_json()["Resources"]]


@pytest.mark.parametrize(
    ("sort_by", "ascending"),
    [
        ("userName", ["A", "b", "c", "É"]),
        ("USERNAME", ["A", "b", "c", "É"]),
        ("title", ["É", "c", "b", "A"]),
        ("emails.value", ["É", "b", "c", "A"]),
        ("emails", ["É", "b", "c", "A"]),
        ("meta.created", ["b", "A", "É", "c"]),
    ],
)
@pytest.mark.usefixtures("sortable_users")
def test_a_list_is_sorted_by(acme: Enterprise, sort_by: str, ascending: list[str]) -> None:
    assert named(acme, sortBy=sort_by) == ascending
    assert named(acme, sortBy=sort_by, sortOrder="Descending") == ascending[::-1]


@pytest.mark.parametrize(
    ("sort_by", "groups"),
    [
        ("active", [{"b"}, {"A", "É", "c"}]),
        ("roles.value", [{"A", "b"}, {"c"}, {"É"}]),
        ("name.familyName", [{"c"}, {"A", "b", "É"}]),
        (f"{ENTERPRISE_URN}:department", [{"É"}, {"A", "b", "c"}]),
        ("photos.value", [{"A", "b", "c", "É"}]),
    ],
)
@pytest.mark.usefixtures("sortable_users")
def test_equal_and_absent_values_are_grouped(acme: Enterprise, sort_by: str, groups: list[set[str]]) -> None:
    ascending, descending = named(acme, sortBy=sort_by), named(acme, sortBy=sort_by, sortOrder="descending")

    assert descending == ascending[::-1]
    for group in groups:
        assert set(ascending[: len(group)]) == group
        ascending = ascending[len(group) :]


@pytest.mark.usefixtures("sortable_users")
def test_pages_of_a_sorted_list_follow_each_other(acme: Enterprise) -> None:
    pages = [named(acme, sortBy="title", startIndex=str(start), count="1") for start in (1, 2, 3, 4)]

    assert pages == [["É"], ["c"], ["b"], ["A"]]


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"sortBy": "bogus"}, "bogus"),
        ({"sortBy": "name"}, "single value"),
        ({"sortBy": "password"}, "password"),
        ({"sortBy": "title", "sortOrder": "upwards"}, "sortOrder"),
    ],
)
def test_an_order_that_cannot_be_is_refused(acme: Enterprise, query: dict[str, str], word: str) -> None:
    assert_scim_error(acme.send("GET", "/Users", query=query), 400, "invalidValue", word)
