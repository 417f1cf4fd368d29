"""The row of a feed numbers its changes: without gaps, in commit order, and without subqueries or advisory locks."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, event, text

import scimsvc
from scimsvc.activity.feed_writing import UserChange, record_changes
from scimsvc.extensions import db
from scimsvc.store.engine.transactions import writing
from scimsvc.store.fast import driver
from scimsvc.store.feed import FeedEnd, get_end
from scimsvc.vocabulary import CREATED, DELETED, UPDATED
from tests.support.client import Enterprise
from tests.support.scim_groups import create_group
from tests.support.types import Cli

AT = "2026-11-27T10:00:00.000Z"
#: A value that is a subquery: Citus refuses it in an INSERT.
SUBQUERY_AS_VALUE = re.compile(
    r"\bINSERT INTO \S+ (\([^()]*\) )?VALUES (?:(?!\bON CONFLICT\b).)*\(\s*SELECT\b", re.DOTALL
)


@contextmanager
def recorded_statements(app: Flask) -> Iterator[list[str]]:
    """Record the text of each statement that runs during the block."""
    statements: list[str] = []
    execute = driver.execute

    def on_driver(connection: Connection, statement: str, *arguments: Any) -> Any:
        statements.append(statement)
        return execute(connection, statement, *arguments)

    def on_sqlalchemy(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    with app.app_context():
        engine = db.engine
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(driver, "execute", on_driver)
        event.listen(engine, "before_cursor_execute", on_sqlalchemy)
        try:
            yield statements
        finally:
            event.remove(engine, "before_cursor_execute", on_sqlalchemy)


def _end(acme: Enterprise) -> FeedEnd:
    with acme.app.app_context(), writing() as connection:
        return get_end(connection, acme.made["id"])


def _numbers(acme: Enterprise) -> list[tuple[int, int]]:
    """Return the number of each change, and the number of users after it."""
    with acme.app.app_context(), db.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text("SELECT number, users FROM changes ORDER BY number"))]


def _change(kind: str, user_id: str) -> UserChange:
    return UserChange(kind, user_id, f"{user_id}@contoso.example", [], "User", active=True)


def test_no_insert_has_a_subquery_as_value_and_no_statement_takes_an_advisory_lock(
    app: Flask, acme: Enterprise, cli: Cli
) -> None:
    with recorded_statements(app) as statements:
        users = [acme.create(email=f"{name}@contoso.example") for name in "abc"]
        group = create_group(acme, "Sales", [each["id"] for each in users])
        cli("role", "update", "Acme", "User", "--group", "Sales")
        cli("enterprise", "update", "Acme", "--removal-limit", "10")
        acme.patch(users[0], {"op": "replace", "path": "active", "value": False})
        acme.send("DELETE", f"/Users/{users[1]['id']}")
        cli("role", "update", "Acme", "User", "--rename", "Member")
        cli("user", "create", "Acme", "m@contoso.example", "--user-name", "m")
        acme.send("DELETE", f"/Groups/{group['id']}")
        cli("check")

    assert len(statements) > 50
    assert [each for each in statements if SUBQUERY_AS_VALUE.search(each)] == []
    assert [each for each in statements if "pg_advisory" in each] == []
    end = _end(acme)
    assert [number for number, _ in _numbers(acme)] == list(range(1, end.number + 1))
    assert end.users == 3
    assert SUBQUERY_AS_VALUE.search("INSERT INTO changes (a, b) VALUES (1, coalesce((SELECT max(number) FROM c), 0))")


def test_only_migrations_take_advisory_locks() -> None:
    root = Path(scimsvc.__file__).parent
    with_locks = [path for path in root.rglob("*.py") if "advisory" in path.read_text("utf-8")]

    assert {path.relative_to(root).parts[0] for path in with_locks} == {"migrations"}


def test_many_changes_count_the_users_after_each(acme: Enterprise) -> None:
    changes = [_change(CREATED, "a"), _change(CREATED, "b"), _change(UPDATED, "a"), _change(DELETED, "b")]
    with acme.app.app_context(), writing() as connection:
        record_changes(connection, acme.made["id"], changes, at=AT)
        record_changes(connection, acme.made["id"], [_change(CREATED, "c")], at=AT)

    assert _numbers(acme) == [(1, 1), (2, 2), (3, 2), (4, 1), (5, 2)]
    assert _end(acme) == FeedEnd(5, 2)


class _RolledBackError(Exception):
    """Rolls a transaction back."""


@pytest.mark.parametrize("is_committed", [True, False])
def test_a_write_waits_for_the_number_before_its_own(acme: Enterprise, is_committed: bool) -> None:
    created = threading.Event()

    def create() -> None:
        acme.create()
        created.set()

    second = threading.Thread(target=create)
    with suppress(_RolledBackError), acme.app.app_context(), writing() as connection:
        record_changes(connection, acme.made["id"], [_change(UPDATED, "a")], at=AT)
        second.start()
        assert not created.wait(0.3)
        assert _numbers_of_others(acme) == []
        if not is_committed:
            raise _RolledBackError
    second.join()

    first = [(1, 0)] if is_committed else []
    assert _numbers(acme) == [*first, (len(first) + 1, 1)]


def _numbers_of_others(acme: Enterprise) -> list[tuple[int, int]]:
    numbers: list[tuple[int, int]] = []
    reader = threading.Thread(target=lambda: numbers.extend(_numbers(acme)))
    reader.start()
    reader.join()
    return numbers
