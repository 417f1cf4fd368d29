"""Concurrent changes of groups: no change is lost, none is half done, and nothing refers to a deleted user."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from werkzeug.test import TestResponse

from scimsvc.operations.checks import find_faults
from tests.support.client import Enterprise, patch_body, replace, user_body
from tests.support.long_runs import LONG
from tests.support.records import feed_of
from tests.support.types import Cli
from tests.support.urns import GROUP_URN

WRITERS = 6
CHANGES = 500 if LONG else 25


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """Call all functions from a barrier, each in a thread."""
    barrier = threading.Barrier(len(calls))

    def start(call: Callable[[], Any]) -> Any:
        barrier.wait(30)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(start, calls))


@pytest.fixture
def users(acme: Enterprise) -> list[str]:
    """The IDs of users, by number."""
    return [acme.create(email=f"user{number}@x.example")["id"] for number in range(WRITERS * 2)]


@pytest.fixture
def second(acme: Enterprise, cli: Cli) -> Enterprise:
    """The same enterprise, used by another integration."""
    integration = cli("integration", "create", "Acme", "Second")
    token = cli("token", "issue", "Acme", "--scim", "--integration", integration["client_id"])["access_token"]
    return Enterprise(acme.app, acme.made, token)


def create_group(acme: Enterprise, members: list[str], name: str = "Sales") -> str:
    body = {"schemas": [GROUP_URN], "displayName": name, "members": values(members)}
    answer = acme.send("POST", "/Groups", body)
    assert answer.status_code == 201, answer.text
    return str(answer.get_json()["id"])


def values(ids: list[str]) -> list[dict[str, str]]:
    return [{"value": each} for each in ids]


def change(acme: Enterprise, group: str, *operations: dict[str, Any], **options: Any) -> TestResponse:
    return acme.send("PATCH", f"/Groups/{group}", patch_body(*operations), **options)


def add(ids: list[str]) -> dict[str, Any]:
    return {"op": "add", "path": "members", "value": values(ids)}


def remove(ids: list[str]) -> dict[str, Any]:
    return {"op": "remove", "path": "members", "value": values(ids)}


def members(acme: Enterprise, group: str) -> list[str]:
    answer = acme.send("GET", f"/Groups/{group}")
    assert answer.status_code == 200, answer.text
    return [member["value"] for member in answer.get_json()["members"]]


def assert_sound(acme: Enterprise) -> None:
    """Assert that counters, memberships and documents agree, and that the feed leads to the same members."""
    with acme.app.app_context():
        assert list(find_faults()) == []
    groups = acme.send("GET", "/Groups").get_json()["Resources"]
    assert mirrored(acme) == {group["id"]: {member["value"] for member in group["members"]} for group in groups}


def mirrored(acme: Enterprise) -> dict[str, set[str]]:
    """Return the members of each group, as an application knows them that follows the change feed."""
    groups: dict[str, set[str]] = {}
    for entry in feed_of(acme)["items"]:
        if entry["type"] == "group_created":
            groups[entry["group_id"]] = set()
        elif entry["type"] == "group_deleted":
            del groups[entry["group_id"]]
        elif entry["type"] == "members_added":
            assert not groups[entry["group_id"]] & set(entry["members"])
            groups[entry["group_id"]] |= set(entry["members"])
        elif entry["type"] == "members_removed":
            assert groups[entry["group_id"]] >= set(entry["members"])
            groups[entry["group_id"]] -= set(entry["members"])
    return groups


def test_members_that_two_integrations_add_at_once_all_join(
    acme: Enterprise, second: Enterprise, users: list[str], cli: Cli
) -> None:
    group = create_group(acme, [])
    halves = users[:WRITERS], users[WRITERS:]

    answers = at_once([
        partial(change, client, group, add([user, half[0]]))
        for client, half in zip((acme, second), halves, strict=True)
        for user in half[1:4]
    ])  # fmt: skip

    assert [answer.status_code for answer in answers] == [204] * 6
    assert sorted(members(acme, group)) == sorted([*halves[0][:4], *halves[1][:4]])
    assert_sound(acme)


def test_adds_and_removals_of_two_integrations_at_once_are_all_applied(
    acme: Enterprise, second: Enterprise, users: list[str], cli: Cli
) -> None:
    group = create_group(acme, users[:4])

    def work(client: Enterprise, own: str, away: str) -> list[int]:
        operations = [add([own]), remove([own]), add([own]), remove([away])]
        return [change(client, group, operation).status_code for operation in operations]

    answers = at_once([
        partial(work, client, users[4 + number], users[number])
        for number, client in enumerate((acme, second, acme, second))
    ])  # fmt: skip

    assert answers == [[204] * 4] * 4
    assert sorted(members(acme, group)) == sorted(users[4:8])
    assert_sound(acme)


def test_of_replacements_at_once_one_is_kept_whole(
    acme: Enterprise, second: Enterprise, users: list[str], cli: Cli
) -> None:
    group = create_group(acme, users)
    lists = [users[number : number + 5] for number in range(4)]

    answers = at_once([
        partial(change, client, group, {"op": "replace", "path": "members", "value": values(each)})
        for client, each in zip((acme, second, acme, second), lists, strict=True)
    ])  # fmt: skip

    assert [answer.status_code for answer in answers] == [204] * 4
    assert sorted(members(acme, group)) in [sorted(each) for each in lists]
    assert_sound(acme)


def test_a_user_that_is_deleted_while_being_added_is_no_member(acme: Enterprise, users: list[str], cli: Cli) -> None:
    for leaver, other in zip(users[::2], users[1::2], strict=True):
        group = create_group(acme, [], name=f"Group of {leaver}")

        added, deleted = at_once([
            partial(change, acme, group, add([other, leaver])),
            partial(acme.send, "DELETE", f"/Users/{leaver}"),
        ])  # fmt: skip

        assert deleted.status_code == 204
        assert added.status_code in (204, 400)
        assert members(acme, group) == ([other] if added.status_code == 204 else [])
    assert_sound(acme)


def test_a_user_that_is_deleted_by_one_integration_while_another_replaces(
    acme: Enterprise, second: Enterprise, users: list[str], cli: Cli
) -> None:
    group = create_group(acme, users[:6])

    answers = at_once([
        *(partial(acme.send, "DELETE", f"/Users/{user}") for user in users[:3]),
        *(
            partial(change, second, group, {"op": "replace", "path": "members", "value": values(users[number:9])})
            for number in range(2, 5)
        ),
    ])  # fmt: skip

    assert [answer.status_code for answer in answers[:3]] == [204] * 3
    assert {answer.status_code for answer in answers[3:]} <= {204, 400}
    assert not set(members(acme, group)) & set(users[:3])
    assert_sound(acme)


def test_a_group_that_is_deleted_while_being_changed_is_gone(acme: Enterprise, users: list[str], cli: Cli) -> None:
    group = create_group(acme, users[:2])

    answers = at_once([
        partial(acme.send, "DELETE", f"/Groups/{group}"),
        *(partial(change, acme, group, add([user])) for user in users[2:6]),
    ])  # fmt: skip

    assert answers[0].status_code == 204
    assert {answer.status_code for answer in answers[1:]} <= {204, 404}
    assert acme.send("GET", f"/Groups/{group}").status_code == 404
    assert_sound(acme)


def test_of_groups_with_one_name_at_once_one_is_created(acme: Enterprise, second: Enterprise) -> None:
    bodies = [{"schemas": [GROUP_URN], "displayName": name} for name in ("Sales", "SALES", "sales", "sALES")]

    answers = at_once([
        partial(client.send, "POST", "/Groups", body)
        for client, body in zip((acme, second, acme, second), bodies, strict=True)
    ])  # fmt: skip

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert acme.send("GET", "/Groups").get_json()["totalResults"] == 1


def test_of_groups_that_are_renamed_at_once_one_gets_the_name(acme: Enterprise, second: Enterprise) -> None:
    groups = [create_group(acme, [], name=f"Group {number}") for number in range(4)]
    rename = {"op": "replace", "path": "displayName", "value": "Wanted"}

    answers = at_once([
        partial(change, client, group, rename)
        for client, group in zip((acme, second, acme, second), groups, strict=True)
    ])  # fmt: skip

    assert sorted(answer.status_code for answer in answers) == [204, 409, 409, 409]


def test_of_changes_with_the_same_precondition_one_wins(acme: Enterprise, users: list[str]) -> None:
    group = create_group(acme, [])
    headers = {"If-Match": acme.send("GET", f"/Groups/{group}").headers["ETag"]}

    answers = at_once([partial(change, acme, group, add([user]), headers=headers) for user in users[:4]])

    assert sorted(answer.status_code for answer in answers) == [204, 412, 412, 412]
    assert len(members(acme, group)) == 1


def test_roles_follow_members_that_two_integrations_change_at_once(
    acme: Enterprise, second: Enterprise, users: list[str], cli: Cli
) -> None:
    cli("role", "update", "Acme", "User", "--group", "Sales")
    group = create_group(acme, users[:4])

    at_once([
        partial(change, acme, group, remove(users[:2])),
        partial(change, second, group, add(users[4:8])),
        partial(acme.send, "PUT", f"/Users/{users[3]}", user_body("user3@x.example", title="Lead")),
        partial(change, second, group, remove(users[5:6])),
    ])  # fmt: skip

    inside = set(members(acme, group))
    assert {user["id"] for user in acme.find('roles.value eq "User"')} == inside
    assert inside >= {users[2], users[3], users[4], users[6], users[7]}
    assert_sound(acme)


def test_random_changes_of_two_integrations_end_in_agreement(acme: Enterprise, second: Enterprise, cli: Cli) -> None:
    cli("role", "update", "Acme", "User", "--group", "Sales")
    cli("role", "update", "Acme", "Power Signer", "--group", "Support")
    users = [acme.create(email=f"user{number}@x.example")["id"] for number in range(8)]
    groups = [create_group(acme, [], name=name) for name in ("Sales", "Support")]

    def work(client: Enterprise, seed: int) -> set[int]:
        chance, statuses = random.Random(seed), set()
        for _ in range(CHANGES):
            some, group = chance.sample(users, chance.randrange(1, 5)), chance.choice(groups)
            kind = chance.randrange(8)
            if kind < 2:
                answer = change(client, group, add(some))
            elif kind < 4:
                answer = change(client, group, remove(some))
            elif kind == 4:
                answer = change(client, group, {"op": "replace", "path": "members", "value": values(some)})
            elif kind == 5:
                answer = client.send("PATCH", f"/Users/{some[0]}", patch_body(replace("title", str(seed))))
            elif kind == 6:
                answer = change(client, group, {"op": "replace", "path": "externalId", "value": str(chance.random())})
            else:
                answer = (
                    client.send("DELETE", f"/Users/{some[0]}") if chance.random() < 0.1 else acme.send("GET", "/Users")
                )
            statuses.add(answer.status_code)
        return statuses

    statuses = at_once([partial(work, client, seed) for seed, client in enumerate((acme, second, acme, second))])

    assert set().union(*statuses) <= {200, 204, 400, 404}
    assert_sound(acme)
    sales, support = (set(members(acme, group)) for group in groups)
    for user in acme.find("id pr"):
        expected = "User" if user["id"] in sales else "Power Signer" if user["id"] in support else "DefaultEnterprise"
        assert [role["value"] for role in user["roles"]] == [expected]
