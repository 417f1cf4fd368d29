"""A change of one member takes the same work in a group of any size: counted, not timed.

SQLite counts the instructions of its virtual machine. PostgreSQL counts the rows that each step of a plan reads.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from sqlalchemy import Connection

from scimsvc.mapping.roles import update_role
from scimsvc.store import group_members, groups, role_recomputation, user_groups
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.engine.transactions import writing
from scimsvc.store.group_representations import StoredGroup
from scimsvc.store.id_lists import ids_parameter
from tests.support.client import Enterprise
from tests.support.groups import LATER, store_group, store_users

SMALL, LARGE = 10, 5_000

Ask = tuple[Query[Any] | Write, dict[str, Any]]


Sizes = dict[int, tuple[StoredGroup, list[str]]]


@pytest.fixture
def sizes(acme: Enterprise) -> Sizes:
    """A small group and a large one, each with its members followed by 100 users who are in no group."""
    users = store_users(acme, SMALL + LARGE + 100)
    parts = {SMALL: users[:SMALL], LARGE: users[SMALL : SMALL + LARGE]}
    made = {size: (store_group(acme, f"Group {size}", ids), ids) for size, ids in parts.items()}
    with acme.app.app_context():
        update_role("Acme", "User", {"groups": [f"Group {size}" for size in parts]})
    return {size: (group, [*ids, *users[-100:]]) for size, (group, ids) in made.items()}


def _members(name: str, choose: Callable[[list[str]], list[str]]) -> Callable[[str, dict[str, Any], list[str]], Ask]:
    def ask(dialect: str, key: dict[str, Any], users: list[str]) -> Ask:
        query = getattr(group_members, name)[dialect]
        return query, key | {"ids": ids_parameter(choose(users)), "after": 1_000_000, "limit": 20}

    return ask


def _roles(name: str) -> Callable[[str, dict[str, Any], list[str]], Ask]:
    def ask(dialect: str, key: dict[str, Any], users: list[str]) -> Ask:
        (candidates,) = role_recomputation.Candidates.by_id(users[4:5])
        default = {"default_id": "d", "default_name": "D", "default_restricts": False, "may_restrict": True}
        feed = {"at": LATER, "newest": 1_000_000, "all_users": 1}
        return getattr(role_recomputation, name)[dialect, candidates.kind], key | default | feed | {
            "ids": candidates.ids
        }

    return ask


#: Kinds of statements. Users are the members, followed by 100 others.
STATEMENTS: dict[str, Callable[[str, dict[str, Any], list[str]], Ask]] = {
    "add one": _members("ADD", lambda users: users[-1:]),
    "add 100": _members("ADD", lambda users: users[-100:]),
    "add a member again": _members("ADD", lambda users: users[4:5]),
    "remove one": _members("REMOVE", lambda users: users[4:5]),
    "remove 100 who are no members": _members("REMOVE", lambda users: users[-100:]),
    "find the unknown": _members("UNKNOWN", lambda users: ["none", *users[-9:]]),
    "lock": lambda _dialect, key, _users: (groups.GROUP_FOR_UPDATE, key),
    "find by name": lambda _dialect, key, _users: (groups.GROUPS_BY_NAME, key | {"limit": 2}),
    "groups of a user": lambda _dialect, key, users: (user_groups.GROUPS_OF_USER, key | {"user_id": users[4]}),
    "lock the groups of a user": lambda _dialect, key, users: (
        user_groups.LOCK_GROUPS_OF_USER,
        key | {"user_id": users[4]},
    ),
    "lock one whose role may change": _roles("LOCK"),
    "count who would lose a role": _roles("LOSERS"),
    "enter the new role into the feed": _roles("ENTER"),
    "replace values under the new role": _roles("REPLACE_VALUES"),
    "set the role": _roles("SET_ROLE"),
    "leave all groups": lambda _dialect, key, users: (user_groups.LEAVE, key | {"user_id": users[4], "at": LATER}),
}


@pytest.mark.parametrize("statistics", ["current", "missing", "of small groups"])
def test_the_work_does_not_depend_on_the_size_of_the_group(acme: Enterprise, sizes: Sizes, statistics: str) -> None:
    with acme.app.app_context(), writing() as connection:
        if connection.dialect.name == "postgresql":
            _set_statistics(connection, statistics)
        elif statistics != "missing":
            pytest.skip("SQLite has no statistics")

    work = {name: {size: _count(acme, *sizes[size], name) for size in sizes} for name in STATEMENTS}

    assert {
        name: by_size for name, by_size in work.items() if not 0 < by_size[LARGE] <= 1.5 * by_size[SMALL] + 50
    } == {}


def _set_statistics(connection: Connection, kind: str) -> None:
    """Let PostgreSQL know nothing about the members, know them as they are, or believe that all groups are small."""
    connection.exec_driver_sql("ANALYZE users")
    if kind == "of small groups":
        connection.exec_driver_sql("ALTER TABLE group_members ALTER group_id SET (n_distinct = -0.5)")
        connection.exec_driver_sql("ALTER TABLE group_members ALTER group_id SET STATISTICS 0")
    if kind != "missing":
        connection.exec_driver_sql("ANALYZE group_members")
    connection.exec_driver_sql("ALTER TABLE group_members ALTER group_id RESET (n_distinct)")
    connection.exec_driver_sql("ALTER TABLE group_members ALTER group_id SET STATISTICS -1")
    if kind == "missing":
        connection.exec_driver_sql("DELETE FROM pg_statistic WHERE starelid = 'group_members'::regclass")


def _count(acme: Enterprise, group: StoredGroup, users: list[str], name: str) -> int:
    enterprise_id = acme.made["id"]
    key = {"in_enterprise": enterprise_id, "of_group": group.id, "enterprise_id": enterprise_id, "id": group.id}
    with rolled_back(acme) as connection:
        query, parameters = STATEMENTS[name](connection.dialect.name, key | {"key": f"group {group.members}"}, users)
        query.prepared_for(connection.dialect)
    counted: list[int] = []
    with rolled_back(acme) as connection:
        counted.append(_work(connection, query, parameters))
    return counted[0]


class _RolledBack(Exception):
    """Ends a transaction without a commit."""


@contextmanager
def rolled_back(acme: Enterprise) -> Iterator[Connection]:
    """Open a transaction for writing that is rolled back at the end."""
    with suppress(_RolledBack), acme.app.app_context(), writing() as connection:
        yield connection
        raise _RolledBack


def _work(connection: Connection, query: Query[Any] | Write, parameters: dict[str, Any]) -> int:
    prepared = query.prepared_for(connection.dialect)
    values = prepared.values(parameters)
    if connection.dialect.name == "sqlite":
        return _instructions(connection, prepared.text, values)
    ((plan,),) = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {prepared.text}", values).all()
    return sum(_rows(plan[0]["Plan"]))


def _instructions(connection: Connection, statement: str, values: Any) -> int:
    database = connection.connection.driver_connection
    assert database is not None
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    database.set_progress_handler(step, 1)
    try:
        database.execute(statement, values).fetchall()
    finally:
        database.set_progress_handler(None, 1)
    return count


def _rows(node: dict[str, Any]) -> Iterator[int]:
    """Yield the rows that each step of a plan read, with those that a filter removed."""
    read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Join Filter", 0)
    yield round(read * node["Actual Loops"]) + 1
    for child in node.get("Plans", []):
        yield from _rows(child)
