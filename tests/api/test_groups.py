"""The enterprise API and the commands show groups, their members, and the groups of users."""

from typing import Any

import pytest
from flask import Flask

from scimsvc.store.groups import GroupNameTaken
from tests.support.apps import make_api, make_enterprise
from tests.support.client import Api, Enterprise, assert_problem, replace
from tests.support.commands import refusal
from tests.support.groups import AT, store_group, store_users
from tests.support.types import Cli


def test_a_group_has_its_size_and_version(acme: Enterprise, api: Api) -> None:
    users = store_users(acme, 3)
    group = store_group(acme, "Sales", users, externalId="e-1")

    shown = api.get(f"/groups/{group.id}")

    assert shown == {
        "id": group.id, "name": "Sales", "external_id": "e-1", "members": 3, "role": None, "created_at": AT, "modified_at": AT,
        "version": 1,
    }  # fmt: skip
    assert api.get("/groups") == {"items": [shown], "next": None}


def test_groups_are_listed_by_name_in_pages(acme: Enterprise, api: Api) -> None:
    names = ["straße 2", "Ä", "STRASSE 1", "b", "B 2"]
    for name in names:
        store_group(acme, name)

    first = api.get("/groups", limit="2")

    assert [each["name"] for each in api.pages("/groups", limit="2")] == sorted(names, key=str.casefold)
    assert len(first["items"]) == 2
    assert [each["name"] for each in api.get("/groups", name="STRASSE 2")["items"]] == ["straße 2"]
    assert api.get("/groups", external_id="none")["items"] == []
    assert_problem(api.send("GET", "/groups", query={"size": "1"}), 400, "size")


def test_members_are_listed_in_the_order_of_joining(acme: Enterprise, api: Api) -> None:
    first = acme.create(email="First@x.example", userName="First")
    second = acme.create(email="second@x.example", userName="Second", active=False)
    group = store_group(acme, "Sales", [second["id"], first["id"]])

    members = api.get(f"/groups/{group.id}/members")["items"]

    assert members == [
        {"id": second["id"], "email": "second@x.example", "user_name": "Second", "active": False},
        {"id": first["id"], "email": "First@x.example", "user_name": "First", "active": True},
    ]
    assert api.pages(f"/groups/{group.id}/members", limit="1") == members


def test_a_cursor_of_members_is_valid_for_one_group(acme: Enterprise, api: Api) -> None:
    users = store_users(acme, 3)
    one, other = store_group(acme, "A", users), store_group(acme, "B", users)
    cursor = api.get(f"/groups/{one.id}/members", limit="1")["next"]

    answer = api.send("GET", f"/groups/{other.id}/members", query={"limit": "1", "cursor": cursor})

    assert_problem(answer, 400, "cursor", fields={"cursor"})


def test_a_user_has_the_groups(acme: Enterprise, api: Api, cli: Cli) -> None:
    user, other = acme.create(), acme.create(email="other@x.example")
    groups = [store_group(acme, name, [user["id"]]) for name in ("A", "B")]
    expected = sorted(({"id": group.id, "name": name} for group, name in zip(groups, "AB", strict=True)), key=_id)

    assert api.get(f"/users/{user['id']}")["groups"] == expected
    assert api.get(f"/users/{other['id']}")["groups"] == []
    assert cli("user", "show", "Acme", user["id"])["groups"] == expected
    assert "groups" not in api.get("/users")["items"][0]


def _id(group: dict[str, Any]) -> Any:
    return group["id"]


def test_the_entity_tag_of_a_user_follows_the_groups(acme: Enterprise, api: Api) -> None:
    user = api.send("POST", "/users", {"email": "a@x.example", "user_name": "A"})
    path = f"/users/{user.get_json()['id']}"
    store_group(acme, "A", [user.get_json()["id"]])
    now = api.send("GET", path).headers["ETag"]

    stale = api.send("PATCH", path, {"title": "T"}, headers={"If-Match": user.headers["ETag"]})
    fresh = api.send("PATCH", path, {"title": "T"}, headers={"If-Match": now})

    assert (stale.status_code, fresh.status_code) == (412, 200)
    assert [group["name"] for group in fresh.get_json()["groups"]] == ["A"]
    assert fresh.headers["ETag"] == api.send("GET", path).headers["ETag"]


def test_users_are_listed_by_group(acme: Enterprise, api: Api, cli: Cli) -> None:
    users = store_users(acme, 4)
    group = store_group(acme, "Sales", [users[2], users[0]])
    acme.patch({"id": users[2]}, replace("active", False))

    def found(**query: str) -> list[str]:
        return [each["id"] for each in api.pages("/users", limit="1", **query)]

    assert found(group=group.id) == found(group="sales") == [users[0], users[2]]
    assert found(group="sales", active="true") == [users[0]]
    assert [each["id"] for each in cli("user", "list", "Acme", "--group", "Sales")] == [users[0], users[2]]
    assert_problem(api.send("GET", "/users", query={"group": "none"}), 400, "'none'", fields={"group"})


def test_a_name_of_several_groups_needs_the_id(acme: Enterprise, api: Api, cli: Cli) -> None:
    cli("enterprise", "update", "Acme", "--no-unique-group-name")
    one, other = (store_group(acme, name, unique=False) for name in ("Sales", "sales"))

    assert "Several groups" in refusal(acme.app, "group", "show", "Acme", "SALES")
    assert_problem(api.send("GET", "/users", query={"group": "sales"}), 400, "Several groups", fields={"group"})
    assert [api.get(f"/groups/{each.id}")["id"] for each in (one, other)] == [one.id, other.id]
    assert "Several groups" in refusal(acme.app, "enterprise", "update", "Acme", "--unique-group-name")


def test_unique_names_can_be_required_again(acme: Enterprise, cli: Cli) -> None:
    cli("enterprise", "update", "Acme", "--no-unique-group-name")
    store_group(acme, "Sales", unique=False)

    assert cli("enterprise", "update", "Acme", "--unique-group-name")["unique_group_name"] is True
    with pytest.raises(GroupNameTaken):
        store_group(acme, "SALES")


@pytest.mark.requirement("R2")
def test_groups_of_another_enterprise_do_not_exist(acme: Enterprise, api: Api, app: Flask) -> None:
    rival = make_api(make_enterprise(app, "Rival"))
    theirs = store_group(rival.enterprise, "Secret", [rival.enterprise.create()["id"]])
    unknown = "00000000-0000-4000-8000-000000000000"

    for path in (f"/groups/{theirs.id}", f"/groups/{theirs.id}/members"):
        answer, expected = api.send("GET", path), api.send("GET", path.replace(theirs.id, unknown))
        assert answer.status_code == expected.status_code == 404
        assert answer.get_data() == expected.get_data()
    for reference in (theirs.id, "Secret"):
        assert_problem(api.send("GET", "/users", query={"group": reference}), 400, reference, fields={"group"})
    assert api.get("/groups")["items"] == []
    assert api.get("/groups", name="Secret")["items"] == []


def test_the_commands_show_groups_and_members(acme: Enterprise, api: Api, cli: Cli) -> None:
    users = store_users(acme, 3)
    group = store_group(acme, "Sales", reversed(users))

    assert cli("group", "list", "Acme") == api.get("/groups")["items"]
    assert cli("group", "show", "Acme", "SALES") == api.get(f"/groups/{group.id}")
    assert [each["id"] for each in cli("group", "members", "Acme", group.id)] == users[::-1]
    assert "'Other'" in refusal(acme.app, "group", "show", "Acme", "Other")


def test_a_change_of_a_role_is_previewed(acme: Enterprise, api: Api) -> None:
    users = store_users(acme, 25)
    store_group(acme, "Sales", users)
    role = next(role for role in api.get("/roles")["items"] if role["name"] == "User")
    path = f"/roles/{role['id']}/preview"

    preview = api.send("POST", path, {"groups": ["Sales"]})

    assert preview.status_code == 200
    assert preview.get_json()["users"] == 25
    assert len(preview.get_json()["changes"]) == 20
    assert preview.get_json()["changes"][0] == {
        "email": preview.get_json()["changes"][0]["email"], "user_id": preview.get_json()["changes"][0]["user_id"],
        "old_role": "DefaultEnterprise", "role": "User",
    }  # fmt: skip
    assert {change["user_id"] for change in preview.get_json()["changes"]} < set(users)
    assert api.send("POST", path, {"groups": ["Others"]}).get_json() == {"users": 0, "changes": []}
    assert api.get(f"/roles/{role['id']}") == role
    assert_problem(api.send("POST", path, {"groups": "Sales"}), 400, "groups: Enter a list of names.")
    assert_problem(api.send("POST", "/roles/none/preview", {}), 404, "role")
