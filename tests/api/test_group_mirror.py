"""The example host application has the groups of the service after every change."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from host_application import groups, people
from host_application.follower import follow_once, take_snapshot

from scimsvc.activity.feed_writing import GroupChange, membership_changes, record_group_changes
from scimsvc.store.engine.transactions import writing
from scimsvc.vocabulary import GROUP_CREATED, GROUP_DELETED, GROUP_UPDATED
from tests.support.client import Api, Enterprise
from tests.support.groups import AT, store_group

G = "11111111-0000-4000-8000-000000000000"


@pytest.fixture
def database(tmp_path: Any) -> Iterator[sqlite3.Connection]:
    connection = people.connect(str(tmp_path / "people.db"))
    yield connection
    connection.close()


def follow(api: Api, database: sqlite3.Connection) -> list[tuple[str, list[str]]]:
    """Follow the feed to its end, and return the groups of the application."""
    service: Any = api  # it has the same method
    while follow_once(service, database, wait=0):
        pass
    return [(group["name"], group["members"]) for group in groups.list_all(database)]


def test_changes_of_groups_are_followed(acme: Enterprise, api: Api, database: sqlite3.Connection) -> None:
    follow(api, database)
    steps: list[tuple[list[GroupChange], list[tuple[str, list[str]]]]] = [
        ([GroupChange(GROUP_CREATED, G, "Sales", ["displayName"])], [("Sales", [])]),
        (membership_changes(G, "Sales", added=["a", "b"]), [("Sales", ["a", "b"])]),
        (membership_changes(G, "Sales", added=["b", "c"], removed=["a", "x"]), [("Sales", ["b", "c"])]),
        ([GroupChange(GROUP_UPDATED, G, "Sold", ["displayName"])], [("Sold", ["b", "c"])]),
        ([GroupChange("group_painted", G, "Sold")], [("Sold", ["b", "c"])]),
        ([GroupChange(GROUP_DELETED, G, "Sold")], []),
    ]

    for changes, expected in steps:
        with acme.app.app_context(), writing() as connection:
            record_group_changes(connection, acme.made["id"], changes, at=AT)

        assert follow(api, database) == expected


def test_a_deleted_user_leaves_the_groups_of_the_application(
    acme: Enterprise, api: Api, database: sqlite3.Connection
) -> None:
    users = [acme.create(email=f"{number}@x.example")["id"] for number in range(3)]
    store_group(acme, "Sales", users)
    store_group(acme, "Support", users[:1])
    snapshot = follow(api, database)

    acme.send("DELETE", f"/Users/{users[0]}")

    assert snapshot == [("Sales", sorted(users)), ("Support", users[:1])]
    assert follow(api, database) == [("Sales", sorted(users[1:])), ("Support", [])]


def test_another_snapshot_replaces_all_groups(acme: Enterprise, api: Api, database: sqlite3.Connection) -> None:
    user = acme.create()["id"]
    store_group(acme, "Sales", [user])
    with database:
        groups.store(database, G, "Gone")
        groups.add_members(database, G, ["a"])
    service: Any = api

    take_snapshot(service, database)

    assert [(group["name"], group["members"]) for group in groups.list_all(database)] == [("Sales", [user])]
