"""Enabling is explicit, and disabling wins (contract section 5)."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scimsvc.protocol.attributes import ROLES
from tests.support.client import Api, Enterprise, assert_scim_error, patch_body, replace, user_body
from tests.support.urns import ENTERPRISE_URN

Cli = Callable[..., Any]
LONG = "x" * 600
EMAIL = 'emails[type eq "work"].value'
DISABLE = replace("active", "False")
NUMBER = f"{ENTERPRISE_URN}:employeeNumber"


@pytest.fixture
def other(acme: Enterprise) -> dict[str, Any]:
    return acme.create(email="other@contoso.example", userName="Other", emails=[work("other@contoso.example")])


@pytest.fixture
def user(acme: Enterprise, other: dict[str, Any]) -> dict[str, Any]:
    return acme.create(title="Engineer", roles=[{"value": "User"}], **{ENTERPRISE_URN: {"employeeNumber": "7"}})


def work(address: Any) -> dict[str, Any]:
    return {"value": address, "type": "work", "primary": True}


def without_meta(user: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in user.items() if name != "meta"}


def newest_entry(api: Api) -> dict[str, Any]:
    entry: dict[str, Any] = api.get("/provisioning-log")["items"][0]
    return entry


# Enabling is explicit.


@pytest.mark.parametrize(
    "operation",
    [
        pytest.param(replace("active", ""), id="an empty text"),
        pytest.param(replace("active", None), id="null"),
        pytest.param(replace("active", []), id="an empty list"),
        pytest.param(replace("active", [{"value": ""}]), id="an empty element"),
        pytest.param({"op": "remove", "path": "active"}, id="a remove"),
        pytest.param({"op": "Remove", "path": "active", "value": "False"}, id="a remove of the value"),
        pytest.param(replace(None, {"active": None}), id="null without a path"),
        pytest.param({"op": "add", "value": {"active": ""}}, id="an add without a path"),
    ],
)
def test_a_patch_that_clears_active_leaves_the_state(
    acme: Enterprise, user: dict[str, Any], api: Api, operation: dict[str, Any]
) -> None:
    acme.patch(user, DISABLE)

    answer = acme.patch(user, operation, replace("title", "New"))

    assert (answer.status_code, answer.get_json()["active"], answer.get_json()["title"]) == (200, False, "New")
    entry = newest_entry(api)
    assert "state-kept" in entry["tolerances"]
    assert (entry["changed"], entry["detail"]) == (["title"], None)


def test_clearing_active_leaves_an_active_user_active(acme: Enterprise, user: dict[str, Any], api: Api) -> None:
    assert acme.patch(user, replace("active", None)).get_json() == user
    assert newest_entry(api)["tolerances"] == []


@pytest.mark.parametrize("body", [{}, {"active": None}, {"active": ""}])
def test_a_put_without_active_leaves_the_state(
    acme: Enterprise, user: dict[str, Any], api: Api, body: dict[str, Any]
) -> None:
    path, sent = f"/Users/{user['id']}", user_body(title="New") | body

    assert acme.send("PUT", path, sent).get_json()["active"] is True
    acme.patch(user, DISABLE)
    assert acme.send("PUT", path, sent).get_json()["active"] is False
    assert newest_entry(api)["tolerances"] == ["state-kept"]
    assert acme.send("PUT", path, sent | {"active": True}).get_json()["active"] is True


def test_a_create_without_active_is_active(acme: Enterprise) -> None:
    assert acme.create()["active"] is True


# Disabling wins.

REFUSED: dict[str, tuple[str, Any]] = {
    "an unknown role": ("roles", [{"value": "Nobody"}]),
    "several roles": ("roles", [{"value": "User"}, {"value": "PowerSigner"}]),
    "a packed role without a name": ("roles", [{"value": '{"id": "1"}'}]),
    "a taken address": ("emails", [work("OTHER@contoso.example")]),
    "a malformed address": ("emails", [work("not an address")]),
    "a long address": ("emails", [work(f"{LONG}@contoso.example")]),
    "no work address": ("emails", [{"value": f"{each}@x.example", "type": each} for each in ("home", "other")]),
    "no address": ("emails", None),
    "two work addresses": ("emails", [work("a@x.example"), work("b@x.example") | {"primary": False}]),
    "two primary numbers": ("phoneNumbers", [{"value": each, "primary": True} for each in "12"]),
    "a list of numbers": ("phoneNumbers", [1]),
    "a taken userName": ("userName", "OTHER"),
    "an empty userName": ("userName", ""),
    "a long userName": ("userName", LONG),
    "a number as userName": ("userName", 5),
    "a long externalId": ("externalId", LONG),
    "a number as a title": ("title", 5),
    "a text as a name": ("name", 5),
}


@pytest.fixture
def unique(cli: Cli, acme: Enterprise, user: dict[str, Any]) -> None:
    cli("enterprise", "update", "Acme", "--unique-user-name")


@pytest.mark.usefixtures("unique")
@pytest.mark.parametrize(("name", "value"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("is_first", [True, False], ids=["before", "after"])
def test_a_patch_that_disables_keeps_the_old_value(
    acme: Enterprise, user: dict[str, Any], api: Api, name: str, value: Any, is_first: bool
) -> None:
    refused = replace(name, value)
    operations = [refused, DISABLE] if is_first else [DISABLE, refused]

    assert acme.patch(user, refused, replace("nickName", "Nick")).status_code in (400, 409)
    answer = acme.patch(user, *operations, replace("nickName", "Nick"))

    assert answer.status_code == 200, answer.text
    assert without_meta(answer.get_json()) == without_meta(user) | {"active": False, "nickName": "Nick"}
    entry = newest_entry(api)
    assert (entry["outcome"], sorted(entry["changed"])) == ("ok", ["active", "nickName"])
    assert "disabling-wins" in entry["tolerances"]
    assert entry["detail"].startswith(f"The user is disabled and keeps the old value of {name}. {name}: ")
    # The provider repeats its request, for example after a lost answer.
    assert acme.patch(user, *operations, replace("nickName", "Nick")).get_json() == answer.get_json()


@pytest.mark.usefixtures("unique")
@pytest.mark.parametrize(("name", "value"), REFUSED.values(), ids=REFUSED)
def test_a_put_that_disables_keeps_the_old_value(
    acme: Enterprise, user: dict[str, Any], api: Api, name: str, value: Any
) -> None:
    path = f"/Users/{user['id']}"
    body = {each: user[each] for each in user if each not in ("id", "meta")} | {name: value, "nickName": "Nick"}

    assert acme.send("PUT", path, body).status_code in (400, 409)
    answer = acme.send("PUT", path, body | {"active": "False"})

    assert answer.status_code == 200, answer.text
    assert without_meta(answer.get_json()) == without_meta(user) | {"active": False, "nickName": "Nick"}
    assert newest_entry(api)["detail"].startswith(f"The user is disabled and keeps the old value of {name}. ")


def test_members_of_complex_attributes_are_kept_one_by_one(acme: Enterprise, user: dict[str, Any], api: Api) -> None:
    extension = {"employeeNumber": 7, "department": "Sales"}
    name = {"givenName": ["A", "B"], "familyName": "User"}

    patched = acme.patch(user, replace(None, {"active": False, ENTERPRISE_URN: extension, "name": name})).get_json()

    assert patched[ENTERPRISE_URN] == {"employeeNumber": "7", "department": "Sales"}
    assert patched["name"] == {"familyName": "User"}
    assert "the old value of employeeNumber, name.givenName." in newest_entry(api)["detail"]
    body = user_body(active=False, name=name, **{ENTERPRISE_URN: {"employeeNumber": 8}})
    put = acme.send("PUT", f"/Users/{user['id']}", body).get_json()
    assert put[ENTERPRISE_URN] == {"employeeNumber": "7"}
    assert put["name"] == {"familyName": "User"}


def test_several_conflicts_are_kept_together(acme: Enterprise, user: dict[str, Any], cli: Cli, api: Api) -> None:
    cli("enterprise", "update", "Acme", "--unique-user-name")
    operations = [
        replace("userName", "Other"),
        replace(EMAIL, "other@contoso.example"),
        replace('roles[primary eq "True"].value', "Nobody"),
        DISABLE,
    ]

    answer = acme.patch(user, *operations)

    assert without_meta(answer.get_json()) == without_meta(user) | {"active": False}
    detail = newest_entry(api)["detail"]
    assert "Another user in Acme already has the work e-mail address 'other@contoso.example'." in detail
    assert "Another user in Acme already has the userName 'Other'." in detail
    assert "Role 'Nobody' does not exist in Acme." in detail


def test_a_disabled_user_stays_disabled_with_an_unknown_role(acme: Enterprise, user: dict[str, Any]) -> None:
    acme.patch(user, DISABLE)

    again = acme.patch(user, DISABLE, replace("roles", "Nobody"))

    assert (again.status_code, again.get_json()["active"]) == (200, False)
    # A request that does not disable is judged as usual.
    assert_scim_error(acme.patch(user, replace("roles", "Nobody")), 400, "invalidValue", "Nobody")
    enable = acme.patch(user, replace("active", True), replace("roles", "Nobody"))
    assert_scim_error(enable, 400, "invalidValue", "Nobody")


@pytest.mark.parametrize(
    ("operations", "scim_type"),
    [
        pytest.param([replace("title", 5), replace("active", None)], "invalidValue", id="a cleared active"),
        pytest.param(
            [DISABLE, replace("title", 5), replace("active", True)], "invalidValue", id="the last one enables"
        ),
        pytest.param([DISABLE, replace("title", 5), {"op": "move", "path": "title"}], "invalidValue", id="an op"),
        pytest.param([DISABLE, replace("name.", "x")], "invalidPath", id="a path"),
        pytest.param([DISABLE, replace("id", "x")], "mutability", id="a readOnly attribute"),
        pytest.param([DISABLE, replace('ims[not (type eq "x")].value', "x")], "noTarget", id="no target"),
    ],
)
def test_everything_else_is_judged_as_usual(
    acme: Enterprise, user: dict[str, Any], operations: list[dict[str, Any]], scim_type: str
) -> None:
    assert_scim_error(acme.patch(user, *operations), 400, scim_type)
    assert acme.get(user) == user


def test_preconditions_pauses_and_removal_limits_apply(acme: Enterprise, user: dict[str, Any], cli: Cli) -> None:
    disable = (DISABLE, replace("roles", "Nobody"))

    assert_scim_error(acme.patch(user, *disable, headers={"If-Match": 'W/"9"'}), 412, None)
    cli("enterprise", "pause", "Acme")
    assert acme.patch(user, *disable).status_code == 503
    cli("enterprise", "resume", "Acme")
    cli("enterprise", "update", "Acme", "--removal-limit", "0")
    assert acme.patch(user, *disable).status_code == 503
    assert acme.get(user) == user


def test_a_user_who_would_be_too_large_is_disabled(acme: Enterprise, user: dict[str, Any], api: Api) -> None:
    large = [replace(name, "x" * 200_000) for name in ("title", "nickName")]

    answer = acme.patch(user, *large, DISABLE, replace("roles", "PowerSigner"))

    assert without_meta(answer.get_json()) == without_meta(user) | {"active": False}
    assert "the old value of nickName, title, roles. " in newest_entry(api)["detail"]


def test_operations_of_bulk_requests_follow_the_rule(acme: Enterprise, user: dict[str, Any], api: Api) -> None:
    data = patch_body(DISABLE, replace("roles", "Nobody"))
    operation = {"method": "PATCH", "path": f"/Users/{user['id']}", "data": data}
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [operation]}

    (result,) = acme.send("POST", "/Bulk", body).get_json()["Operations"]

    assert result["status"] == "200"
    assert without_meta(acme.get(user)) == without_meta(user) | {"active": False}
    assert "Role 'Nobody'" in newest_entry(api)["detail"]


def test_an_explanation_names_the_kept_values(acme: Enterprise, user: dict[str, Any], api: Api) -> None:
    asked = {"method": "PATCH", "path": f"/Users/{user['id']}", "body": patch_body(DISABLE, replace("title", 5))}

    explained = api.send("POST", "/explain", asked).get_json()

    detail = "The attribute title must be a string, not a number."
    assert explained["kept"] == [{"attribute": "title", "detail": detail}]
    assert (explained["outcome"], explained["tolerances"]) == ("ok", ["text-boolean", "disabling-wins"])
    assert acme.get(user) == user


_OPERATIONS = st.lists(
    st.one_of(
        st.sampled_from([replace(name, value) for name, value in REFUSED.values()]),
        st.sampled_from(
            [
                replace("title", "New"), replace("active", True), replace("active", None), replace("active", "maybe"),
                replace("roles", "PowerSigner"), replace(EMAIL, "new@contoso.example"), replace(NUMBER, 5),
                {"op": "remove", "path": "userName"}, {"op": "remove", "path": "emails"},
                {"op": "add", "path": "phoneNumbers", "value": [{"value": "1", "type": "work", "primary": True}]},
                replace(None, {"name.givenName": 5, "displayName": "New", "emails": "x"}),
            ]
        ),
    ),
    max_size=6,
)  # fmt: skip


@given(operations=_OPERATIONS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_comes_with_it_a_disable_disables(
    acme: Enterprise, user: dict[str, Any], operations: list[dict[str, Any]]
) -> None:
    acme.patch(user, replace("active", True))

    answer = acme.patch(user, *operations, DISABLE)

    assert (answer.status_code, answer.get_json()["active"]) == (200, False), answer.text
    assert acme.get(user) == answer.get_json()
    assert len(acme.get(user)[ROLES.name]) == 1
