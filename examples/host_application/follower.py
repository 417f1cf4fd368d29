"""Keeps the application's people and groups equal to the users and groups of scimsvc."""

import logging
import sqlite3
import time
from typing import Any

from host_application import groups, people
from host_application.service import CursorExpired, NotFound, Service

#: Seconds that a request waits for the next change, at most 25.
WAIT = 25
_log = logging.getLogger(__name__)


def follow(service: Service, database: sqlite3.Connection) -> None:
    """Store every change as it comes. Never returns."""
    while True:
        started = time.monotonic()
        try:
            count = follow_once(service, database, wait=WAIT)
        except OSError as error:  # the service, the proxy or the network is away
            _log.warning("scimsvc cannot be reached, or refused the request: %s", error)
            count = 0
        if count == 0 and time.monotonic() - started < 1:
            time.sleep(1)  # no place to wait was free, or the service is away


def follow_once(service: Service, database: sqlite3.Connection, *, wait: float) -> int:
    """Store the next changes, and return their number; wait up to ``wait`` seconds for the first."""
    cursor = people.get_cursor(database)
    if cursor is None:
        return take_snapshot(service, database)
    try:
        changes = service.get("/changes", after=cursor, wait=wait)["items"]
    except CursorExpired:  # this process was stopped for longer than change_days
        return take_snapshot(service, database)
    for change in changes:
        store_change(service, database, change)
    return len(changes)


def store_change(service: Service, database: sqlite3.Connection, change: dict[str, Any]) -> None:
    """Store what a change leads to, and its cursor, in one transaction."""
    if change.get("group_id") is not None:
        with database:
            groups.store_change(database, change)
            people.set_cursor(database, change["cursor"])
        return
    user = None if change["type"] == "deleted" else find_user(service, change["user_id"])
    with database:
        if user is None:
            people.remove(database, change["user_id"])
        else:
            people.store(database, user)
        people.set_cursor(database, change["cursor"])


def take_snapshot(service: Service, database: sqlite3.Connection) -> int:
    """Store every user and group, and the cursor from which to follow; return the number of users."""
    # The cursor comes first: a change during the snapshot is then stored twice, and never missed.
    cursor = find_end_of_feed(service)
    users = list_all(service, "/users")
    teams = [(group, list_members(service, group["id"])) for group in list_all(service, "/groups")]
    with database:
        for user in users:
            people.store(database, user)
        people.remove_all_but(database, {user["id"] for user in users})
        groups.remove_all(database)
        for group, member_ids in teams:
            groups.store(database, group["id"], group["name"])
            groups.add_members(database, group["id"], member_ids)
        people.set_cursor(database, cursor)
    return len(users)


def find_end_of_feed(service: Service) -> str:
    """Return the cursor after the last change."""
    page = service.get("/changes", limit=1000)
    while page["items"]:
        page = service.get("/changes", limit=1000, after=page["next"])
    return str(page["next"])


def list_all(service: Service, path: str) -> list[dict[str, Any]]:
    """Return all items of a list. Users include disabled ones, who may be enabled later."""
    page = service.get(path, limit=1000)
    items = list(page["items"])
    while page["next"] is not None:
        page = service.get(path, limit=1000, cursor=page["next"])
        items += page["items"]
    return items


def list_members(service: Service, group_id: str) -> list[str]:
    """Return the IDs of the members of a group, or none if it was deleted since it was listed."""
    try:
        return [user["id"] for user in list_all(service, f"/groups/{group_id}/members")]
    except NotFound:
        return []


def find_user(service: Service, user_id: str) -> dict[str, Any] | None:
    """Return the user as it is now, or None if it was deleted since the change."""
    try:
        user: dict[str, Any] = service.get(f"/users/{user_id}")
    except NotFound:
        return None
    return user
