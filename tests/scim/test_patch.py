"""PATCH over HTTP: order of operations, paths, values, and the response (RFC 7644 §3.5.2)."""

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


@pytest.mark.requirement("P40")
def test_operations_are_done_in_order_each_on_the_result_of_the_last(acme: Enterprise, user: dict[str, Any]) -> None:
    after = patched(
        acme, user,
        add("phoneNumbers", [{"value": "1", "type": "work"}]),
        replace('phoneNumbers[value eq "1"].value', "2"),
        add('phoneNumbers[value eq "2"].display', "two"),
        replace("title", "Lead"), remove("title"), replace("nickName", "a"), replace("nickName", "b"),
    )  # fmt: skip

    assert after["phoneNumbers"] == [{"value": "2", "type": "work", "display": "two"}]
    assert "title" not in after
    assert after["nickName"] == "b"


@pytest.mark.requirement("P40")
@pytest.mark.parametrize(
    ("last", "status", "scim_type"),
    [
        (replace('emails[type eq "work"].value', "TAKEN@contoso.example"), 409, "uniqueness"),
        (replace("userName", "Taken"), 409, "uniqueness"),
        (replace("roles", "Nobody"), 400, "invalidValue"),
        (remove("userName"), 400, "mutability"),
        (replace("emails[", "x"), 400, "invalidPath"),
    ],
)
def test_a_patch_is_atomic(
    acme: Enterprise, cli: Cli, user: dict[str, Any], last: dict[str, Any], status: int, scim_type: str
) -> None:
    acme.create(email="taken@contoso.example", userName="taken")
    cli("enterprise", "update", "Acme", "--unique-user-name")

    answer = acme.patch(
        user, replace("title", "New"), add("emails", [{"value": "new@x.example", "type": "other"}]), last
    )

    assert_scim_error(answer, status, scim_type)
    assert acme.get(user) == user


@pytest.mark.requirement("P42")
def test_an_unmatched_value_path_makes_the_element(acme: Enterprise, user: dict[str, Any]) -> None:
    # Contract section 5 against the list: Entra adds and replaces a first work phone like this.
    after = patched(
        acme, user,
        replace('phoneNumbers[type eq "work"].value', "1"),
        add('addresses[type eq "home"]', {"country": "XX"}),
    )  # fmt: skip

    assert after["phoneNumbers"] == [{"value": "1", "type": "work"}]
    assert after["addresses"] == [{"country": "XX", "type": "home"}]


@pytest.mark.requirement("P46")
def test_a_complex_attribute_keeps_other_sub_attributes(acme: Enterprise, user: dict[str, Any]) -> None:
    acme.patch(user, replace(DEPARTMENT, "Retail"))

    after = patched(
        acme, user,
        replace("name", {"givenName": "New"}),
        replace(None, {"name": {"middleName": "M"}, ENTERPRISE_URN: {"division": "x"}}),
        replace(MANAGER, {"value": "7"}), replace(MANAGER, {"displayName": "Manager"}),
    )  # fmt: skip

    assert after["name"] == {"familyName": "User", "givenName": "New", "middleName": "M"}
    assert after[ENTERPRISE_URN] == {
        "division": "x",
        "department": "Retail",
        "manager": {"value": "7", "displayName": "Manager"},
    }


@pytest.mark.requirement("P47")
def test_replace_replaces_all_values_and_add_appends(acme: Enterprise, user: dict[str, Any]) -> None:
    other, more = {"value": "other@x.example", "type": "other"}, {"value": "more@x.example"}

    with_path = patched(acme, user, add("emails", [other]))
    without_path = patched(acme, user, add(None, {"emails": [more], "photos": [{"value": "p"}]}))
    replaced = patched(acme, user, replace("emails", [WORK, more]))
    replaced_without_path = patched(acme, user, replace(None, {"emails": [WORK]}))

    assert with_path["emails"] == [WORK, HOME, other]
    assert without_path["emails"] == [WORK, HOME, other, more]
    assert without_path["photos"] == [{"value": "p"}]
    assert replaced["emails"] == [WORK, more]
    assert replaced_without_path["emails"] == [WORK]


@pytest.mark.requirement("P48")
def test_a_value_path_acts_on_every_match(acme: Enterprise, user: dict[str, Any]) -> None:
    phones = [{"value": str(n), "type": "work" if n < 3 else "home", "display": "x"} for n in range(4)]
    acme.patch(user, replace("phoneNumbers", phones))

    changed = patched(acme, user, replace('phoneNumbers[type eq "work"].display', "y"))["phoneNumbers"]
    cleared = patched(acme, user, remove('phoneNumbers[type eq "work" and not (value eq "0")].display'))["phoneNumbers"]
    removed = patched(acme, user, remove('phoneNumbers[(value eq "0" or value eq "3") and display pr]'))["phoneNumbers"]
    emptied = patched(acme, user, remove("phoneNumbers[value pr]"))

    assert [phone["display"] for phone in changed] == ["y", "y", "y", "x"]
    assert [phone.get("display") for phone in cleared] == ["y", None, None, "x"]
    assert removed == [{"value": "1", "type": "work"}, {"value": "2", "type": "work"}]
    assert "phoneNumbers" not in emptied


@pytest.mark.requirement("P49")
@pytest.mark.parametrize(
    "operation",
    [
        add("emails", [HOME]),
        add("emails", [HOME, WORK]),
        add(None, {"emails": [WORK], "title": "Engineer"}),
        add("title", "Engineer"),
        add("name", {"givenName": "Test"}),
        add('emails[type eq "home"].value', "home@x.example"),
        replace("emails", [WORK, HOME]),
        replace("active", "True"),
        remove("nickName"),
        remove('emails[type eq "other"]'),
    ],
)
def test_an_operation_without_effect_changes_nothing(
    acme: Enterprise, user: dict[str, Any], operation: dict[str, Any]
) -> None:
    answer = acme.patch(user, operation)

    assert (answer.status_code, answer.get_json()) == (200, user)
    assert answer.headers["ETag"] == user["meta"]["version"]
    assert acme.get(user) == user


@pytest.mark.requirement("P50")
def test_a_patch_answers_200_with_the_user(acme: Enterprise, user: dict[str, Any]) -> None:
    whole = acme.patch(user, replace("title", "Lead"))
    some = acme.patch(user, replace("title", "Head"), query={"attributes": "title"})

    assert whole.status_code == 200
    assert {name: value for name, value in whole.get_json().items() if name != "meta"} == {
        name: value for name, value in user.items() if name != "meta"
    } | {"title": "Lead"}
    assert whole.headers["Content-Location"] == user["meta"]["location"] == whole.get_json()["meta"]["location"]
    assert (some.status_code, some.get_json()) == (200, {"schemas": [USER_URN], "id": user["id"], "title": "Head"})
    assert some.headers["ETag"] == acme.get(user)["meta"]["version"]


@pytest.mark.requirement("P51")
def test_entras_shapes_work_together(acme: Enterprise, user: dict[str, Any]) -> None:
    # tests/payloads/entra has a file for each of them.
    after = patched(
        acme, user,
        {"op": "Add", "path": 'phoneNumbers[type eq "mobile"].value', "value": "1"},
        {"op": "Replace", "path": "active", "value": "False"},
        {"op": "Replace", "path": "title", "value": [{"value": "Lead"}]},
        {"op": "Add", "path": MANAGER, "value": "7"},
        {"op": "Replace", "path": 'roles[primary eq "True"].value', "value": "User"},
        {"op": "Remove", "path": "emails", "value": [{"value": "home@x.example"}]},
        {"op": "replace", "value": {
            "name.familyName": "New", f"{ENTERPRISE_URN}:organization": "Contoso",
            'addresses[type eq "work"].country': "XX", "nickName": "", "bogus": "ignored",
        }},
    )  # fmt: skip

    assert {name: value for name, value in after.items() if name not in ("id", "meta")} == {
        "schemas": [USER_URN, ENTERPRISE_URN],
        "userName": "Test User",
        "name": {"familyName": "New", "givenName": "Test"},
        "title": "Lead",
        "active": False,
        "emails": [WORK],
        "phoneNumbers": [{"value": "1", "type": "mobile"}],
        "addresses": [{"type": "work", "country": "XX"}],
        "roles": [{"value": "User", "primary": True}],
        ENTERPRISE_URN: {"organization": "Contoso", "manager": {"value": "7"}},
    }
    assert patched(acme, user, replace(MANAGER, ""))[ENTERPRISE_URN] == {"organization": "Contoso"}


@pytest.mark.requirement("R27")
@pytest.mark.parametrize(("path", "value", "read"), [
    ("title", "x", "title"), ("name.givenName", "x", "name"), ('phoneNumbers[type eq "work"].value', "1", "phoneNumbers"), ("active", "False", "active"),
    ("emails", [{"type": "work", "value": "new@contoso.example"}], "emails"), ("roles", "User", "roles"), ("addresses", [{"type": "work", "locality": "x"}], "addresses"),
    ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "x", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"),
])  # fmt: skip
@pytest.mark.parametrize("op", ["add", "replace"])
def test_a_patched_value_can_be_read_back(acme: Enterprise, op: str, path: str, value: Any, read: str) -> None:
    user = acme.create()

    answer = acme.patch(user, {"op": op, "path": path, "value": value})

    # A second work address is refused; every successful change is stored.
    assert answer.status_code == (400 if (op, path) == ("add", "emails") else 200)
    assert (acme.get(user).get(read) != user.get(read)) is (answer.status_code == 200)
