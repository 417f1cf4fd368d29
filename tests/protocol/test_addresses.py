"""The address that counts as the work address identifies a user (contract section 5)."""

from typing import Any

import pytest

from scimsvc.protocol.errors import InvalidValue
from scimsvc.protocol.filters.matching import matches
from scimsvc.protocol.filters.parser import parse_filter
from scimsvc.protocol.reading.bodies import read_new_user, read_patch
from scimsvc.protocol.reading.tolerances import RequestNotes
from scimsvc.protocol.updates import patched, replaced
from scimsvc.protocol.users import USERS, work_address
from tests.support.client import patch_body, replace, user_body


def element(value: str, type_: str | None = None, **members: object) -> dict[str, Any]:
    return {"value": f"{value}@x.example"} | ({"type": type_} if type_ else {}) | members


P = {"primary": True}


@pytest.mark.parametrize(
    ("emails", "address", "tolerances"),
    [
        ([element("a", "work")], "a", []),
        ([element("a", "WORK"), element("b", "other", **P)], "a", []),
        ([element("a", "other")], "a", ["other-email"]),
        ([element("a", "home", primary=False)], "a", ["other-email"]),
        ([element("a")], "a", ["untyped-email"]),
        ([element("a", "other"), element("b", "home", **P)], "b", ["other-email"]),
        ([element("a"), element("b", primary=True)], "b", ["other-email"]),
        ([element("a", "other"), element("a", "home", **P)], "a", ["other-email"]),
    ],
)
def test_a_user_is_identified_by_one_address(emails: list[Any], address: str, tolerances: list[str]) -> None:
    notes = RequestNotes()

    user = read_new_user(user_body(emails=emails), USERS, notes, user_id="1")

    assert work_address(user) == f"{address}@x.example"
    assert notes.tolerances == tolerances
    assert user["emails"] == (emails if tolerances != ["untyped-email"] else [element("a", "work")])
    for letter in "ab":
        node = parse_filter(f'emails[type eq "work"].value eq "{letter.upper()}@x.example"', USERS)
        assert matches(node, user) is (letter == address)


@pytest.mark.parametrize("emails", [[element("a"), element("b")], [element("a", "home"), element("b", "other")]])
def test_several_addresses_identify_no_one_if_none_is_marked(emails: list[Any]) -> None:
    with pytest.raises(InvalidValue, match="missing"):
        read_new_user(user_body(emails=emails), USERS, RequestNotes(), user_id="1")


WORK, HOME = element("a", "work"), element("h", "home")
NEW = "b@x.example"


@pytest.mark.parametrize(
    ("emails", "operation", "expected", "is_noted"),
    [
        ([WORK], replace("emails[primary eq true].value", NEW), [element("b", "work")], True),
        ([WORK], replace('emails[primary eq "True"].value', NEW), [element("b", "work")], True),
        ([WORK], replace('emails[type eq "Work" and primary eq true].value', NEW), [element("b", "work")], True),
        ([WORK], replace('emails[primary eq true and type eq "work"].value', NEW), [element("b", "work")], True),
        ([HOME, WORK], replace("emails[primary eq true].value", NEW), [HOME, element("b", "work")], True),
        ([HOME, WORK], replace("emails[primary eq true].display", "D"), [HOME, WORK | {"display": "D"}], True),
        ([element("a", "other")], replace("emails[primary eq true].value", NEW), [element("b", "other")], True),
        ([WORK], replace("emails[primary eq true]", {"value": NEW}), [element("b", primary=True) | {"type": "work"}], True),
        ([WORK | P], replace("emails[primary eq true].value", NEW), [element("b", "work", **P)], False),
        ([WORK, HOME | P], replace("emails[primary eq true].value", NEW), [WORK, element("b", "home", **P)], False),
        ([WORK], replace('emails[type eq "home" and primary eq true].value', NEW), [WORK, element("b", "home", **P)], False),
        ([WORK], replace('emails[primary eq false].value', NEW), [WORK, element("b", primary=False)], False),
    ],
)  # fmt: skip
def test_the_primary_address_is_the_work_address_if_none_is_marked(
    emails: list[Any], operation: dict[str, Any], expected: list[Any], is_noted: bool
) -> None:
    user = read_new_user(user_body(emails=emails), USERS, RequestNotes(), user_id="1")
    notes = RequestNotes()

    changed = patched(user, read_patch(patch_body(operation), USERS, notes), USERS, notes)

    assert changed["emails"] == expected
    assert ("primary-address" in notes.tolerances) is is_noted


@pytest.mark.parametrize(
    "operations",
    [
        [{"op": "remove", "path": 'emails[type eq "work"]'}],
        [{"op": "remove", "path": "emails[primary eq true]"}],
        [{"op": "remove", "path": "emails", "value": [WORK]}],
        [{"op": "remove", "path": "emails.type"}],
        [replace('emails[type eq "work"].value', "")],
        [replace('emails[type eq "work"].type', "home")],
        [replace('emails[type eq "home"].primary', True), {"op": "remove", "path": 'emails[type eq "work"]'}],
    ],
)
def test_a_private_address_does_not_become_the_work_address_by_a_removal(operations: list[dict[str, Any]]) -> None:
    user = read_new_user(user_body(emails=[WORK, HOME]), USERS, RequestNotes(), user_id="1")

    with pytest.raises(InvalidValue, match="missing"):
        patched(user, read_patch(patch_body(*operations), USERS, RequestNotes()), USERS, RequestNotes())


@pytest.mark.parametrize(
    "emails",
    [
        [HOME],
        [element("b", "other")],
        [element("a", "other")],
        [HOME, element("b", "other", primary=True)],
        [element("h", "work")],
    ],
)
def test_a_list_of_all_addresses_may_have_another_work_address(emails: list[Any]) -> None:
    user = read_new_user(user_body(emails=[WORK, HOME]), USERS, RequestNotes(), user_id="1")

    for operations in (
        [replace("emails", emails)],
        [replace(None, {"emails": emails})],
        [{"op": "remove", "path": "emails"}, {"op": "add", "path": "emails", "value": emails}],
    ):
        read = read_patch(patch_body(*operations), USERS, RequestNotes())
        assert patched(user, read, USERS, RequestNotes())["emails"] == emails
    assert replaced(user, {"userName": "x", "emails": emails}, USERS, RequestNotes())["emails"] == emails


def test_an_address_of_another_type_may_change_in_part() -> None:
    user = read_new_user(user_body(emails=[element("a", "other")]), USERS, RequestNotes(), user_id="1")

    for path, value, emails in (
        ('emails[type eq "other"].value', "b@x.example", [element("b", "other")]),
        ('emails[type eq "other"].type', "home", [element("a", "home")]),
    ):
        read = read_patch(patch_body(replace(path, value)), USERS, RequestNotes())
        assert patched(user, read, USERS, RequestNotes())["emails"] == emails
