"""A manager whose ID changes loses the URI and the name of the former manager (contract section 5)."""

from typing import Any

import pytest

from scimsvc.protocol.reading.bodies import read_new_user, read_patch
from scimsvc.protocol.reading.tolerances import RequestNotes
from scimsvc.protocol.updates import patched
from scimsvc.protocol.users import USERS
from tests.support.client import patch_body, user_body
from tests.support.urns import ENTERPRISE_URN

FORMER = {"value": "1", "$ref": "../Users/1", "displayName": "One"}
MANAGER = f"{ENTERPRISE_URN}:manager"


def add(path: str | None, value: Any) -> dict[str, Any]:
    return {"op": "add", "path": path, "value": value}


def replace(path: str | None, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}


def remove(path: str) -> dict[str, Any]:
    return {"op": "remove", "path": path}


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([replace(MANAGER, "2")], {"value": "2"}),
        ([add(MANAGER, "2")], {"value": "2"}),
        ([replace(MANAGER, {"value": "2"})], {"value": "2"}),
        ([replace(f"{MANAGER}.value", "2")], {"value": "2"}),
        ([replace(None, {MANAGER: "2"})], {"value": "2"}),
        ([replace(None, {ENTERPRISE_URN: {"manager": {"value": "2"}}})], {"value": "2"}),
        ([replace(ENTERPRISE_URN, {"manager": "2", "department": "D"})], {"value": "2"}),
        ([replace(MANAGER, {"value": "2", "displayName": "Two"})], {"value": "2", "displayName": "Two"}),
        ([replace(MANAGER, {"value": "2", "displayName": "One"})], {"value": "2", "displayName": "One"}),
        (
            [replace(f"{MANAGER}.displayName", "One"), replace(f"{MANAGER}.value", "2")],
            {"value": "2", "displayName": "One"},
        ),
        ([replace(f"{MANAGER}.value", "2"), replace(f"{MANAGER}.$ref", "../2")], {"value": "2", "$ref": "../2"}),
        ([remove(f"{MANAGER}.displayName"), replace(MANAGER, "2")], {"value": "2"}),
        ([replace(MANAGER, "2"), replace(MANAGER, "1")], FORMER),
        ([replace(MANAGER, "1")], FORMER),
        ([replace(MANAGER, {"value": "1", "displayName": "Uno"})], FORMER | {"displayName": "Uno"}),
        ([replace(f"{MANAGER}.displayName", "Uno")], FORMER | {"displayName": "Uno"}),
        ([replace(f"{ENTERPRISE_URN}:department", "D")], FORMER),
        ([replace(MANAGER, {"value": ""})], None),
        ([replace(MANAGER, {"value": None})], None),
        ([replace(f"{MANAGER}.value", "")], None),
        ([remove(f"{MANAGER}.value")], None),
        ([remove(MANAGER)], None),
        ([replace(MANAGER, "")], None),
        ([replace(MANAGER, [])], None),
        ([replace(MANAGER, {"value": "", "displayName": "Two"})], {"displayName": "Two"}),
        ([replace(MANAGER, [{"value": "2"}])], {"value": "2"}),
    ],
)
@pytest.mark.parametrize("disables", [False, True])
def test_a_new_manager_has_only_what_was_sent(
    operations: list[dict[str, Any]], expected: dict[str, Any] | None, disables: bool
) -> None:
    before = read_new_user(user_body(**{ENTERPRISE_URN: {"manager": FORMER}}), USERS, RequestNotes(), user_id="1")
    notes = RequestNotes()
    # With a disable and an invalid value, the attributes are changed one by one.
    others = [replace("active", False), replace("userName", "")] if disables else []

    read = read_patch(patch_body(*operations, *others), USERS, notes)
    user = patched(before, read, USERS, notes)

    assert user.get(ENTERPRISE_URN, {}).get("manager") == expected
    assert user["active"] is not disables
    assert "remove-of-absent" not in notes.tolerances
    assert before[ENTERPRISE_URN] == {"manager": FORMER}


def test_a_manager_without_an_id_gets_one_with_its_own_name() -> None:
    body = user_body(**{ENTERPRISE_URN: {"manager": {"displayName": "Someone"}}})
    before = read_new_user(body, USERS, RequestNotes(), user_id="1")

    user = patched(before, read_patch(patch_body(replace(MANAGER, "2")), USERS, RequestNotes()), USERS, RequestNotes())

    assert user[ENTERPRISE_URN] == {"manager": {"value": "2"}}
