"""Groups that change at the same moment lead to the same roles as one after the other."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.client import Api, Enterprise, replace
from tests.support.groups import ScimGroups
from tests.support.types import Cli

ROUNDS = 6


@pytest.fixture
def users(acme: Enterprise) -> list[dict[str, Any]]:
    return [acme.create(email=f"{number}@x.example") for number in range(4)]


def test_two_groups_and_the_users_change_at_once(
    acme: Enterprise, api: Api, cli: Cli, users: list[dict[str, Any]]
) -> None:
    groups = ScimGroups(acme)
    first, second = groups.create("First"), groups.create("Second")
    cli("role", "update", "Acme", "Power Signer", "--group", "First", "--position", "1")
    cli("role", "update", "Acme", "User", "--group", "Second")
    ids = [user["id"] for user in users]

    def change(number: int) -> list[int]:
        group = (first, second)[number % 2]
        side = {"add": ids} if number % 3 else {"remove": ids[:2]}
        operations = [
            {"op": op, "path": "members", "value": [{"value": each} for each in members]}
            for op, members in side.items()
        ]
        titles = [acme.patch(user, replace("title", str(number))).status_code for user in users]
        return [groups.send(group, *operations).status_code, *titles]

    with ThreadPoolExecutor(4) as pool:
        answers = [status for statuses in pool.map(change, range(4 * ROUNDS)) for status in statuses]
    groups.change(first, remove=ids[:1])
    groups.change(second, add=ids)

    assert set(answers) <= {200, 204}
    assert cli("check")["faults"] == []
    members = acme.send("GET", f"/Groups/{first}").get_json().get("members", [])
    in_first = {member["value"] for member in members}
    assert {user["id"]: user["role"] for user in api.pages("/users")} == {
        user_id: "Power Signer" if user_id in in_first else "User" for user_id in ids
    }
