"""Elements with the same value and type are stored once (RFC 7643 §2.4, contract section 5)."""

from typing import Any

import pytest

from scimsvc.protocol.errors import InvalidValue
from scimsvc.protocol.reading.bodies import read_new_user, read_patch
from scimsvc.protocol.reading.tolerances import RequestNotes
from scimsvc.protocol.updates import patched
from scimsvc.protocol.users import USERS
from tests.support.client import patch_body, user_body
from tests.support.urns import USER_URN

WORK = {"value": "a@x.example", "type": "work"}
HOME = {"value": "h@x.example", "type": "home"}
MOBILE = {"value": "+1", "type": "mobile"}
PHOTO = {"value": "https://x/P", "type": "photo"}
PRIMARY = {"primary": True}


def created(**attributes: Any) -> dict[str, Any]:
    return read_new_user(user_body(**attributes), USERS, RequestNotes(), user_id="1")


@pytest.mark.parametrize(
    ("name", "sent", "stored"),
    [
        ("emails", [WORK, WORK | PRIMARY], [WORK | PRIMARY]),
        ("emails", [WORK | PRIMARY, WORK], [WORK | PRIMARY]),
        ("emails", [WORK | PRIMARY, WORK | {"primary": False}], [WORK | PRIMARY]),
        ("emails", [WORK | PRIMARY, WORK | PRIMARY | {"display": "D"}], [WORK | {"display": "D"} | PRIMARY]),
        ("emails", [WORK, {"value": "A@X.example", "type": "Work"}], [{"value": "A@X.example", "type": "Work"}]),
        ("emails", [WORK, HOME, WORK | {"display": "D"}], [WORK | {"display": "D"}, HOME]),
        ("emails", [WORK, WORK | {"type": "home"}], [WORK, WORK | {"type": "home"}]),
        ("emails", [WORK, {"value": WORK["value"]}], [WORK, {"value": WORK["value"]}]),
        ("phoneNumbers", [MOBILE, MOBILE | PRIMARY], [MOBILE | PRIMARY]),
        ("phoneNumbers", [{"value": "1"}, {"value": "1", "primary": False}], [{"value": "1", "primary": False}]),
        ("photos", [PHOTO, {"value": "https://x/p", "type": "PHOTO"}], [PHOTO, {"value": "https://x/p", "type": "PHOTO"}]),
        ("photos", [PHOTO, PHOTO | {"type": "PHOTO"}], [PHOTO | {"type": "PHOTO"}]),
        ("addresses", [{"country": "X"}, {"country": "X", "primary": True}], [{"country": "X", "primary": True}]),
        ("addresses", [{"country": "X"}, {"country": "x"}], [{"country": "X"}, {"country": "x"}]),
    ],
)  # fmt: skip
def test_a_body_that_lists_an_element_twice_has_it_once(
    name: str, sent: list[dict[str, Any]], stored: list[dict[str, Any]]
) -> None:
    user = created(**{name: sent})

    assert user[name] == stored
    assert [list(element) for element in user[name]] == [
        [each for each in (*_ORDER, *element) if each in element][: len(element)] for element in stored
    ]
    change = [{"op": "replace", "path": name, "value": sent}]
    assert (
        patched(created(), read_patch(patch_body(*change), USERS, RequestNotes()), USERS, RequestNotes())[name]
        == stored
    )


_ORDER = ("value", "display", "type", "country", "primary")


@pytest.mark.parametrize(
    ("present", "added", "stored"),
    [
        ([WORK | PRIMARY], [WORK], [WORK | PRIMARY]),
        ([WORK], [WORK | PRIMARY], [WORK | PRIMARY]),
        ([WORK | PRIMARY], [WORK | {"primary": False}], [WORK | PRIMARY]),
        ([WORK | PRIMARY], [{"value": "A@x.example", "type": "Work"}], [{"value": "A@x.example", "type": "Work"} | PRIMARY]),
        ([WORK, HOME | PRIMARY], [WORK | PRIMARY], [WORK | PRIMARY, HOME | {"primary": False}]),
        ([WORK, HOME], [HOME | {"display": "H"}], [WORK, HOME | {"display": "H"}]),
        ([WORK], [HOME, HOME | PRIMARY], [WORK, HOME | PRIMARY]),
        ([WORK | PRIMARY], [HOME, WORK], [WORK | PRIMARY, HOME]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("pathless", [False, True])
def test_an_add_of_a_present_element_makes_no_copy(
    present: list[dict[str, Any]], added: list[dict[str, Any]], stored: list[dict[str, Any]], pathless: bool
) -> None:
    user = created(emails=present)
    operation = (
        {"op": "add", "value": {"emails": added}} if pathless else {"op": "add", "path": "emails", "value": added}
    )
    operations = read_patch(patch_body(operation), USERS, RequestNotes())

    once = patched(user, operations, USERS, RequestNotes())

    assert once["emails"] == stored
    assert patched(once, operations, USERS, RequestNotes()) == once
    assert patched(user, operations, USERS, RequestNotes()) == once


def test_two_primary_elements_are_refused_if_they_differ() -> None:
    operation = {"op": "add", "path": "emails", "value": [HOME | PRIMARY, HOME | {"type": "other"} | PRIMARY]}

    with pytest.raises(InvalidValue, match="two primary"):
        patched(created(), read_patch(patch_body(operation), USERS, RequestNotes()), USERS, RequestNotes())


def test_a_value_path_that_makes_two_elements_equal_leaves_one() -> None:
    user = created(phoneNumbers=[MOBILE, {"value": "+1", "type": "home", "primary": True}])
    operation = {"op": "replace", "path": 'phoneNumbers[type eq "home"].type', "value": "Mobile"}

    changed = patched(user, read_patch(patch_body(operation), USERS, RequestNotes()), USERS, RequestNotes())

    assert changed["phoneNumbers"] == [MOBILE | {"type": "Mobile"} | PRIMARY]


@pytest.mark.parametrize(
    ("roles", "stored", "noted"),
    [
        (["User", "USER"], [{"value": "USER"}], True),
        ([{"value": "User", "primary": True}, {"value": "user", "type": "t"}], [{"value": "user", "type": "t", "primary": True}], True),
        ([{"value": "User", "display": "A"}, {"value": "User", "type": "t"}], [{"value": "User", "display": "A", "type": "t"}], False),
        ([{"value": '{"value": "User"}'}, {"value": "user"}], [{"value": "user"}], True),
        ([{"value": "User"}], [{"value": "User"}], False),
        ([{"value": "User", "primary": True}, {"value": "Other"}], [{"value": "User", "primary": True}, {"value": "Other"}], False),
    ],
)  # fmt: skip
def test_a_role_in_two_spellings_is_one_role(roles: list[Any], stored: list[dict[str, Any]], noted: bool) -> None:
    notes = RequestNotes()
    body = {"schemas": [USER_URN], "userName": "x", "emails": [WORK], "roles": roles}

    user = read_new_user(body, USERS, notes, user_id="1")

    assert user["roles"] == stored
    assert ("repeated-role" in notes.tolerances) is noted
