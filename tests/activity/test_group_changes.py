"""Changes of groups are in the feed and the log, beside those of users."""

from typing import Any

import pytest
from flask import Flask

from scimsvc import clock
from scimsvc.activity.feed_writing import GroupChange, membership_changes, record_group_changes
from scimsvc.activity.log_writing import LogEntry, record_group_write
from scimsvc.store.engine.transactions import writing
from scimsvc.vocabulary import GROUP_CREATED, GROUP_DELETED, GROUP_UPDATED
from tests.support.client import Api, Enterprise
from tests.support.commands import text_of
from tests.support.groups import AT
from tests.support.types import Cli

G = "11111111-0000-4000-8000-000000000000"


def record(enterprise: Enterprise, *changes: GroupChange) -> None:
    with enterprise.app.app_context(), writing() as connection:
        record_group_changes(connection, enterprise.made["id"], changes, at=AT)


def shown(change: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in change.items() if name not in ("cursor", "time") and value is not None}


def test_an_entry_has_the_group_and_its_members(acme: Enterprise, api: Api) -> None:
    record(
        acme,
        GroupChange(GROUP_CREATED, G, "Sales", ["displayName"]),
        *membership_changes(G, "Sales", added=["a", "b"], removed=["c"]),
        GroupChange(GROUP_UPDATED, G, "Sales 2", ["displayName", "externalId"]),
        GroupChange(GROUP_DELETED, G, "Sales 2"),
    )

    entries = api.get("/changes")["items"]

    assert [shown(entry) for entry in entries] == [
        {"type": "group_created", "group_id": G, "group": "Sales", "changed": ["displayName"]},
        {"type": "members_removed", "group_id": G, "group": "Sales", "changed": [], "members": ["c"]},
        {"type": "members_added", "group_id": G, "group": "Sales", "changed": [], "members": ["a", "b"]},
        {"type": "group_updated", "group_id": G, "group": "Sales 2", "changed": ["displayName", "externalId"]},
        {"type": "group_deleted", "group_id": G, "group": "Sales 2", "changed": []},
    ]
    assert {name: entries[0][name] for name in ("user_id", "email", "role", "active", "old_role", "old_active")} == {
        "user_id": None, "email": None, "role": None, "active": None, "old_role": None, "old_active": None,
    }  # fmt: skip


@pytest.mark.parametrize(("members", "sizes"), [(1_000, [1_000]), (2_001, [1_000, 1_000, 1])])
def test_many_members_take_several_entries(acme: Enterprise, api: Api, members: int, sizes: list[int]) -> None:
    ids = [f"{number:05}" for number in range(members)]

    record(acme, *membership_changes(G, "Sales", added=ids))

    entries = api.get("/changes")["items"]
    assert [len(entry["members"]) for entry in entries] == sizes
    assert [each for entry in entries for each in entry["members"]] == ids


def test_entries_of_groups_keep_the_order_and_the_number_of_users(acme: Enterprise, api: Api, cli: Cli) -> None:
    user = acme.create()
    record(acme, *membership_changes(G, "Sales", added=[user["id"]]))
    acme.send("DELETE", f"/Users/{user['id']}")

    assert [entry["type"] for entry in api.get("/changes")["items"]] == ["created", "members_added", "deleted"]
    assert acme.send("GET", "/Users").get_json()["totalResults"] == 0
    assert cli("check")["faults"] == []


def test_a_change_without_a_difference_has_no_entry(acme: Enterprise, api: Api) -> None:
    record(acme, *membership_changes(G, "Sales"))

    assert api.get("/changes")["items"] == []


def test_the_log_names_the_group(acme: Enterprise, api: Api, cli: Cli) -> None:
    entry = LogEntry(
        enterprise_id=acme.made["id"], client_id="c", request_id="r", operation="patch", status=204, duration_ms=1.5,
        group_id=G, group="Sales",
    )  # fmt: skip
    with acme.app.app_context(), writing() as connection:
        record_group_write(connection, entry, membership_changes(G, "Sales", added=["a"]), at=clock.now())

    (logged,) = api.get("/provisioning-log")["items"]
    assert (logged["operation"], logged["group_id"], logged["group"], logged["user_id"]) == ("patch", G, "Sales", None)
    assert cli("log", "Acme")[0]["group"] == "Sales"
    (change,) = api.get("/changes")["items"]
    assert (change["type"], change["members"]) == ("members_added", ["a"])


def test_the_command_shows_the_group_and_the_number_of_members(acme: Enterprise, app: Flask) -> None:
    acme.create()
    record(acme, *membership_changes(G, "Sales", added=["a", "b"]))

    lines = text_of(app, "changes", "Acme").splitlines()

    words = [line.split() for line in lines if line]
    assert {"group", "members"} <= set(words[0])
    assert [each[1] for each in words[1:-1]] == ["created", "members_added"]
    assert {"Sales", "2"} <= set(words[-2])
