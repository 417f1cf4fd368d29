"""Conditions on the elements of one attribute read the elements once, and find the same users."""

import pytest

from scimsvc.protocol.filters.matching import matches
from scimsvc.protocol.filters.parser import parse_filter
from scimsvc.protocol.users import USERS
from scimsvc.store.filters.user_filters import compile_filter
from scimsvc.store.representations import View
from tests.support.client import Enterprise

VIEW = View("http://localhost/api/scim/v2", "DefaultEnterprise", 1)
MERGED = [
    'ims[value eq "a" and type eq "x"] or ims[value eq "b" and type eq "y"]',
    'ims[value eq "a" and type eq "y"] or ims[value eq "b" and type eq "x"]',
    'ims[value sw "a"] or ims.value eq "b" or ims.type co "z"',
    'not (ims[value eq "a"]) and not (ims[type eq "z"])',
    'not (ims.value eq "a") and not (ims.type eq "z")',
]
APART = [
    'ims[value eq "a" and type eq "x"] and ims[value eq "b" and type eq "y"]',
    'not (ims[value eq "a"]) or not (ims[value eq "b"])',
    'ims.value ne "a" or ims.type ne "x"',
]


@pytest.mark.parametrize("text", MERGED + APART)
def test_merged_conditions_find_the_same_users(acme: Enterprise, text: str) -> None:
    users = [
        acme.create(email=f"u{number}@contoso.example", ims=elements)
        for number, elements in enumerate(
            [
                [],
                [{"value": "a", "type": "x"}, {"value": "b", "type": "y"}],
                [{"value": "a", "type": "y"}],
                [{"value": "b", "type": "x"}],
                [{"value": "c", "type": "z"}, {"value": "c"}],
            ]
        )
    ]

    found = {user["id"] for user in acme.find(text)}

    assert found == {user["id"] for user in users if matches(parse_filter(text, USERS), user)}


@pytest.mark.parametrize(("text", "reads"), [(text, 1) for text in MERGED] + [(APART[0], 2), (APART[1], 2)])
def test_merged_conditions_read_the_elements_once(text: str, reads: int) -> None:
    statement = str(compile_filter(parse_filter(text, USERS), dialect="sqlite", view=VIEW))

    assert statement.count("json_each(") == reads


def test_the_work_address_is_found_with_its_index() -> None:
    match = 'emails[type eq "work"].value eq "{}"'

    statement = str(
        compile_filter(parse_filter(" or ".join(map(match.format, "abc")), USERS), dialect="sqlite", view=VIEW)
    )

    assert "json_each" not in statement
