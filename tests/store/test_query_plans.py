"""Every statement of Entra's requests finds its rows by an index, with any number of users.

The tests record the statements of real requests and explain them with the same values.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, event

from scimsvc.extensions import db
from scimsvc.store import audit, feed, log_reports, people, profiles, roles, user_counts, user_writes
from scimsvc.store.fast import driver
from tests.support.client import Enterprise
from tests.support.console import Console, make_admin, of
from tests.support.population import change_body, user_body

MATCH = 'emails[type eq "work"].value eq "{}"'


@dataclass(frozen=True)
class Statement:
    """A statement as the driver received it."""

    text: str
    values: Any


Send = Callable[[Enterprise, dict[str, Any]], Any]


def _list(**query: str) -> Send:
    return lambda client, _: client.send("GET", "/Users", query=query)


def _next_page(client: Enterprise, _: dict[str, Any]) -> Any:
    first = client.send("GET", "/Users", query={"cursor": "", "count": "1"}).get_json()
    return client.send("GET", "/Users", query={"cursor": first["nextCursor"], "count": "1"})


#: A kind of request, and parts that SQLite's plans must contain.
REQUESTS: dict[str, tuple[Send, list[str]]] = {
    "get": (
        lambda client, user: client.send("GET", f"/Users/{user['id']}"),
        ["users USING INDEX sqlite_autoindex_users_1 (enterprise_id=? AND id=?)"],
    ),
    "match": (
        lambda client, user: client.send("GET", "/Users", query={"filter": MATCH.format(user["emails"][0]["value"])}),
        ["users USING INDEX users_email (enterprise_id=? AND email_key=?)"],
    ),
    "match by externalId": (
        _list(filter='externalId eq "given.family1"'),
        ["users USING INDEX users_external_id (enterprise_id=? AND external_id=?)"],
    ),
    "match by userName": (
        _list(filter='userName eq "Given Family 1"'),
        ["users USING INDEX users_user_name (enterprise_id=? AND user_name_key=?)"],
    ),
    "first page": (
        _list(startIndex="1", count="2"),
        ["users USING INDEX sqlite_autoindex_users_1 (enterprise_id=?)", "feeds USING PRIMARY KEY (enterprise_id=?)"],
    ),
    "next page": (_next_page, ["users USING INDEX sqlite_autoindex_users_1 (enterprise_id=? AND id>?)"]),
    "by userName": (_list(sortBy="userName", count="2"), ["users USING INDEX users_user_name (enterprise_id=?)"]),
    "by lastModified": (
        _list(sortBy="meta.lastModified", count="2"),
        ["users USING INDEX users_modified (enterprise_id=?)"],
    ),
    "create": (lambda client, _: client.send("POST", "/Users", user_body("-new", "User")), []),
    "replace": (
        lambda client, user: client.send("PUT", f"/Users/{user['id']}", user_body("-other", "User")),
        ["users USING INDEX sqlite_autoindex_users_1 (enterprise_id=? AND id=?)"],
    ),
    "patch": (
        lambda client, user: client.send("PATCH", f"/Users/{user['id']}", change_body("1")),
        ["users USING INDEX sqlite_autoindex_users_1 (enterprise_id=? AND id=?)"],
    ),
    "delete": (
        lambda client, user: client.send("DELETE", f"/Users/{user['id']}"),
        ["users USING INDEX sqlite_autoindex_users_1 (enterprise_id=? AND id=?)"],
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_finds_its_rows_by_an_index(app: Flask, acme: Enterprise, name: str, cli: Any) -> None:
    cli("enterprise", "update", "Acme", "--removal-limit", "50", "--removal-percent", "100", "--removal-hours", "1")
    users = [acme.create(**user_body(number, "User")) for number in range(4)]
    send, expected = REQUESTS[name]

    with _recording(app) as statements:
        answer = send(acme, users[0])

    assert answer.status_code < 300, answer.get_data()
    asked = [each for each in statements if each.text.startswith(("SELECT", "UPDATE", "DELETE", "WITH"))]
    with app.app_context(), db.engine.connect() as connection:
        plans = {each.text: _plan(connection, each) for each in asked}
    assert plans
    assert {text: plan for text, plan in plans.items() if any(map(_reads_all, plan))} == {}
    if db_name(app) == "sqlite":
        steps = [step for plan in plans.values() for step in plan]
        assert [part for part in expected if not any(part in step for step in steps)] == [], steps
        assert [step for step in steps if "TEMP B-TREE FOR ORDER BY" in step] == []


@pytest.mark.parametrize(
    ("path", "words", "expected"),
    [
        pytest.param(
            "/users?search=ada+vance",
            ("user_name_key GLOB", "user_name_key LIKE"),
            "users USING COVERING INDEX users_user_name (enterprise_id=?)",
            id="search for words",
        ),
        pytest.param(
            "/users?source=manual&active=true",
            ("source = 'manual'",),
            "users USING INDEX users_manual (enterprise_id=?)",
            id="combined filters",
        ),
        pytest.param(
            "",
            ("min(provisioning_log_1.time)",),
            "provisioning_log_1 USING INDEX log_email (enterprise_id=? AND email_key=? AND id>?)",
            id="beginnings of errors",
        ),
    ],
)
def test_a_page_finds_its_rows_by_an_index(
    app: Flask, acme: Enterprise, path: str, words: tuple[str, ...], expected: str
) -> None:
    acme.create()
    acme.send("POST", "/Users", user_body("-refused", "Nobody"))
    with app.app_context(), db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE feeds SET users = 20001")
    console = Console(app, make_admin(app, "admin@acme.example", "Acme"))

    with _recording(app) as statements:
        console.get(of(acme) + path)

    asked = [each for each in statements if any(word in each.text for word in words)]
    with app.app_context(), db.engine.connect() as connection:
        plans = [_plan(connection, each) for each in asked]
    assert plans
    assert [plan for plan in plans if any(map(_reads_all, plan))] == []
    if db_name(app) == "sqlite":
        assert any(expected in step for plan in plans for step in plan), plans


def db_name(app: Flask) -> str:
    with app.app_context():
        return db.engine.dialect.name


@contextmanager
def _recording(app: Flask) -> Iterator[list[Statement]]:
    """Yield a list that collects the statements executed through SQLAlchemy and on the driver."""
    statements: list[Statement] = []
    execute = driver.execute

    def by_driver(connection: Connection, text: str, values: Any, *more: Any) -> Any:
        statements.append(Statement(text, values))
        return execute(connection, text, values, *more)

    def by_sqlalchemy(_connection: Any, _cursor: Any, text: str, values: Any, *_: Any) -> None:
        statements.append(Statement(text, values))

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", by_sqlalchemy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(driver, "execute", by_driver)
        try:
            yield statements
        finally:
            event.remove(engine, "before_cursor_execute", by_sqlalchemy)


def _plan(connection: Connection, statement: Statement) -> list[Any]:
    """Return the steps of the plan of ``statement``: SQLite's texts, or PostgreSQL's scans."""
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement.text}", tuple(statement.values)).all()
        return [row.detail for row in rows]
    # PostgreSQL would scan such small tables, unless sequential scans are discouraged.
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    ((plan,),) = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement.text}", statement.values or ()).all()
    return list(_scans(plan[0]["Plan"]))


def _scans(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if node["Node Type"].endswith("Scan"):
        yield {name: node[name] for name in ("Node Type", "Relation Name", "Index Name", "Index Cond") if name in node}
    for child in node.get("Plans", []):
        yield from _scans(child)


def _reads_all(step: Any) -> bool:
    """Return whether a step scans a whole table or index."""
    if isinstance(step, str):
        return step.startswith("SCAN") and "CONSTANT ROW" not in step
    if step["Node Type"] in ("Subquery Scan", "Bitmap Heap Scan", "CTE Scan", "Function Scan"):
        return False  # the steps below it decide
    return "Index Cond" not in step


OWN = {
    "enterprise_id": "e",
    "id": "i",
    "user_id": "i",
    "target_id": "i",
    "key": "k",
    "default_role": "d",
    "limit": 10,
    "since": "0",
    "until": "g",
}


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        pytest.param(log_reports.OPEN_REFUSALS.statement, "log_refused", id="open refusals"),
        pytest.param(log_reports.REFUSED_FOR_ROLE.statement, "log_refused", id="refusals for a role"),
        pytest.param(people.LAST_NAMED.statement, "log_user", id="the last address of a deleted user"),
        pytest.param(feed.EDITS.statement, "changes_by_hand", id="edits of a user"),
        pytest.param(audit.ABOUT_TARGET.statement, "audit_log_target", id="audit entries about a user"),
        pytest.param(user_counts.DISABLED_USERS.statement, "users_active", id="disabled users"),
        pytest.param(roles.USERS_BY_ROLE.statement, "users_role", id="users by role"),
        pytest.param(user_writes.FILL_UNIQUE_USER_NAMES.statement, "users_role", id="all users in the order of rows"),
        pytest.param(profiles.PROFILE.statement, "users_email", id="one user"),
        pytest.param(
            log_reports.HOURS.statement, "PRIMARY KEY (enterprise_id=? AND id>? AND id<?)", id="hours of the log"
        ),
        pytest.param(log_reports.IGNORED.statement, "PRIMARY KEY (enterprise_id=? AND id>?)", id="ignored attributes"),
    ],
)
def test_sqlite_looks_it_up_in_the_index(app: Flask, statement: Any, index: str) -> None:
    with app.app_context(), db.engine.connect() as connection:
        if connection.dialect.name != "sqlite":
            pytest.skip("PostgreSQL knows the sizes and decides by them")
        compiled = statement.compile(dialect=connection.dialect)
        values = tuple(OWN.get(name, 10) for name in compiled.positiontup)

        plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", values)]

    assert any(index in step for step in plan), plan
    assert not any(step.startswith("SCAN") and "recent" not in step and "newest" not in step for step in plan), plan
