"""Concurrent writers of one group: no member is lost, and no membership of a deleted user stays."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from tests.support.client import Enterprise
from tests.support.groups import memberships
from tests.support.records import feed_of
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

WRITERS = 8


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Return the results of ``calls``, which run at once."""
    with ThreadPoolExecutor(WRITERS) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def add(*user_ids: str) -> dict[str, Any]:
    """Return an operation that adds users."""
    return {"op": "add", "path": "members", "value": listed(user_ids)}


def remove(*user_ids: str) -> dict[str, Any]:
    """Return an operation that removes users."""
    return {"op": "remove", "path": "members", "value": listed(user_ids)}


def test_members_that_several_writers_add_at_once_all_join(acme: Enterprise) -> None:
    users = create_users(acme, 24)
    group = create_group(acme)

    answers = at_once([partial(patch_group, acme, group, add(user)) for user in users])

    assert {answer.status_code for answer in answers} == {204}
    after = get_group(acme, group)
    assert sorted(member["value"] for member in after["members"]) == sorted(users)
    assert after["meta"]["version"] == tag_of(after, 25)


def test_writers_that_add_and_remove_the_same_members_leave_a_state_of_the_feed(acme: Enterprise) -> None:
    users = create_users(acme, 4)
    group = create_group(acme)
    before = len(feed_of(acme)["items"])
    calls = [partial(patch_group, acme, group, (add if n % 3 else remove)(*users[n % 4 :])) for n in range(32)]
    calls.append(partial(acme.send, "PUT", f"/Groups/{group['id']}", group_body("Sales", users)))

    answers = at_once(calls)

    assert {answer.status_code for answer in answers} <= {200, 204}
    members: set[str] = set()
    for change in feed_of(acme)["items"][before:]:
        members = members | set(change["members"]) if change["type"] == "members_added" else members - set(
            change["members"]
        )  # fmt: skip
    assert members == set(member_ids(acme, group)) == set(memberships(acme).get(group["id"], []))


def test_a_user_who_is_deleted_while_joining_is_no_member(acme: Enterprise) -> None:
    users = create_users(acme, 12)
    groups = [create_group(acme, f"Group {number}") for number in range(2)]
    calls: list[Callable[[], Any]] = []
    for user in users:
        calls += [partial(patch_group, acme, group, add(user)) for group in groups]
        calls.append(partial(acme.send, "DELETE", f"/Users/{user}"))

    answers = at_once(calls)

    assert {answer.status_code for answer in answers} <= {204, 400}
    assert [answer.status_code for answer in answers[2::3]] == [204] * len(users)
    assert [member_ids(acme, group) for group in groups] == [[], []]
    assert memberships(acme) == {}


def test_of_writers_with_the_same_precondition_one_wins(acme: Enterprise) -> None:
    users = create_users(acme, WRITERS)
    group = create_group(acme)
    headers = {"If-Match": group["meta"]["version"]}

    answers = at_once([partial(patch_group, acme, group, add(user), headers=headers) for user in users])

    assert sorted(answer.status_code for answer in answers) == [204] + [412] * (WRITERS - 1)
    assert len(member_ids(acme, group)) == 1


def test_of_groups_with_the_same_name_one_is_created(acme: Enterprise) -> None:
    answers = at_once([partial(acme.send, "POST", "/Groups", group_body(name)) for name in ("Sales", "SALES") * 8])

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 15
    (holder,) = [answer.get_json()["id"] for answer in answers if answer.status_code == 201]
    assert all(holder in answer.get_json()["detail"] for answer in answers if answer.status_code == 409)


def test_a_change_beside_a_deletion_of_the_group_ends_with_the_group_gone(acme: Enterprise) -> None:
    users = create_users(acme, 6)
    group = create_group(acme, members=users[:2])
    calls = [partial(patch_group, acme, group, add(user)) for user in users]
    calls.insert(3, partial(acme.send, "DELETE", f"/Groups/{group['id']}"))

    answers = at_once(calls)

    assert {answer.status_code for answer in answers} <= {204, 404}
    assert acme.send("GET", f"/Groups/{group['id']}").status_code == 404
    assert memberships(acme) == {}
