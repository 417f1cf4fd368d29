"""Random requests lead to the same members in the database as in a model in Python."""

import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.client import Enterprise
from tests.support.groups import memberships
from tests.support.records import feed_of
from tests.support.scim_groups import create_group, create_users, get_group, group_body, listed, patch_group, tag_of

USERS, REQUESTS = 8, 60
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@dataclass
class Model:
    """The members of a group in order, and its version."""

    members: list[str] = field(default_factory=list)
    version: int = 1

    def apply(self, operations: list[dict[str, Any]]) -> bool:
        """Apply a request, and return whether it is accepted. Users who leave and join in it keep their position."""
        after = list(self.members)
        for operation in operations:
            op, ids = operation["op"], _ids(operation)
            if op == "replace" or (op == "remove" and ids is None):
                after = []
            if op == "remove":
                after = [each for each in after if each not in (ids or [])]
            else:
                after += [each for each in dict.fromkeys(ids or []) if each not in after]
        if UNKNOWN in after:
            return False
        kept = [each for each in self.members if each in after]
        result = kept + [each for each in after if each not in kept]
        self.version += result != self.members
        self.members = result
        return True


def _ids(operation: dict[str, Any]) -> list[str] | None:
    """Return the IDs that ``operation`` names, or None for a remove of all."""
    path: str = operation.get("path", "")
    value: Any = operation.get("value")
    if "[" in path:
        return [path.split('"')[1]]
    if not path:
        value = value["members"]
    return None if value is None else [each if isinstance(each, str) else each["value"] for each in value]


def _random_operation(chance: random.Random, users: list[str]) -> dict[str, Any]:
    some = chance.sample(users, chance.randint(0, 4)) * chance.choice([1, 1, 2])
    if chance.random() < 0.05:
        some.append(UNKNOWN)
    one = chance.choice(users)
    return chance.choice(
        [
            {"op": "add", "path": "members", "value": listed(some)},
            {"op": "add", "path": f'members[value eq "{one}"]'},
            {"op": "add", "value": {"members": some}},
            {"op": "remove", "path": "members", "value": listed(some)},
            {"op": "remove", "path": f'members[value eq "{one}"]'},
            {"op": "remove", "path": "members"},
            {"op": "replace", "path": "members", "value": some},
            {"op": "replace", "value": {"members": listed(some)}},
        ]
    )


@pytest.mark.parametrize("seed", range(6))
def test_random_requests_lead_to_the_members_of_the_model(acme: Enterprise, seed: int) -> None:
    chance = random.Random(seed)
    users = create_users(acme, USERS)
    group, model = create_group(acme), Model()
    before_feed = len(feed_of(acme)["items"])

    for _ in range(REQUESTS):
        if chance.random() < 0.1:
            some = chance.sample(users, chance.randint(0, USERS))
            operations = [{"op": "replace", "path": "members", "value": listed(some)}]
            answer = acme.send("PUT", f"/Groups/{group['id']}", group_body("Sales", some))
        else:
            operations = [_random_operation(chance, users) for _ in range(chance.randint(1, 4))]
            answer = patch_group(acme, group, *operations)
        accepted = model.apply(operations)

        assert (answer.status_code < 300) is accepted, (operations, answer.text)
        after = get_group(acme, group)
        assert [member["value"] for member in after["members"]] == model.members, operations
        assert after["meta"]["version"] == tag_of(after, model.version), operations

    assert memberships(acme).get(group["id"], []) == model.members
    assert _replayed(feed_of(acme)["items"][before_feed:]) == set(model.members)
    for user in users:
        found = acme.send("GET", "/Groups", query={"filter": f'members.value eq "{user}"'}).get_json()
        assert found["totalResults"] == (user in model.members)


def _replayed(changes: list[dict[str, Any]]) -> set[str]:
    """Return the members to whom the entries of the feed lead. Each entry must be a change."""
    members: set[str] = set()
    for change in changes:
        ids = set(change["members"])
        if change["type"] == "members_added":
            assert not members & ids
            members |= ids
        else:
            assert change["type"] == "members_removed"
            assert ids <= members
            members -= ids
    return members
