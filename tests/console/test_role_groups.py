"""The console shows the groups of roles, and previews a change of them."""

from typing import Any

import pytest

from tests.support.client import Api, Enterprise, patch_body
from tests.support.console import Console, of, text
from tests.support.groups import ScimGroups
from tests.support.types import Cli

pytestmark = pytest.mark.both_databases


@pytest.fixture
def ann(acme: Enterprise) -> dict[str, Any]:
    return acme.create(email="ann@x.example")


@pytest.fixture
def groups(acme: Enterprise) -> ScimGroups:
    return ScimGroups(acme)


def role_path(acme: Enterprise, cli: Cli, name: str) -> str:
    roles = {role["name"]: role["id"] for role in cli("role", "list", "Acme")}
    return f"{of(acme)}/roles/{roles[name]}"


def test_a_preview_names_the_users_and_keeps_the_input(
    acme: Enterprise, admin: Console, cli: Cli, groups: ScimGroups, ann: dict[str, Any]
) -> None:
    groups.create("Sales", [ann["id"]])
    path = role_path(acme, cli, "User")

    page = admin.post(path, 200, name="User", aliases="", groups="Sales", preview="on").text

    assert "1 user would change. Nothing is saved yet." in text(page)
    assert "ann@x.example : DefaultEnterprise → User" in text(page).replace(" : ", " : ")
    assert ">\nSales</textarea>" in page
    assert acme.get(ann)["roles"][0]["value"] == "DefaultEnterprise"
    assert "No user would change." in text(admin.post(path, 200, name="User", groups="Other", preview="on").text)
    assert "saved" in text(admin.follow(path, name="User", aliases="", groups="Sales"))
    assert acme.get(ann)["roles"][0]["value"] == "User"
    assert "Sales" in text(admin.get(f"{of(acme)}/roles"))


def test_an_error_of_a_preview_is_beside_its_field(acme: Enterprise, admin: Console, cli: Cli) -> None:
    cli("role", "update", "Acme", "Power Signer", "--group", "Sales")

    page = admin.post(role_path(acme, cli, "User"), 409, name="User", groups="Sales", preview="on").text

    assert "already gives the role" in text(page)


def test_the_user_s_page_and_explain_say_why(
    acme: Enterprise, admin: Console, api: Api, cli: Cli, groups: ScimGroups, ann: dict[str, Any]
) -> None:
    groups.create("Sales", [ann["id"]])
    groups.create("Others", [ann["id"]])
    cli("role", "update", "Acme", "User", "--group", "Sales")

    words = text(admin.get(f"{of(acme)}/users/{ann['id']}"))
    assert "The role comes from the group Sales :" in words
    assert "because of a group" in words or "because the role changed" in words
    asked = {"method": "PATCH", "path": f"/Users/{ann['id']}", "body": patch_body({"op": "remove", "path": "roles"})}
    explained = api.send("POST", "/explain", asked).get_json()
    assert explained["role"] == {
        "name": "User",
        "reason": "The request has no role, so the user gets the first role that the user's groups give.",
    }
    [member] = [group for group in api.get("/groups")["items"] if group["name"] == "Sales"]
    assert member["role"] == "User"
