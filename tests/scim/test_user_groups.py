"""The groups of a user: in answers, and after the deletion of the user."""

import json
from typing import Any

import pytest

from scimsvc.store import user_groups
from scimsvc.store.group_representations import StoredGroup
from tests.support.client import Api, Enterprise, replace, user_body
from tests.support.groups import memberships, store_group
from tests.support.types import Cli


def types_and_members(api: Api) -> list[tuple[str, Any]]:
    return [(entry["type"], entry.get("members") or entry["user_id"]) for entry in api.get("/changes")["items"]]


def test_a_deleted_user_leaves_all_groups(acme: Enterprise, api: Api) -> None:
    user, other = acme.create(), acme.create(email="other@contoso.example")
    groups = sorted(store_group(acme, name, [user["id"], other["id"]]) for name in ("A", "B"))
    store_group(acme, "C", [other["id"]])

    assert acme.send("DELETE", f"/Users/{user['id']}").status_code == 204

    assert all(user["id"] not in members for members in memberships(acme).values())
    entries = api.get("/changes")["items"][2:]
    assert [(entry["type"], entry.get("group_id"), entry.get("members")) for entry in entries] == [
        ("members_removed", groups[0].id, [user["id"]]),
        ("members_removed", groups[1].id, [user["id"]]),
        ("deleted", None, None),
    ]


def test_a_deleted_manual_user_leaves_all_groups(acme: Enterprise, api: Api, cli: Cli) -> None:
    user = cli("user", "create", "Acme", "a@x.example", "--user-name", "A")
    group = store_group(acme, "A", [user["id"]])

    cli("user", "delete", "Acme", "a@x.example", "--yes")

    assert memberships(acme) == {}
    assert types_and_members(api) == [
        ("created", user["id"]), ("members_removed", [user["id"]]), ("deleted", user["id"]),
    ]  # fmt: skip
    assert api.get("/changes")["items"][1]["group_id"] == group.id


def test_a_disabled_user_stays_a_member(acme: Enterprise) -> None:
    user = acme.create()
    group = store_group(acme, "A", [user["id"]])

    acme.patch(user, {"op": "replace", "path": "active", "value": False})

    assert memberships(acme) == {group.id: [user["id"]]}


@pytest.mark.requirement("R2")
def test_the_deletion_of_an_enterprise_deletes_its_groups(acme: Enterprise, cli: Cli) -> None:
    user = acme.create()
    store_group(acme, "A", [user["id"]])

    cli("enterprise", "delete", "Acme", "--yes")

    rows = cli("check")["rows"]
    assert (rows["groups"], rows["group_members"], rows["users"]) == (0, 0, 0)


def shown(enterprise: Enterprise, *groups: StoredGroup) -> list[dict[str, str]]:
    """Return the groups of a user as an answer shows them."""
    return [
        {
            "value": group.id,
            "$ref": f"http://localhost/api/scim/v2/Groups/{group.id}",
            "display": json.loads(group.document)["displayName"],
            "type": "direct",
        }
        for group in sorted(groups)
    ]


def test_answers_have_the_groups_of_the_user(acme: Enterprise) -> None:
    user, other = acme.create(), acme.create(email="other@contoso.example")
    first, second = store_group(acme, 'Ä "1"', [user["id"]]), store_group(acme, "B", [user["id"], other["id"]])
    both = shown(acme, first, second)

    got = acme.get(user)
    patched = acme.patch(user, replace("title", "T")).get_json()
    same = acme.patch(user, replace("title", "T")).get_json()
    put = acme.send("PUT", f"/Users/{user['id']}", user_body()).get_json()
    matched = acme.find('emails[type eq "work"].value eq "test.user@contoso.example"')
    searched = acme.find('title eq "T" or id pr', sortBy="userName")
    (listed,) = [each for each in acme.send("GET", "/Users").get_json()["Resources"] if each["id"] == user["id"]]
    (one,) = acme.find('emails[type eq "work"].value eq "other@contoso.example"')

    for answer in (got, patched, same, put, matched[0], listed):
        assert answer["groups"] == both
    assert [each["groups"] for each in searched if each["id"] == user["id"]] == [both]
    assert one["groups"] == shown(acme, second)
    assert got["meta"]["version"] == user["meta"]["version"]


def test_a_user_without_groups_has_no_attribute_for_them(acme: Enterprise) -> None:
    user = acme.create()
    before = acme.get(user)
    store_group(acme, "A", [acme.create(email="other@contoso.example")["id"]])

    assert "groups" not in before
    assert acme.get(user) == before
    assert [each for each in acme.find("userName pr") if each["id"] == user["id"]] == [before]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"attributes": "userName"}, {"userName"}),
        ({"attributes": "groups"}, {"groups"}),
        ({"attributes": "groups.display"}, {"groups"}),
        ({"excludedAttributes": "groups,meta,emails,active,roles"}, {"userName"}),
    ],
)
def test_projections_select_the_groups(acme: Enterprise, query: dict[str, str], expected: set[str]) -> None:
    user = acme.create()
    group = store_group(acme, "A", [user["id"]])

    (listed,) = acme.send("GET", "/Users", query=query).get_json()["Resources"]
    got = acme.send("GET", f"/Users/{user['id']}", query=query).get_json()

    assert listed == got
    assert set(got) - {"id", "schemas"} == expected
    if query.get("attributes") == "groups.display":
        assert got["groups"] == [{"display": "A"}]
    elif "groups" in expected:
        assert got["groups"] == shown(acme, group)


def test_groups_in_a_body_are_ignored(acme: Enterprise) -> None:
    group = store_group(acme, "A")

    user = acme.create(groups=[{"value": group.id}])

    assert "groups" not in acme.get(user)
    assert memberships(acme) == {}


@pytest.mark.parametrize("query", [{}, {"sortBy": "userName"}, {"filter": "active eq true", "sortBy": "id"}])
def test_a_page_ends_early_if_its_users_have_too_many_groups(
    acme: Enterprise, monkeypatch: pytest.MonkeyPatch, query: dict[str, str]
) -> None:
    monkeypatch.setattr(user_groups, "MOST_ON_PAGE", 5)
    users = [acme.create(email=f"{number}@x.example", userName=f"U{number}")["id"] for number in range(6)]
    for number, members in enumerate([users[:3], users[:3], users[2:5], *[users[4:5]] * 7]):
        store_group(acme, f"G{number}", members)
    everyone = {user["id"]: user.get("groups", []) for user in map(acme.get, ({"id": each} for each in users))}

    by_index, start = [], 1
    while start <= len(users):
        page = acme.send("GET", "/Users", query=query | {"startIndex": str(start)}).get_json()
        by_index += page["Resources"]
        start += page["itemsPerPage"]
    by_cursor, pages = [], 0
    cursor: str | None = ""
    while cursor is not None:
        page = acme.send("GET", "/Users", query=query | {"cursor": cursor}).get_json()
        by_cursor += page["Resources"]
        cursor, pages = page.get("nextCursor"), pages + 1

    assert by_index == by_cursor
    assert {user["id"]: user.get("groups", []) for user in by_index} == everyone
    assert [len(groups) for groups in everyone.values()] == [2, 2, 3, 1, 8, 0]
    assert len(by_index) == 6
    assert pages > 2
    assert page["totalResults"] == 6
