"""Groups as a SCIM resource: create, read, replace, delete, versions, projections and refusals."""

from typing import Any

import pytest
from flask import Flask

from tests.support.apps import make_enterprise
from tests.support.client import SCIM, Enterprise, assert_scim_error, patch_body, replace
from tests.support.records import feed_of, log_of
from tests.support.scim_groups import (
    create_group,
    create_users,
    get_group,
    group_body,
    listed,
    member_ids,
    patch_group,
    tag_of,
)
from tests.support.types import Cli, MakeApp
from tests.support.urns import GROUP_URN, USER_URN

BASE = f"http://localhost{SCIM}"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def test_a_group_is_answered_with_its_members_in_the_order_of_joining(acme: Enterprise) -> None:
    ada, bob = create_users(acme, 2)

    answer = acme.send("POST", "/Groups", group_body("Sales", [bob, ada], externalId="e-1"))

    group = answer.get_json()
    location = f"{BASE}/Groups/{group['id']}"
    assert (answer.status_code, answer.headers["Location"], answer.headers["ETag"]) == (201, location, tag_of(group))
    assert group == {
        "schemas": [GROUP_URN],
        "id": group["id"],
        "externalId": "e-1",
        "displayName": "Sales",
        "members": [
            {"value": each, "type": "User", "$ref": f"{BASE}/Users/{each}", "display": "Test User"}
            for each in (bob, ada)
        ],
        "meta": {
            "resourceType": "Group",
            "created": group["meta"]["created"],
            "lastModified": group["meta"]["created"],
            "location": location,
            "version": tag_of(group),
        },
    }
    assert get_group(acme, group) == group


def test_an_empty_group_has_an_empty_list_of_members(acme: Enterprise) -> None:
    group = create_group(acme)

    assert group["members"] == get_group(acme, group)["members"] == []
    (in_list,) = acme.send("GET", "/Groups").get_json()["Resources"]
    assert in_list == group


def test_the_display_of_a_member_is_the_display_name_or_else_the_user_name(acme: Enterprise) -> None:
    named = acme.create(displayName="Ada Lovelace", userName="ada")["id"]
    other = acme.create(email="bob@contoso.example", userName="bob")["id"]

    group = create_group(acme, members=[named, other])

    assert [member["display"] for member in group["members"]] == ["Ada Lovelace", "bob"]


def test_a_long_display_name_is_cut_in_the_members_of_a_group(acme: Enterprise) -> None:
    user = acme.create(displayName="\N{GRINNING FACE}" * 5_000)
    group = create_group(acme, members=[user["id"]])

    (in_list,) = acme.send("GET", "/Groups").get_json()["Resources"]

    assert [member["display"] for member in group["members"]] == ["\N{GRINNING FACE}" * 512]
    assert in_list == group == get_group(acme, group)


def test_an_empty_selection_is_as_good_as_none(acme: Enterprise) -> None:
    group = create_group(acme)

    answer = acme.send(
        "PATCH", f"/Groups/{group['id']}?attributes=&excludedAttributes=", patch_body(replace("displayName", "New"))
    )

    assert (answer.status_code, answer.data) == (204, b"")


def test_a_put_replaces_attributes_and_members(acme: Enterprise) -> None:
    ada, bob, eve = create_users(acme, 3)
    group = create_group(acme, "Sales", [ada, bob], externalId="e-1")

    answer = acme.send("PUT", f"/Groups/{group['id']}", group_body("Support", [eve, bob]))

    changed = answer.get_json()
    assert (answer.status_code, answer.headers["Content-Location"]) == (200, group["meta"]["location"])
    assert (changed["displayName"], "externalId" in changed) == ("Support", False)
    assert changed["meta"]["version"] == tag_of(changed, 2)
    assert [member["value"] for member in changed["members"]] == [bob, eve]
    assert get_group(acme, group) == changed


@pytest.mark.parametrize("members", [{}, {"members": None}, {"members": []}])
def test_a_put_without_members_clears_them(acme: Enterprise, members: dict[str, Any]) -> None:
    group = create_group(acme, members=create_users(acme, 2))

    answer = acme.send("PUT", f"/Groups/{group['id']}", group_body() | members)

    assert (answer.status_code, answer.get_json()["members"]) == (200, [])
    assert member_ids(acme, group) == []


def test_a_put_that_changes_nothing_keeps_the_version(acme: Enterprise) -> None:
    group = create_group(acme, members=create_users(acme, 2))
    changes = feed_of(acme)

    answer = acme.send("PUT", f"/Groups/{group['id']}", group)

    assert answer.get_json() == group
    assert feed_of(acme) == changes


def test_a_deleted_group_frees_its_name_and_leaves_the_users(acme: Enterprise) -> None:
    (user,) = create_users(acme, 1)
    group = create_group(acme, members=[user])

    answer = acme.send("DELETE", f"/Groups/{group['id']}")

    assert (answer.status_code, answer.data) == (204, b"")
    assert_scim_error(acme.send("GET", f"/Groups/{group['id']}"), 404, None, group["id"])
    assert acme.send("GET", f"/Users/{user}").status_code == 200
    assert create_group(acme, members=[user])["id"] != group["id"]


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("group_id", ["1", UNKNOWN, "x/y", "%00", "G" * 3000])
def test_an_unknown_group_is_404(acme: Enterprise, method: str, group_id: str) -> None:
    body = {"PUT": group_body(), "PATCH": {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                                           "Operations": [replace("displayName", "x")]}}  # fmt: skip

    assert_scim_error(acme.send(method, f"/Groups/{group_id}", body.get(method)), 404, None, "No group has the ID")


def test_a_user_is_not_a_group_and_a_group_is_not_a_user(acme: Enterprise) -> None:
    user, group = acme.create(), create_group(acme)

    assert acme.send("GET", f"/Groups/{user['id']}").status_code == 404
    assert acme.send("DELETE", f"/Users/{group['id']}").status_code == 404


@pytest.mark.parametrize("name", ["sales", "SALES", "Sales"])
def test_a_taken_name_is_409_and_names_the_holder(acme: Enterprise, name: str) -> None:
    holder, other = create_group(acme, "Sales"), create_group(acme, "Other")

    refused = acme.send("POST", "/Groups", group_body(name))
    renamed = patch_group(acme, other, replace("displayName", name))

    for answer in (refused, renamed, acme.send("PUT", f"/Groups/{other['id']}", group_body(name))):
        assert_scim_error(answer, 409, "uniqueness", holder["id"], f"'{name}'")
    assert get_group(acme, other) == other
    assert [entry["group"] for entry in log_of(acme, outcome="refused")] == ["Other", "Other", name]


def test_a_group_may_change_the_case_of_its_name(acme: Enterprise) -> None:
    group = create_group(acme, "Sales")

    assert patch_group(acme, group, replace("displayName", "SALES")).status_code == 204
    assert get_group(acme, group)["displayName"] == "SALES"


def test_duplicate_names_are_allowed_where_the_enterprise_allows_them(acme: Enterprise, cli: Cli) -> None:
    cli("enterprise", "update", "Acme", "--no-unique-group-name")

    groups = [create_group(acme, "Sales", externalId=each) for each in ("a", "b")]

    found = acme.send("GET", "/Groups", query={"filter": 'displayName eq "sales"'}).get_json()["Resources"]
    assert sorted(found, key=lambda group: str(group["externalId"])) == groups


@pytest.mark.parametrize(
    ("body", "scim_type", "words"),
    [
        ([], "invalidSyntax", ["SCIM Group"]),
        ({"schemas": [USER_URN], "displayName": "x"}, "invalidSyntax", [GROUP_URN]),
        (group_body(None), "invalidValue", ["displayName is missing"]),
        (group_body(""), "invalidValue", ["displayName is missing"]),
        (group_body(7), "invalidValue", ["displayName", "a string"]),
        (group_body("x" * 513), "invalidValue", ["displayName", "513", "512"]),
        (group_body(externalId="x" * 513), "invalidValue", ["externalId", "512"]),
        (group_body() | {"members": 7}, "invalidValue", ["members"]),
        (group_body() | {"members": [7]}, "invalidValue", ["members"]),
        (group_body() | {"members": [{"value": 7}]}, "invalidValue", ["members.value", "a string"]),
        (group_body() | {"members": [{"display": "Ada"}]}, "invalidValue", ["no value"]),
        (group_body() | {"members": [{"value": UNKNOWN, "VALUE": UNKNOWN}]}, "invalidSyntax", ["twice"]),
        (group_body() | {"displayname": "y"}, "invalidSyntax", ["twice"]),
        (group_body(members=[UNKNOWN]), "invalidValue", [UNKNOWN, "do not exist in Acme"]),
        (group_body(members=["a'; DROP TABLE groups"]), "invalidValue", ["DROP TABLE"]),
        (group_body() | {"members": [{"value": UNKNOWN, "type": "Group"}]}, "invalidValue", [UNKNOWN, "is a group"]),
    ],
)
def test_a_malformed_group_is_refused(acme: Enterprise, body: Any, scim_type: str, words: list[str]) -> None:
    assert_scim_error(acme.send("POST", "/Groups", body), 400, scim_type, *words)
    assert acme.send("GET", "/Groups").get_json()["totalResults"] == 0


def test_a_name_of_512_characters_is_accepted(acme: Enterprise) -> None:
    name = "\N{GRINNING FACE}" * 512

    assert get_group(acme, create_group(acme, name))["displayName"] == name


def test_a_group_cannot_be_a_member(acme: Enterprise) -> None:
    (user,) = create_users(acme, 1)
    inner, outer = create_group(acme, "Inner"), create_group(acme, "Outer", [user])

    for answer in (
        acme.send("POST", "/Groups", group_body("New", [user, inner["id"]])),
        patch_group(acme, outer, {"op": "add", "path": "members", "value": listed([inner["id"]])}),
        acme.send("PUT", f"/Groups/{outer['id']}", group_body("Outer", [inner["id"]])),
    ):
        assert_scim_error(answer, 400, "invalidValue", inner["id"], "is a group")
    assert get_group(acme, outer) == outer


def test_users_of_another_enterprise_are_unknown(app: Flask, acme: Enterprise) -> None:
    globex = make_enterprise(app, "Globex")
    (stranger,) = create_users(globex, 1)
    (user,) = create_users(acme, 1)
    group, foreign = create_group(acme, members=[user]), create_group(globex)

    refused = patch_group(acme, group, {"op": "add", "path": "members", "value": listed([stranger])})

    assert_scim_error(refused, 400, "invalidValue", stranger, "do not exist in Acme")
    assert patch_group(acme, group, {"op": "remove", "path": "members", "value": listed([stranger])}).status_code == 204
    assert patch_group(acme, foreign, replace("displayName", "x")).status_code == 404
    assert_scim_error(
        patch_group(acme, group, {"op": "add", "path": "members", "value": listed([foreign["id"]])}),
        400, "invalidValue", "do not exist",
    )  # fmt: skip
    assert get_group(acme, group) == group


def test_a_refusal_names_at_most_ten_unknown_members(acme: Enterprise) -> None:
    unknown = [f"missing-{number:02}" for number in range(30)]

    detail = acme.send("POST", "/Groups", group_body(members=unknown)).get_json()["detail"]

    assert [each for each in unknown if each in detail] == unknown[:10]
    assert "and 20 more" in detail


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
def test_preconditions_protect_a_group(acme: Enterprise, header: str) -> None:
    group = create_group(acme)
    tag = tag_of(group)
    other = {"If-Match": 'W/"9"', "If-None-Match": tag}[header]
    present = {"If-Match": tag, "If-None-Match": 'W/"9"'}[header]
    rename = replace("displayName", "New")

    for answer in (
        patch_group(acme, group, rename, headers={header: other}),
        acme.send("PUT", f"/Groups/{group['id']}", group_body("New"), headers={header: other}),
        acme.send("DELETE", f"/Groups/{group['id']}", headers={header: other}),
    ):
        assert_scim_error(answer, 412, None, tag)
    assert patch_group(acme, group, rename, headers={header: present}).status_code == 204


def test_an_unchanged_group_is_not_sent_again(acme: Enterprise) -> None:
    group = create_group(acme)
    path, tag, other = f"/Groups/{group['id']}", tag_of(group), tag_of(group, 2)

    unchanged = acme.send("GET", path, headers={"If-None-Match": tag})

    assert (unchanged.status_code, unchanged.data, unchanged.headers["ETag"]) == (304, b"", tag)
    assert acme.send("GET", path, headers={"If-None-Match": other}).status_code == 200
    assert acme.send("GET", path, headers={"If-Match": other}).status_code == 412


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"excludedAttributes": "members"}, ["schemas", "id", "displayName", "meta"]),
        ({"attributes": "displayName"}, ["schemas", "id", "displayName"]),
        ({"attributes": "members.value"}, ["schemas", "id", "members"]),
        ({"excludedAttributes": "members.display,meta"}, ["schemas", "id", "displayName", "members"]),
        ({"attributes": f"{GROUP_URN}:members"}, ["schemas", "id", "members"]),
    ],
)
def test_answers_have_the_selected_attributes(acme: Enterprise, query: dict[str, str], names: list[str]) -> None:
    group = create_group(acme, members=create_users(acme, 1))
    path = f"/Groups/{group['id']}"

    for answer in (
        acme.send("GET", path, query=query),
        acme.send("PUT", path, group, query=query),
        acme.send("PATCH", path, {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                                  "Operations": [replace("displayName", "Sales")]}, query=query),
    ):  # fmt: skip
        assert (answer.status_code, list(answer.get_json())) == (200, names)
    (in_list,) = acme.send("GET", "/Groups", query=query).get_json()["Resources"]
    assert list(in_list) == names


def test_a_paused_enterprise_answers_writes_to_groups_with_503(acme: Enterprise, cli: Cli) -> None:
    group = create_group(acme)
    cli("enterprise", "pause", "Acme")

    for method, path in (("POST", "/Groups"), ("PUT", f"/Groups/{group['id']}"), ("DELETE", f"/Groups/{group['id']}")):
        answer = acme.send(method, path, group_body("New") if method != "DELETE" else None)
        assert_scim_error(answer, 503, None)
        assert "Retry-After" in answer.headers
    assert get_group(acme, group) == group


def test_each_write_has_entries_in_the_log_and_the_feed(acme: Enterprise) -> None:
    ada, bob = create_users(acme, 2)
    before = len(feed_of(acme)["items"])
    group = create_group(acme, "Sales", [ada])
    path = f"/Groups/{group['id']}"
    patch_group(
        acme, group, replace("displayName", "Support"), {"op": "add", "path": "members", "value": listed([bob])}
    )
    acme.send("PUT", path, group_body("Support", [bob]))
    acme.send("DELETE", path)

    logged = [
        (entry["operation"], entry["status"], entry["group"], entry["changed"])
        for entry in log_of(acme)[::-1]
        if entry["group_id"] == group["id"]
    ]
    changes = [
        (change["type"], change["group"], change["changed"], change["members"])
        for change in feed_of(acme)["items"][before:]
    ]

    assert logged == [
        ("create", 201, "Sales", ["displayName", "members"]),
        ("patch", 204, "Support", ["displayName", "members"]),
        ("replace", 200, "Support", ["members"]),
        ("delete", 204, "Support", []),
    ]
    assert changes == [
        ("group_created", "Sales", ["displayName"], None),
        ("members_added", "Sales", [], [ada]),
        ("group_updated", "Support", ["displayName"], None),
        ("members_added", "Support", [], [bob]),
        ("members_removed", "Support", [], [ada]),
        ("group_deleted", "Support", [], None),
    ]


def test_a_quota_of_groups_is_exact(make_app: MakeApp, acme: Enterprise) -> None:
    narrow = Enterprise(make_app(MAX_GROUPS="2"), acme.made, acme.token)
    for name in ("A", "B"):
        create_group(narrow, name)

    assert_scim_error(narrow.send("POST", "/Groups", group_body("C")), 400, None, "2 groups")
    assert acme.send("DELETE", f"/Groups/{create_group(acme, 'D')['id']}").status_code == 204


def test_a_quota_of_memberships_is_exact(make_app: MakeApp, acme: Enterprise) -> None:
    narrow = Enterprise(make_app(MAX_MEMBERSHIPS="3"), acme.made, acme.token)
    users = create_users(narrow, 3)
    group = create_group(narrow, "A", users[:2])
    path = f"/Groups/{group['id']}"

    assert narrow.send("PUT", path, group_body("A", users)).status_code == 200
    assert_scim_error(narrow.send("POST", "/Groups", group_body("B", users[:1])), 400, None, "3 members of groups")
    assert narrow.send("PUT", path, group_body("A", users[:1])).status_code == 200
