"""PUT replaces everything that the client may set (RFC 7644 §3.5.1)."""

from typing import Any

import pytest

from tests.support.client import Enterprise, assert_scim_error, replace, user_body
from tests.support.full_user import FULL_USER
from tests.support.urns import ENTERPRISE_URN, USER_URN

WORK = {"value": "test.user@contoso.example", "type": "work", "primary": True}


HOME = {"value": "home@x.example", "type": "home"}


NAME = {"familyName": "User", "givenName": "Test"}


DEPARTMENT = f"{ENTERPRISE_URN}:department"


@pytest.fixture
def user(acme: Enterprise) -> dict[str, Any]:
    return acme.create(title="Engineer", name=NAME, emails=[WORK, HOME])


@pytest.mark.requirement("P52")
def test_put_replaces_everything_that_clients_may_set(acme: Enterprise, user: dict[str, Any]) -> None:
    path = f"/Users/{user['id']}"
    acme.patch(user, replace("roles", "User"), replace("active", False), replace(DEPARTMENT, "Retail"))
    read_only = {"id": "x", "meta": {"created": "2000-01-01T00:00:00Z"}, "groups": [{"value": "x"}]}

    answer = acme.send("PUT", path, user_body(nickName="New", active=True, roles=[], **read_only))

    assert answer.status_code == 200
    assert answer.headers["Content-Location"] == user["meta"]["location"]
    assert answer.get_json() == {
        "schemas": [USER_URN],
        "id": user["id"],
        "userName": "Test User",
        "nickName": "New",
        "active": True,
        "emails": [WORK],
        "roles": [{"value": "DefaultEnterprise", "primary": True}],
        "meta": acme.get(user)["meta"],
    }
    assert answer.get_json()["meta"]["created"] == user["meta"]["created"]


@pytest.mark.requirement("P52")
def test_put_never_creates_and_needs_the_required_attributes(acme: Enterprise, user: dict[str, Any]) -> None:
    path = f"/Users/{user['id']}"
    unknown = "/Users/2819c223-7f76-453a-919d-413861904646"

    assert_scim_error(acme.send("PUT", unknown, user_body("new@contoso.example")), 404, None, unknown[7:])
    assert_scim_error(acme.send("PUT", "/Users", user_body("new@contoso.example")), 405, None)
    assert_scim_error(acme.send("PUT", path, user_body(userName=None)), 400, "invalidValue", "userName")
    assert_scim_error(acme.send("PUT", path, user_body(emails=None)), 400, "invalidValue", "emails")
    assert acme.find("id pr") == [user]


def test_put_clears_omitted_attributes_except_state_and_role(acme: Enterprise) -> None:
    user = acme.create(**{**FULL_USER, "email": "x"})

    replaced = acme.send("PUT", f"/Users/{user['id']}", user_body()).get_json()

    assert {name: replaced[name] for name in replaced if name != "meta"} == {
        "schemas": [USER_URN],
        "id": user["id"],
        "userName": "Test User",
        "active": False,
        "emails": [{"type": "work", "primary": True, "value": "test.user@contoso.example"}],
        "roles": [{"value": "uSER", "display": "The role", "type": "x", "primary": True}],
    }
    assert replaced["meta"]["created"] == user["meta"]["created"]
    assert replaced["meta"]["version"] != user["meta"]["version"]


@pytest.mark.parametrize(
    ("sent", "role"),
    [
        pytest.param({}, "User", id="not sent"),
        pytest.param({"roles": []}, "DefaultEnterprise", id="an empty list"),
        pytest.param({"roles": [{"value": ""}]}, "DefaultEnterprise", id="an empty value"),
        pytest.param({"roles": [{"value": "PowerSigner"}]}, "PowerSigner", id="another role"),
    ],
)
def test_a_put_without_roles_leaves_the_role(acme: Enterprise, sent: dict[str, Any], role: str) -> None:
    user = acme.create(roles=[{"value": "User"}])

    answer = acme.send("PUT", f"/Users/{user['id']}", user_body(title="New", **sent))

    assert answer.status_code == 200
    assert [element["value"] for element in answer.get_json()["roles"]] == [role]


def test_a_put_with_roles_null_removes_the_role(acme: Enterprise) -> None:
    user = acme.create(roles=[{"value": "User"}])

    answer = acme.send("PUT", f"/Users/{user['id']}", user_body() | {"roles": None})

    assert answer.get_json()["roles"] == [{"value": "DefaultEnterprise", "primary": True}]
