"""Refused PATCH requests change nothing (RFC 7644 §3.5.2)."""

from typing import Any

import pytest

from tests.support.client import Enterprise, assert_scim_error, replace
from tests.support.types import Cli
from tests.support.urns import ENTERPRISE_URN, USER_URN

WORK = {"value": "test.user@contoso.example", "type": "work", "primary": True}


HOME = {"value": "home@x.example", "type": "home"}


NAME = {"familyName": "User", "givenName": "Test"}


DEPARTMENT = f"{ENTERPRISE_URN}:department"


MANAGER = f"{ENTERPRISE_URN}:manager"


def add(path: str | None, value: Any) -> dict[str, Any]:
    return {"op": "add", "value": value} | ({"path": path} if path else {})


def remove(path: str) -> dict[str, Any]:
    return {"op": "remove", "path": path}


@pytest.fixture
def user(acme: Enterprise) -> dict[str, Any]:
    return acme.create(title="Engineer", name=NAME, emails=[WORK, HOME])


def patched(acme: Enterprise, user: dict[str, Any], *operations: dict[str, Any]) -> dict[str, Any]:
    """Return the user in the response to a PATCH, which equals the stored user."""
    answer = acme.patch(user, *operations)
    assert answer.status_code == 200, answer.text
    assert answer.get_json() == acme.get(user)
    return dict(answer.get_json())


@pytest.mark.requirement("P41")
@pytest.mark.parametrize("path", [{}, {"path": ""}, {"path": None}])
def test_a_remove_without_a_path_is_refused(acme: Enterprise, user: dict[str, Any], path: dict[str, Any]) -> None:
    answers = [acme.patch(user, {"op": "remove"} | path | value) for value in ({}, {"value": {"title": "Engineer"}})]

    for answer in answers:
        assert_scim_error(answer, 400, "noTarget", "path")
    assert acme.get(user) == user


@pytest.mark.parametrize("name", ["favourite-colour", "$ref", "größe", "extension_1a2b_tag", "urn:x:2.0:User:tag.part"])
def test_a_path_that_may_be_an_attribute_of_another_schema_is_ignored(
    acme: Enterprise, user: dict[str, Any], name: str
) -> None:
    assert patched(acme, user, replace(name, "x")) == user


def test_a_key_that_cannot_be_an_attribute_is_ignored(acme: Enterprise, user: dict[str, Any]) -> None:
    assert patched(acme, user, replace(None, {"/title": "x", "name/familyName": "x"})) == user


@pytest.mark.requirement("P42")
def test_an_unknown_attribute_is_ignored_unless_the_enterprise_rejects_it(
    acme: Enterprise, cli: Cli, user: dict[str, Any]
) -> None:
    # Contract section 5 against the list: an unknown attribute's path is ignored by default.
    paths = ["bogus", "name.bogus", "urn:example:extension:bogus", 'emails[type eq "work"].bogus']

    ignored = patched(acme, user, *(replace(path, "x") for path in paths))
    cli("enterprise", "update", "Acme", "--reject-unknown-attributes")

    assert ignored == user
    for path in paths:
        assert_scim_error(acme.patch(user, replace("title", "New"), replace(path, "x")), 400, "invalidPath", "bogus")
    assert acme.get(user) == user


@pytest.mark.requirement("P42")
@pytest.mark.parametrize(
    ("operation", "scim_type"),
    [
        (replace('phoneNumbers[value sw "1"].type', "work"), "noTarget"),
        (replace('phoneNumbers[type eq "work" or type eq "home"].value', "1"), "noTarget"),
        (replace('phoneNumbers[not (type eq "work")]', {"value": "1"}), "noTarget"),
        (replace("emails[", "x"), "invalidPath"),
        (replace('emails[type eq "work"', "x"), "invalidPath"),
        (replace('emails[type eq "work"].', "x"), "invalidPath"),
        (replace('emails[type eq "work"]value', "x"), "invalidPath"),
        (replace('title[value eq "x"]', "x"), "invalidPath"),
        (replace("name family", "x"), "invalidPath"),
        (replace('emails[type is "work"].value', "x"), "invalidFilter"),
        (replace("title", "x") | {"path": 5}, "invalidPath"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(
    acme: Enterprise, user: dict[str, Any], operation: dict[str, Any], scim_type: str
) -> None:
    assert_scim_error(acme.patch(user, replace("title", "New"), operation), 400, scim_type)
    assert acme.get(user) == user


@pytest.mark.requirement("P43")
@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("title", 5), ("title", {"value": "x"}), ("title", ["x", "y"]), ("active", "perhaps"), ("active", 0),
        ("name", "Test User"), ("name.familyName", True), ("emails", [5]), ("emails", [WORK, {"value": 5}]),
        ('emails[type eq "work"].value', {"value": "x"}), ('emails[type eq "work"].primary', "perhaps"),
        ('emails[type eq "work"].value', "no address"), (DEPARTMENT, 5), (MANAGER, 5), (None, "x"), (None, ["title"]),
        (None, {"title": 5}), ("userName", ""), ("userName", None),
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_type_is_refused_and_changes_nothing(
    acme: Enterprise, user: dict[str, Any], path: str | None, value: Any
) -> None:
    for op in ("add", "replace"):
        answer = acme.patch(user, replace("nickName", "New"), add(path, value) | {"op": op})
        assert_scim_error(answer, 400, "invalidValue")

    assert acme.get(user) == user


@pytest.mark.requirement("P44")
@pytest.mark.parametrize(
    "path", ["id", "ID", "meta", "meta.version", "meta.created", "groups", "groups.value", f"{USER_URN}:groups"]
)
def test_read_only_attributes_are_refused(acme: Enterprise, user: dict[str, Any], path: str) -> None:
    for operation in (remove(path), replace(path, "x"), add(path, "x"), replace(path, None)):
        assert_scim_error(acme.patch(user, replace("title", "New"), operation), 400, "mutability", "readOnly")

    assert acme.get(user) == user


@pytest.mark.requirement("P45")
@pytest.mark.parametrize(
    ("path", "scim_type"),
    [
        ("userName", "mutability"),
        ("USERNAME", "mutability"),
        (f"{USER_URN}:userName", "mutability"),
        # Every user needs a work address: 400 invalidValue by contract section 5.
        ("emails", "invalidValue"),
        ("emails.value", "invalidValue"),
        ('emails[type eq "work"]', "invalidValue"),
        ('emails[type eq "work"].value', "invalidValue"),
        ('emails[type eq "work"].type', "invalidValue"),
        ("emails.type", "invalidValue"),
    ],
)
def test_a_required_attribute_cannot_be_removed(
    acme: Enterprise, user: dict[str, Any], path: str, scim_type: str
) -> None:
    answer = acme.patch(user, replace("title", "New"), remove(path))

    assert_scim_error(answer, 400, scim_type, "userName" if scim_type == "mutability" else "emails")
    assert acme.get(user) == user


@pytest.mark.requirement("R4")
def test_a_refused_patch_leaves_the_user_byte_for_byte(acme: Enterprise) -> None:
    user = acme.create(roles=[{"value": "User"}])
    before = acme.send("GET", f"/Users/{user['id']}")

    for bad in (replace("roles", "Nobody"), replace("active", "maybe"), replace("id", "x"), replace("userName", "")):
        assert acme.patch(user, replace("title", "New"), bad).status_code == 400

    after = acme.send("GET", f"/Users/{user['id']}")
    assert after.data == before.data
    assert after.headers["ETag"] == before.headers["ETag"]
