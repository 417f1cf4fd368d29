"""The application's own copy of the groups and their members."""

import sqlite3
from collections.abc import Iterable
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS groups (id TEXT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS members (
    group_id TEXT NOT NULL, person_id TEXT NOT NULL, PRIMARY KEY (group_id, person_id)
);
"""


def create_tables(connection: sqlite3.Connection) -> None:
    """Create the tables, if they do not exist."""
    connection.executescript(_SCHEMA)


def list_all(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """Return all groups by name, each with the IDs of its members."""
    groups = [dict(row) for row in connection.execute("SELECT * FROM groups ORDER BY name, id")]
    for group in groups:
        rows = connection.execute("SELECT person_id FROM members WHERE group_id = ? ORDER BY person_id", [group["id"]])
        group["members"] = [row["person_id"] for row in rows]
    return groups


def store_change(connection: sqlite3.Connection, change: dict[str, Any]) -> None:
    """Apply a change of a group. Applying it twice has the same effect as once."""
    group_id = change["group_id"]
    if change["type"] == "group_deleted":
        remove(connection, group_id)
    elif change["type"] in ("group_created", "group_updated"):
        store(connection, group_id, change["group"])
    elif change["type"] == "members_added":
        add_members(connection, group_id, change["members"])
    elif change["type"] == "members_removed":
        connection.executemany(
            "DELETE FROM members WHERE group_id = ? AND person_id = ?",
            [(group_id, person_id) for person_id in change["members"]],
        )


def store(connection: sqlite3.Connection, group_id: str, name: str) -> None:
    """Insert the group, or set its name."""
    connection.execute(
        "INSERT INTO groups VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name", [group_id, name]
    )


def add_members(connection: sqlite3.Connection, group_id: str, person_ids: Iterable[str]) -> None:
    """Add those people who are not members yet."""
    connection.executemany(
        "INSERT OR IGNORE INTO members VALUES (?, ?)", [(group_id, person_id) for person_id in person_ids]
    )


def remove(connection: sqlite3.Connection, group_id: str) -> None:
    """Delete the group and its memberships, if the group exists."""
    connection.execute("DELETE FROM members WHERE group_id = ?", [group_id])
    connection.execute("DELETE FROM groups WHERE id = ?", [group_id])


def remove_all(connection: sqlite3.Connection) -> None:
    """Delete all groups, before a snapshot stores them again."""
    connection.execute("DELETE FROM members")
    connection.execute("DELETE FROM groups")
