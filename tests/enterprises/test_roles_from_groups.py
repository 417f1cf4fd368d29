"""Groups give roles: applied to all users concerned, with an entry in the feed for each (contract section 7)."""

import random
from typing import Any

import pytest
from sqlalchemy import select

from scimsvc.extensions import db
from scimsvc.mapping.preview import preview_change
from scimsvc.mapping.resolve import Role, effective_role
from scimsvc.models import GroupMember, RoleGroup, User
from scimsvc.models import Role as RoleTable
from tests.support.client import Api, Enterprise, assert_problem, assert_scim_error, replace, user_body
from tests.support.groups import ScimGroups
from tests.support.records import changes_of, feed_of
from tests.support.types import Cli

DEFAULT = "DefaultEnterprise"


@pytest.fixture
def groups(acme: Enterprise) -> ScimGroups:
    return ScimGroups(acme)


@pytest.fixture
def ann(acme: Enterprise) -> dict[str, Any]:
    return acme.create(email="ann@x.example")


@pytest.fixture
def bob(acme: Enterprise) -> dict[str, Any]:
    return acme.create(email="bob@x.example")


def role_of(api: Api, user: dict[str, Any]) -> tuple[str, str]:
    shown = api.get(f"/users/{user['id']}")
    return shown["role"], shown["role_source"]


def element(acme: Enterprise, user: dict[str, Any]) -> Any:
    return acme.get(user)["roles"]


def test_a_member_has_the_role_of_the_group(
    acme: Enterprise, api: Api, cli: Cli, groups: ScimGroups, ann: dict[str, Any], bob: dict[str, Any]
) -> None:
    sales = groups.create("Sales", [ann["id"]])

    assert cli("role", "update", "Acme", "User", "--group", "sales")["groups"] == ["Sales"]

    assert role_of(api, ann) == ("User", "group")
    assert role_of(api, bob) == (DEFAULT, "default")
    assert element(acme, ann) == [{"value": "User", "primary": True}]
    assert acme.get(ann)["meta"]["version"].startswith('W/"2-')
    assert changes_of(acme, ann["id"])[1:] == [
        {"type": "updated", "email": "ann@x.example", "changed": ["roles"], "role": "User", "active": True,
         "old_role": DEFAULT, "old_active": True}
    ]  # fmt: skip
    groups.change(sales, add=[bob["id"]], remove=[ann["id"]])
    assert (role_of(api, ann), role_of(api, bob)) == ((DEFAULT, "default"), ("User", "group"))
    assert [changes_of(acme, user["id"])[-1]["role"] for user in (ann, bob)] == [DEFAULT, "User"]
    before = feed_of(acme)["next"]
    groups.change(sales, add=[bob["id"]], remove=[ann["id"]])
    assert feed_of(acme, before)["items"] == []


def test_a_sent_role_comes_first(acme: Enterprise, api: Api, cli: Cli, groups: ScimGroups, ann: dict[str, Any]) -> None:
    groups.create("Sales", [ann["id"]])
    cli("role", "update", "Acme", "User", "--group", "Sales")

    sent = acme.patch(ann, replace("roles", "PowerSigner")).get_json()
    assert sent["roles"] == [{"value": "PowerSigner"}]
    assert role_of(api, ann) == ("Power Signer", "sent")
    # A repetition of what the answer showed sends no role, also as the answer to a role from groups.
    removed = acme.patch(ann, {"op": "remove", "path": "roles"})
    assert removed.get_json()["roles"] == [{"value": "User", "primary": True}]
    assert role_of(api, ann) == ("User", "group")
    last = changes_of(acme, ann["id"])[-1]
    assert (last["role"], last["old_role"]) == ("User", "Power Signer")
    again = acme.send(
        "PUT", f"/Users/{ann['id']}", {**user_body("ann@x.example"), "roles": removed.get_json()["roles"]}
    )
    assert again.get_json()["meta"]["version"] == removed.get_json()["meta"]["version"]
    assert role_of(api, ann) == ("User", "group")


def test_a_membership_does_not_change_a_sent_role(acme: Enterprise, api: Api, cli: Cli, groups: ScimGroups) -> None:
    user = acme.create(roles=["PowerSigner"])
    cli("role", "update", "Acme", "User", "--group", "Sales")
    before = feed_of(acme)["next"]

    groups.create("Sales", [user["id"]])

    assert acme.get(user)["roles"] == user["roles"]
    assert acme.get(user)["meta"] == user["meta"]
    assert [change["type"] for change in feed_of(acme, before)["items"]] == ["group_created", "members_added"]


def test_the_first_role_in_the_order_counts(
    acme: Enterprise, api: Api, cli: Cli, groups: ScimGroups, ann: dict[str, Any]
) -> None:
    first, second = groups.create("First", [ann["id"]]), groups.create("Second", [ann["id"]])
    cli("role", "update", "Acme", "User", "--group", "First", "--position", "1")
    cli("role", "update", "Acme", "Power Signer", "--group", "Second", "--position", "2")
    assert role_of(api, ann) == ("User", "group")

    cli("role", "update", "Acme", "Power Signer", "--position", "1")
    assert role_of(api, ann) == ("Power Signer", "group")
    groups.delete(second)
    assert role_of(api, ann) == ("User", "group")
    groups.change(first, remove=[ann["id"]])
    assert role_of(api, ann) == (DEFAULT, "default")


def test_a_group_is_named_before_it_exists_and_followed_through_renames(
    acme: Enterprise, api: Api, cli: Cli, groups: ScimGroups, ann: dict[str, Any], bob: dict[str, Any]
) -> None:
    assert cli("role", "update", "Acme", "User", "--group", "STRASSE", "--group", "id-7")["groups"] == [
        "id-7",
        "STRASSE",
    ]

    street = groups.create("Straße", [ann["id"]])
    by_id = groups.create("Seven", [bob["id"]], externalId="id-7")
    assert [role_of(api, user) for user in (ann, bob)] == [("User", "group")] * 2
    groups.rename(street, "Road")
    groups.rename(by_id, "Eight")
    assert [role_of(api, user) for user in (ann, bob)] == [("User", "group")] * 2
    assert ["Eight", "Road"] in [role["groups"] for role in api.pages("/roles")]
    groups.delete(street)
    assert role_of(api, ann) == (DEFAULT, "default")
    other = groups.create("Other", [ann["id"]])
    groups.rename(other, "strasse")
    assert role_of(api, ann) == ("User", "group")


def test_groups_of_a_role_are_replaced_by_the_api(
    acme: Enterprise, api: Api, groups: ScimGroups, ann: dict[str, Any], bob: dict[str, Any]
) -> None:
    groups.create("A", [ann["id"]])
    groups.create("B", [bob["id"]])
    roles = {role["name"]: role["id"] for role in api.pages("/roles")}
    path = f"/roles/{roles['User']}"

    assert api.send("PATCH", path, {"groups": ["A"]}).get_json()["groups"] == ["A"]
    assert api.send("PATCH", path, {"groups": ["b"]}).get_json()["groups"] == ["B"]
    assert [role_of(api, user) for user in (ann, bob)] == [(DEFAULT, "default"), ("User", "group")]
    other = api.send("PATCH", f"/roles/{roles['Power Signer']}", {"groups": ["B"]})
    assert_problem(other, 409, "Group 'B' already gives the role 'User'", fields={"groups"})
    assert api.send("PATCH", path, {"title": 1}).status_code == 400
    assert api.send("PATCH", path, {"groups": []}).get_json()["groups"] == []
    assert role_of(api, bob) == (DEFAULT, "default")
    made = api.send("POST", "/roles", {"name": "New", "groups": ["A"]}).get_json()
    assert (made["groups"], made["users"]) == (["A"], 1)
    assert_problem(api.send("DELETE", f"/roles/{made['id']}"), 409, "1 user has the role 'New'")


def test_an_ambiguous_name_is_refused(acme: Enterprise, api: Api, cli: Cli, groups: ScimGroups) -> None:
    cli("enterprise", "update", "Acme", "--no-unique-group-name")
    ids = [groups.create("Twice"), groups.create("twice")]
    path = f"/roles/{api.pages('/roles')[0]['id']}"

    assert_problem(api.send("PATCH", path, {"groups": ["Twice"]}), 409, "Several groups", fields={"groups"})
    assert api.send("PATCH", path, {"groups": ids[:1]}).get_json()["groups"] == ["Twice"]


def test_a_removed_role_leaves_no_trace(
    acme: Enterprise, api: Api, cli: Cli, groups: ScimGroups, bob: dict[str, Any]
) -> None:
    user = acme.create(roles=["PowerSigner"])
    cli("role", "add", "Acme", "Guest", "--group", "Guests")
    groups.create("Guests", [user["id"]])

    cli("role", "remove", "Acme", "Guest")

    assert acme.patch(user, {"op": "remove", "path": "roles"}).get_json()["roles"] == [
        {"value": DEFAULT, "primary": True}
    ]
    assert cli("check")["faults"] == []


def test_renames_of_roles_reach_users_with_a_role_from_groups(
    acme: Enterprise, api: Api, cli: Cli, groups: ScimGroups, ann: dict[str, Any]
) -> None:
    cli("role", "update", "Acme", "User", "--group", "Sales")
    groups.create("Sales", [ann["id"]])
    before = acme.send("GET", f"/Users/{ann['id']}")

    cli("role", "update", "Acme", "User", "--rename", "Member")

    after = acme.send("GET", f"/Users/{ann['id']}")
    assert after.get_json()["roles"] == [{"value": "Member", "primary": True}]
    assert after.headers["ETag"] != before.headers["ETag"]
    assert changes_of(acme, ann["id"])[-1]["role"] == "Member"
    assert acme.find('roles.value eq "MEMBER"') == acme.find('roles eq "member"') == [after.get_json()]
    assert acme.find('roles[value eq "member" and primary eq true]') == [after.get_json()]
    assert acme.find(f'meta.version eq "{after.headers["ETag"].replace(chr(34), chr(92) + chr(34))}"')
    assert acme.find(f'roles.value eq "{DEFAULT}"') == []


def test_lists_and_counts_see_the_role(
    acme: Enterprise, api: Api, cli: Cli, groups: ScimGroups, ann: dict[str, Any], bob: dict[str, Any]
) -> None:
    cli("role", "update", "Acme", "User", "--group", "Sales")
    groups.create("Sales", [ann["id"]])

    users = {role["name"]: role["users"] for role in api.pages("/roles")}
    assert (users["User"], users[DEFAULT]) == (1, 1)
    assert [user["email"] for user in api.pages("/users", role="User")] == ["ann@x.example"]
    assert [user["email"] for user in api.pages("/users", role=DEFAULT)] == ["bob@x.example"]
    listed = acme.send("GET", "/Users", query={"sortBy": "roles.value"}).get_json()["Resources"]
    assert [user["roles"][0]["value"] for user in listed] == [DEFAULT, "User"]
    assert acme.send("GET", "/Users").get_json()["Resources"] == sorted(listed, key=lambda user: str(user["id"]))
    assert cli("role", "preview", "Acme", "User")["on_default"] == 1


def test_a_change_of_the_default_role_leaves_roles_from_groups(
    acme: Enterprise, api: Api, cli: Cli, groups: ScimGroups, ann: dict[str, Any], bob: dict[str, Any]
) -> None:
    cli("role", "update", "Acme", "User", "--group", "Sales")
    groups.create("Sales", [ann["id"]])

    cli("enterprise", "update", "Acme", "--default-role", "Power Signer")

    assert [role_of(api, user)[0] for user in (ann, bob)] == ["User", "Power Signer"]
    assert [change["role"] for change in changes_of(acme, ann["id"])] == [DEFAULT, "User"]


def test_a_restricting_role_from_a_group_replaces_edits(
    acme: Enterprise, api: Api, cli: Cli, groups: ScimGroups
) -> None:
    user = acme.create(title="Engineer")
    api.send("PATCH", f"/users/{user['id']}/profile", {"title": "Wizard"})
    cli("role", "update", "Acme", "User", "--group", "Sales", "--restrict-editing")

    groups.create("Sales", [user["id"]])

    assert api.get(f"/users/{user['id']}")["title"] == "Engineer"
    assert api.send("PATCH", f"/users/{user['id']}/profile", {"title": "Wizard"}).status_code == 403
    assert changes_of(acme, user["id"])[-1]["changed"] == ["title", "roles"]


def test_the_removal_limit_counts_users_who_would_lose_a_role(
    acme: Enterprise, api: Api, cli: Cli, groups: ScimGroups, ann: dict[str, Any], bob: dict[str, Any]
) -> None:
    cli("role", "update", "Acme", "User", "--group", "Sales", "--group", "Other")
    sales = groups.create("Sales", [ann["id"], bob["id"]])
    groups.create("Other", [bob["id"]])
    cli("enterprise", "update", "Acme", "--removal-limit", "1")

    assert groups.delete(sales).status_code == 204  # Bob keeps the role
    again = groups.create("Sales", [ann["id"], acme.create(email="c@x.example")["id"]])
    refused = groups.delete(again)
    assert_scim_error(refused, 503, None, "Removal limit reached: 2 users would lose a role")
    assert role_of(api, ann) == ("User", "group")


def test_a_preview_changes_nothing(
    acme: Enterprise, api: Api, cli: Cli, groups: ScimGroups, ann: dict[str, Any], bob: dict[str, Any]
) -> None:
    groups.create("Sales", [ann["id"], bob["id"]])

    with acme.app.app_context():
        preview = preview_change("Acme", "User", {"groups": ["Sales"]})

    assert preview["users"] == 2
    assert {(each["email"], each["old_role"], each["role"]) for each in preview["changes"]} == {
        ("ann@x.example", DEFAULT, "User"), ("bob@x.example", DEFAULT, "User")
    }  # fmt: skip
    assert role_of(api, ann) == (DEFAULT, "default")


def _expected(acme: Enterprise) -> dict[str, tuple[str, str]]:
    """Return the role of each user and why, by the pure decision."""
    with acme.app.app_context(), db.engine.connect() as connection:
        rows = connection.execute(select(RoleTable.__table__)).all()
        roles = {row.id: Role(row.id, row.name, row.restrict_editing, row.position) for row in rows}
        default = next(roles[row.id] for row in rows if row.is_default)
        given = {row.group_id: row.role_id for row in connection.execute(select(RoleGroup.__table__))}
        memberships = connection.execute(select(GroupMember.user_id, GroupMember.group_id)).all()
        users = connection.execute(select(User.id, User.role_id)).all()
    expected = {}
    for user in users:
        of_user = [
            roles[given[row.group_id]] for row in memberships if row.user_id == user.id and row.group_id in given
        ]
        role, source = effective_role(roles.get(user.role_id or ""), of_user, default)
        expected[user.id] = role.name, source
    return expected


@pytest.mark.parametrize("seed", range(4))
def test_random_changes_lead_to_the_roles_of_the_pure_decision(
    acme: Enterprise, api: Api, cli: Cli, groups: ScimGroups, seed: int
) -> None:
    rng = random.Random(seed)
    cli("enterprise", "update", "Acme", "--no-unique-group-name")
    users = [acme.create(email=f"{number}@x.example") for number in range(6)]
    ids = [user["id"] for user in users]
    names = [role["name"] for role in cli("role", "list", "Acme")]
    existing: list[str] = []
    known = {user["id"]: DEFAULT for user in users}
    for step in range(25):
        kind = rng.choice(
            ["create", "members", "members", "delete", "give", "take", "move", "send", "remove", "default"]
        )
        role = rng.choice(names)
        if kind == "create" and len(existing) < 4:
            existing.append(groups.create(f"G{rng.randrange(5)}", rng.sample(ids, 3)))
        elif kind == "members" and existing:
            groups.change(rng.choice(existing), add=rng.sample(ids, 2), remove=rng.sample(ids, 2))
        elif kind == "delete" and existing:
            groups.delete(existing.pop(rng.randrange(len(existing))))
        elif kind == "give":
            path = f"/roles/{next(each['id'] for each in api.pages('/roles') if each['name'] == role)}"
            api.send("PATCH", path, {"groups": [rng.choice(existing)] if existing else [f"G{step % 5}"]})
        elif kind == "take":
            path = f"/roles/{next(each['id'] for each in api.pages('/roles') if each['name'] == role)}"
            api.send("PATCH", path, {"groups": []})
        elif kind == "move":
            cli("role", "update", "Acme", role, "--position", str(rng.randint(1, 4)))
        elif kind == "send":
            acme.patch(rng.choice(users), replace("roles", rng.choice(["User", "PowerSigner"])))
        elif kind == "remove":
            acme.patch(rng.choice(users), {"op": "remove", "path": "roles"})
        elif kind == "default":
            cli("enterprise", "update", "Acme", "--default-role", role)

    shown = {user["id"]: (user["role"], user["role_source"]) for user in api.pages("/users")}
    assert shown == _expected(acme)
    assert {
        user["id"]: acme.get(user)["roles"][0]["value"].replace("PowerSigner", "Power Signer") for user in users
    } == {user_id: role for user_id, (role, _) in shown.items()}
    # A consumer of the feed knows the same roles.
    for change in feed_of(acme)["items"]:
        if change["user_id"]:
            assert change["old_role"] in (None, known[change["user_id"]])
            known[change["user_id"]] = change["role"]
    assert known == {user_id: role for user_id, (role, _) in shown.items()}
    assert cli("check")["faults"] == []
