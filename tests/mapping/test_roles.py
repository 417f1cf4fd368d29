"""Roles of stored users: assigned, refused, returned, defaulted and renamed (contract section 7)."""

import pytest

from tests.support.apps import make_api
from tests.support.client import Enterprise, assert_scim_error, replace, user_body
from tests.support.types import Cli


@pytest.mark.requirement("R24")
def test_an_unknown_role_creates_no_user(acme: Enterprise) -> None:
    answer = acme.send("POST", "/Users", user_body(roles=[{"value": "Signer", "primary": "True"}]))

    names = "DefaultEnterprise, Power Signer, SigningHub_Admin, User"
    assert_scim_error(answer, 400, "invalidValue", "'Signer'", "Acme", names)
    assert acme.find("id pr") == []


def test_a_role_by_alias_is_answered_as_it_was_sent(acme: Enterprise, cli: Cli) -> None:
    user = acme.create(roles=[{"value": "powersigner", "primary": "True"}])

    assert user["roles"] == [{"value": "powersigner", "primary": True}]
    assert cli("user", "show", "Acme", user["id"])["role"] == "Power Signer"


def test_the_default_role_is_todays_and_any_later_one(acme: Enterprise, cli: Cli) -> None:
    on_default = acme.create()
    explicit = acme.create(email="b@contoso.example", roles=[{"value": "DefaultEnterprise"}])

    cli("enterprise", "update", "Acme", "--default-role", "User")
    cli("role", "update", "Acme", "User", "--rename", "Member")

    now = acme.get(on_default)
    assert now["roles"] == [{"value": "Member", "primary": True}]
    assert now["meta"]["version"] != on_default["meta"]["version"]
    assert now["meta"]["lastModified"] == on_default["meta"]["lastModified"]
    assert acme.get(explicit) == explicit


def test_removing_the_roles_returns_a_user_to_the_default_role(acme: Enterprise, cli: Cli) -> None:
    user = acme.create(roles=[{"value": "User"}])

    answer = acme.patch(user, {"op": "remove", "path": 'roles[primary eq "True"].value'})

    assert answer.get_json()["roles"] == [{"value": "DefaultEnterprise", "primary": True}]
    assert [(role["name"], role["users"]) for role in cli("role", "list", "Acme") if role["users"]] == [
        ("DefaultEnterprise", 1)
    ]


def test_renaming_a_role_keeps_its_users(acme: Enterprise, cli: Cli) -> None:
    user = acme.create(roles=[{"value": "User", "primary": True}])

    cli("role", "update", "Acme", "User", "--rename", "Member")

    assert acme.patch(user, replace("title", "x")).get_json()["roles"] == user["roles"]
    assert acme.patch(user, replace('roles[primary eq "True"].value', "User")).status_code == 200
    assert acme.send("PUT", f"/Users/{user['id']}", acme.get(user)).status_code == 200
    assert cli("user", "show", "Acme", user["id"])["role"] == "Member"
    assert acme.send("POST", "/Users", user_body("b@contoso.example", roles=["User"])).status_code == 400


def test_a_value_that_names_another_role_now_means_that_one(acme: Enterprise, cli: Cli) -> None:
    user = acme.create(roles=[{"value": "User", "primary": True}])
    cli("role", "update", "Acme", "User", "--rename", "Member")
    cli("role", "add", "Acme", "User")

    acme.patch(user, replace('roles[primary eq "True"].value', "User"))

    assert cli("user", "show", "Acme", user["id"])["role"] == "User"


def test_a_renamed_roles_display_may_change(acme: Enterprise, cli: Cli) -> None:
    user = acme.create(roles=[{"value": "User", "primary": True}])
    cli("role", "update", "Acme", "User", "--rename", "Member")

    answer = acme.patch(user, replace('roles[primary eq "True"].display', "Members"))

    assert answer.get_json()["roles"] == [{"value": "User", "display": "Members", "primary": True}]
    assert cli("user", "show", "Acme", user["id"])["role"] == "Member"


def test_a_role_by_any_value_path_is_the_one_role(acme: Enterprise) -> None:
    user = acme.create(roles=[{"value": "User", "primary": True}])
    path = 'roles[type eq "WindowsAzureActiveDirectoryRole"].value'

    changed = acme.patch(user, replace(path, "SigningHub_Admin")).get_json()["roles"]

    assert [role["value"] for role in changed] == ["SigningHub_Admin"]
    assert_scim_error(acme.patch(user, replace(path, "Nobody")), 400, "invalidValue", "'Nobody'")


def test_the_default_role_made_the_default_again_changes_no_answer(acme: Enterprise, cli: Cli) -> None:
    user = acme.create()

    cli("enterprise", "update", "Acme", "--default-role", "defaultenterprise")

    assert acme.get(user) == user


@pytest.mark.requirement("R24")
def test_internal_attributes_in_a_body_have_no_effect(acme: Enterprise) -> None:
    odd = {"is_admin": True, "admin": True, "enterprise_id": "x", "role_id": "x", "source": "manual", "password": "x", "version": 7,
           "__class__": "x", "__proto__": {"a": 1}, "scim_enabled": False, "email_key": "x"}  # fmt: skip

    plain = acme.create(email="plain@contoso.example")
    user = acme.create(**odd)
    patched = acme.patch(user, *[replace(name, value) for name, value in odd.items()]).get_json()

    assert set(user) == set(plain)
    assert patched == user
    profiles = make_api(acme).get("/users")["items"]
    assert {(each["source"], each["role"]) for each in profiles} == {("provisioned", "DefaultEnterprise")}
