"""PATCH of members in the dialects of all providers, as tables: operations, and the members after them."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.client import Enterprise, assert_scim_error, patch_body, replace
from tests.support.groups import store_users
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
from tests.support.urns import GROUP_URN

UNKNOWN = "00000000-0000-4000-8000-000000000000"
#: The users of a test: a, b and c are members of the group, and d and e are not.
Users = dict[str, str]
Operations = list[dict[str, Any]]


def op(name: str, path: str | None, value: Any = ..., **more: Any) -> dict[str, Any]:
    """Return an operation, without a path if it is None, and without a value by default."""
    members: dict[str, Any] = {"op": name}
    if path is not None:
        members["path"] = path
    return members | ({} if value is ... else {"value": value}) | more


def one(user_id: str) -> str:
    """Return the path of one member."""
    return f'members[value eq "{user_id}"]'


def elements(*user_ids: str) -> list[dict[str, Any]]:
    """Return elements as Entra writes them."""
    return [{"$ref": None, "value": each} for each in user_ids]


#: Operations for the users of a test, and the members after them.
DIALECTS: dict[str, tuple[Callable[[Users], Operations], str]] = {
    # Entra: the default dialect, and the one with the flag aadOptscim062020.
    "Entra adds": (lambda u: [op("Add", "members", elements(u["d"], u["e"]))], "abcde"),
    "Entra removes with a list": (lambda u: [op("Remove", "members", elements(u["a"], u["b"]))], "c"),
    "Entra removes one by a filter": (lambda u: [op("remove", one(u["b"]))], "ac"),
    "Entra adds with a displayName": (
        lambda u: [op("Add", "members", [{"value": u["d"], "displayName": "Dora", "display": "Dora"}])], "abcd"),
    "Entra adds and renames without a path": (
        lambda u: [op("add", None, {"displayName": "New", "members": listed([u["d"]])})], "abcd"),
    # Okta: a rename with the ID before each push, remove and add in one request, and replace with an empty list.
    "Okta renames with the ID": (lambda u: [op("replace", None, {"id": "x", "displayName": "New"})], "abc"),
    "Okta removes and adds": (
        lambda u: [op("remove", one(u["a"])), op("add", "members", [{"value": u["d"], "display": "d@x.example"}])], "bcd"),
    "Okta replaces with an empty list": (lambda u: [op("replace", "members", [])], ""),
    "Okta replaces": (lambda u: [op("replace", "members", listed([u["c"], u["e"]]))], "ce"),
    # authentik: chunks of operations with one member each.
    "authentik adds in chunks": (
        lambda u: [op("add", "members", [{"value": u[each]}]) for each in "de"], "abcde"),
    "authentik removes in chunks": (
        lambda u: [op("remove", "members", [{"value": u[each]}]) for each in "ab"], "c"),
    # Keycloak: three replaces.
    "Keycloak replaces three times": (
        lambda u: [op("replace", "displayName", "New"), op("replace", "externalId", "k"),
                   op("replace", "members", listed([u["b"], u["d"]]))], "bd"),
    # Kits and hand-written clients.
    "remove of all": (lambda u: [op("remove", "members")], ""),
    "remove with null is a remove of all": (lambda u: [op("remove", "members", None)], ""),
    "remove with an empty list removes no one": (lambda u: [op("remove", "members", [])], "abc"),
    "replace with null": (lambda u: [op("replace", "members", None)], ""),
    "replace without a path and null": (lambda u: [op("replace", None, {"members": None})], ""),
    "a filter with or": (lambda u: [op("remove", f'members[value eq "{u["a"]}" or value eq "{u["c"]}"]')], "b"),
    "a filter with a type": (lambda u: [op("remove", f'members[value eq "{u["a"]}" and type eq "User"]')], "bc"),
    "a filter that no member meets": (lambda u: [op("remove", f'members[value eq "{u["a"]}" and type eq "x"]')], "abc"),
    "a filter with an ID in capitals": (lambda u: [op("remove", one(u["a"].upper()))], "bc"),
    "an ID in capitals": (lambda u: [op("add", "members", listed([u["d"].upper()]))], "abcd"),
    "a filter and a value": (lambda u: [op("remove", one(u["a"]), listed([u["a"]]))], "bc"),
    "a filter and another value": (lambda u: [op("remove", one(u["a"]), listed([u["b"]]))], "abc"),
    "add at a filter without a value": (lambda u: [op("add", one(u["d"]))], "abcd"),
    "add at a filter with a value": (lambda u: [op("add", one(u["d"]), {"value": u["d"]})], "abcd"),
    "add at a filter with an empty value": (lambda u: [op("add", one(u["d"]), [])], "abcd"),
    "replace at a filter": (lambda u: [op("replace", one(u["d"]), [{"value": u["d"], "type": "User"}])], "abcd"),
    "bare strings": (lambda u: [op("add", "members", [u["d"], u["e"]])], "abcde"),
    "one bare string": (lambda u: [op("add", "members", u["d"])], "abcd"),
    "one object": (lambda u: [op("remove", "members", {"value": u["a"]})], "bc"),
    "a path as a key": (lambda u: [op("add", None, {one(u["d"]): {}})], "abcd"),
    "a path with the URN": (lambda u: [op("add", f"{GROUP_URN}:members", listed([u["d"]]))], "abcd"),
    "an object under the URN": (lambda u: [op("add", None, {GROUP_URN: {"members": listed([u["d"]])}})], "abcd"),
    "names in other letter case": (lambda u: [op("ADD", "Members", [{"Value": u["d"], "TYPE": "user"}])], "abcd"),
    "a member twice": (lambda u: [op("add", "members", listed([u["d"], u["d"]]))], "abcd"),
    "a member who is one already": (lambda u: [op("add", "members", listed([u["a"], u["d"], u["b"]]))], "abcd"),
    "a remove of others": (lambda u: [op("remove", "members", listed([u["d"], UNKNOWN]))], "abc"),
    "metadata in a value without a path": (
        lambda u: [op("add", None, {"id": "x", "schemas": [GROUP_URN], "meta": {"version": "x"},
                                    "members": listed([u["d"]])})], "abcd"),
    # The order of the operations.
    "remove and add again": (lambda u: [op("remove", one(u["a"])), op("add", "members", listed([u["a"]]))], "abc"),
    "add and remove again": (lambda u: [op("add", "members", listed([u["d"]])), op("remove", one(u["d"]))], "abc"),
    "all leave, and one joins": (lambda u: [op("remove", "members"), op("add", "members", listed([u["d"]]))], "d"),
    "one joins, and all leave": (lambda u: [op("add", "members", listed([u["d"]])), op("remove", "members")], ""),
    "the last replace counts": (
        lambda u: [op("replace", "members", listed([u["e"]])), op("replace", "members", listed([u["b"], u["d"]]))], "bd"),
    "replace and remove": (
        lambda u: [op("replace", "members", listed([u["b"], u["d"]])), op("remove", "members", listed([u["b"]]))], "d"),
}  # fmt: skip


@pytest.fixture
def users(acme: Enterprise) -> Users:
    return dict(zip("abcde", create_users(acme, 5), strict=True))


@pytest.fixture
def group(acme: Enterprise, users: Users) -> dict[str, Any]:
    return create_group(acme, members=[users[each] for each in "abc"])


@pytest.mark.parametrize("dialect", DIALECTS)
def test_operations_lead_to_these_members(acme: Enterprise, users: Users, group: dict[str, Any], dialect: str) -> None:
    operations, expected = DIALECTS[dialect]

    answer = patch_group(acme, group, *operations(users))

    assert (answer.status_code, answer.data) == (204, b"")
    names = {user_id: name for name, user_id in users.items()}
    assert "".join(names[each] for each in member_ids(acme, group)) == expected
    after = get_group(acme, group)
    assert answer.headers["ETag"] == after["meta"]["version"]
    assert patch_group(acme, group, *operations(users)).headers["ETag"] == after["meta"]["version"]  # the same again


@pytest.mark.parametrize(
    ("operations", "status", "scim_type", "words"),
    [
        ([op("add", "members", listed([UNKNOWN]))], 400, "invalidValue", [UNKNOWN, "do not exist"]),
        ([op("replace", "members", listed([UNKNOWN]))], 400, "invalidValue", [UNKNOWN]),
        ([op("add", one("nobody"))], 400, "invalidValue", ["nobody"]),
        ([op("add", "members", [{"value": UNKNOWN, "type": "group"}])], 400, "invalidValue", ["is a group"]),
        ([op("add", "members", [{"display": "Ada"}])], 400, "invalidValue", ["no value"]),
        ([op("remove", "members", [{"display": "Ada"}])], 400, "invalidValue", ["no value"]),
        ([op("add", "members", 7)], 400, "invalidValue", ["members"]),
        ([op("add", "members", [[["x"]]])], 400, "invalidValue", ["members"]),
        ([op("add", "members", [{"value": {"value": "x"}}])], 400, "invalidValue", ["members.value"]),
        ([op("add", "members")], 400, "invalidSyntax", ["no value"]),
        ([op("add", None)], 400, "invalidSyntax", ["no value"]),
        ([op("remove", None, {"members": []})], 400, "noTarget", ["path"]),
        ([op("remove", 'members[display eq "Ada"]')], 400, "invalidFilter", ["by their IDs"]),
        ([op("remove", 'members[value ne "x"]')], 400, "invalidFilter", ["by their IDs"]),
        ([op("remove", 'members[not (value eq "x")]')], 400, "invalidFilter", ["by their IDs"]),
        ([op("remove", 'members[value eq "x" or type eq "User"]')], 400, "invalidFilter", ["by their IDs"]),
        ([op("remove", "members[value pr]")], 400, "invalidFilter", ["by their IDs"]),
        ([op("remove", "members[")], 400, "invalidPath", ["members["]),
        ([op("remove", "members[]")], 400, "invalidFilter", []),
        ([op("remove", "members[0]")], 400, "invalidFilter", []),
        ([op("remove", 'members[nope eq "x"]')], 400, "invalidFilter", ["nope"]),
        ([op("replace", f"{one('x')}.display", "Ada")], 400, "mutability", ["members"]),
        ([op("replace", f"{one('x')}.value", "y")], 400, "mutability", ["members"]),
        ([op("remove", "members.value", "x")], 400, "mutability", ["members"]),
        ([op("add", one("x"), {"value": "y"})], 400, "mutability", ["'y'"]),
        ([op("remove", "displayName")], 400, "mutability", ["displayName"]),
        ([op("replace", "displayName", "")], 400, "invalidValue", ["displayName is missing"]),
        ([op("replace", "id", "x")], 400, "mutability", ["id"]),
        ([op("replace", "displayName", "x" * 513)], 400, "invalidValue", ["513"]),
        ([op("move", "members", [])], 400, "invalidSyntax", ["op"]),
    ],
)
def test_a_refused_operation_undoes_the_others(
    acme: Enterprise, users: Users, group: dict[str, Any], operations: Operations, status: int, scim_type: str,
    words: list[str],
) -> None:  # fmt: skip
    changes = feed_of(acme)
    before = [
        op("replace", "displayName", "New"),
        op("add", "members", listed([users["d"]])),
        op("remove", one(users["a"])),
    ]

    answer = patch_group(acme, group, *before, *operations)

    assert_scim_error(answer, status, scim_type, *words)
    assert get_group(acme, group) == group
    assert feed_of(acme) == changes
    (entry,) = log_of(acme, outcome="refused")
    assert (entry["group_id"], entry["scim_type"], entry["changed"]) == (group["id"], scim_type, [])


def test_a_request_that_changes_nothing_keeps_the_version(
    acme: Enterprise, users: Users, group: dict[str, Any]
) -> None:
    changes = feed_of(acme)
    present = listed([users["c"], users["a"]])

    for operations in (
        [op("add", "members", present)],
        [op("remove", "members", listed([users["d"], UNKNOWN]))],
        [op("replace", "members", listed([users["b"], users["c"], users["a"]]))],
        [op("remove", one(users["a"])), op("add", one(users["a"]))],
        [op("replace", "displayName", "Sales")],
        [op("remove", "members", [])],
    ):
        answer = patch_group(acme, group, *operations)
        assert (answer.status_code, answer.headers["ETag"]) == (204, tag_of(group))

    assert get_group(acme, group) == group
    assert feed_of(acme) == changes


def test_unknown_attributes_of_members_are_ignored_and_named(
    acme: Enterprise, users: Users, group: dict[str, Any]
) -> None:
    body = [{"value": users["d"], "displayName": "Dora"}]

    assert patch_group(acme, group, op("Add", "members", body)).status_code == 204

    entry = log_of(acme)[0]
    assert (entry["ignored"], entry["tolerances"]) == (["members.displayName"], ["op-case"])


def test_entras_schema_of_groups_is_understood(acme: Enterprise) -> None:
    adscim = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"

    created = acme.send("POST", "/Groups", group_body(externalId="e") | {"schemas": [GROUP_URN, adscim]})

    assert (created.status_code, created.get_json()["schemas"]) == (201, [GROUP_URN])
    assert log_of(acme)[0]["tolerances"] == ["unknown-schema"]


def test_a_deleted_user_leaves_and_the_group_has_a_new_version(
    acme: Enterprise, users: Users, group: dict[str, Any]
) -> None:
    assert acme.send("DELETE", f"/Users/{users['b']}").status_code == 204

    after = get_group(acme, group)

    assert [member["value"] for member in after["members"]] == [users["a"], users["c"]]
    assert after["meta"]["version"] == tag_of(after, 2)
    assert_scim_error(patch_group(acme, group, op("add", one(users["b"]))), 400, "invalidValue", users["b"])


def test_a_disabled_user_stays_a_member(acme: Enterprise, users: Users, group: dict[str, Any]) -> None:
    acme.patch({"id": users["a"]}, replace("active", False))

    assert member_ids(acme, group) == [users[each] for each in "abc"]
    assert patch_group(acme, group, op("remove", one(users["a"])), op("remove", one(users["b"]))).status_code == 204
    assert patch_group(acme, group, op("add", one(users["a"]))).status_code == 204
    assert member_ids(acme, group) == [users["c"], users["a"]]


def test_a_request_has_at_most_the_members_of_the_limit(acme: Enterprise, users: Users, group: dict[str, Any]) -> None:
    many = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(10_001)]

    for answer in (
        acme.send("POST", "/Groups", group_body("Many", many)),
        acme.send("PUT", f"/Groups/{group['id']}", group_body("Sales", many)),
        patch_group(acme, group, op("remove", "members", listed(many))),
        patch_group(
            acme, group, op("remove", "members", listed(many[:5_001])), op("add", "members", listed(many[5_000:]))
        ),
        patch_group(acme, group, *(op("remove", "members", listed(many[n::3])) for n in range(3))),
    ):
        assert_scim_error(answer, 400, "invalidValue", "members", "at most 10")
    assert patch_group(acme, group, op("remove", "members", listed(many[:10_000]))).status_code == 204
    too_large = {"schemas": [GROUP_URN], "displayName": "x", "members": [{"value": "x" * 2_000}] * 1_000}
    assert_scim_error(acme.send("POST", "/Groups", too_large), 413, None)
    assert get_group(acme, group) == group


def test_ten_thousand_members_join_and_leave_in_one_request(acme: Enterprise) -> None:
    ids = store_users(acme, 10_000)

    group = create_group(acme, "Everyone", ids)
    assert [member["value"] for member in group["members"]] == ids

    assert patch_group(acme, group, op("remove", "members", listed(ids[::2]))).status_code == 204
    assert acme.send("PUT", f"/Groups/{group['id']}", group_body("Everyone", ids[::3])).status_code == 200
    expected = [each for number, each in enumerate(ids) if number % 2 and number % 3 == 0]
    assert set(member_ids(acme, group)) == set(ids[::3])
    assert member_ids(acme, group)[: len(expected)] == expected
    assert patch_group(acme, group, op("add", "members", elements(*ids))).status_code == 204
    assert len(member_ids(acme, group)) == 10_000
    assert len(patch_body(op("add", "members", elements(*ids)))["Operations"][0]["value"]) == 10_000


def test_the_feed_lists_at_most_a_thousand_members_an_entry(acme: Enterprise) -> None:
    ids = store_users(acme, 2_500)
    create_group(acme, "Everyone", ids)

    joined = [change for change in feed_of(acme)["items"] if change["type"] == "members_added"]

    assert [len(change["members"]) for change in joined] == [1_000, 1_000, 500]
    assert [each for change in joined for each in change["members"]] == ids
