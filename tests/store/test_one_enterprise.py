"""Each statement of a SCIM request names the enterprise, so that a database distributed by enterprise uses one shard."""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, event

from scimsvc.extensions import Model, db
from scimsvc.store.engine.database import current_database
from scimsvc.store.fast import driver
from tests.support.apps import make_api, make_enterprise, run_command
from tests.support.client import Enterprise
from tests.support.databases import StoredAcme, empty_postgresql
from tests.support.replay import Answer, payload_files, payload_id, replay

#: The column by which each table would be distributed. Accounts may belong to no enterprise.
KEYS = {
    table.name: "enterprise_id"
    for table in Model.metadata.sorted_tables
    if "enterprise_id" in table.columns and table.name != "admins"
} | {"enterprises": "id"}
_NAMES = "|".join(KEYS)
_TABLE = re.compile(
    rf'(?:\b(?:FROM|JOIN|UPDATE|INTO)\s+"?({_NAMES})"?\b|,\s*"?({_NAMES})"?(?=\s+(?:AS|WHERE|JOIN|LEFT)\b))(?: AS "?(\w+)"?)?'
)
_EQUAL = re.compile(r"(\w+)\.(\w+) = (\w+)\.(\w+)")
_BOUND = re.compile(r"(?:(\w+)\.)?(\w+) = %\(")
_INSERTED = re.compile(r'INSERT INTO "?(\w+)"? \(([^()]*)\)')


@cache
def unbound_tables(statement: str) -> AbstractSet[str]:
    """Return the tables in ``statement`` without an equality of their key with a parameter, or with a bound table."""
    statement = " ".join(statement.split())
    tables = {alias or first or next_: first or next_ for first, next_, alias in _TABLE.findall(statement)}
    bound = {
        table or next(iter(tables), "")
        for table, column in _BOUND.findall(statement)
        if (KEYS.get(tables.get(table, "")) == column if table else len(tables) == 1 and column == "enterprise_id")
    }
    # A condition with OR does not bind.
    if " OR enterprises." in statement:
        bound -= {"enterprises"}
    bound |= {name for name, columns in _INSERTED.findall(statement) if "enterprise_id" in columns}
    joined = [
        {first, second}
        for first, column, second, other in _EQUAL.findall(statement)
        if KEYS.get(tables.get(first, "")) == column and KEYS.get(tables.get(second, "")) == other
    ]
    for _ in joined:
        bound |= {name for pair in joined if pair & bound for name in pair}
    return tables.keys() - bound


@contextmanager
def unbound(app: Flask) -> Iterator[dict[str, AbstractSet[str]]]:
    """Collect the statements that run during the block and leave a table unbound, with these tables."""
    found: dict[str, AbstractSet[str]] = {}
    execute = driver.execute

    def look(statement: str) -> None:
        tables = unbound_tables(statement)
        if tables:
            found[statement] = tables

    def on_driver(connection: Connection, statement: str, *arguments: Any) -> Any:
        look(statement)
        return execute(connection, statement, *arguments)

    def on_sqlalchemy(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        look(statement)

    with app.app_context():
        engine = db.engine
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(driver, "execute", on_driver)
        event.listen(engine, "before_cursor_execute", on_sqlalchemy)
        try:
            yield found
        finally:
            event.remove(engine, "before_cursor_execute", on_sqlalchemy)


@pytest.fixture
def database_url(empty_postgresql_url: str) -> str:
    return empty_postgresql_url


def test_every_statement_of_entra_s_requests_names_the_enterprise(
    app: Flask, stored_acme: StoredAcme, database_url: str
) -> None:
    paths = [path for path in payload_files() if payload_id(path).startswith("entra/")]
    exchanges = 0
    for path in paths:
        empty_postgresql(database_url)
        stored_acme.rows.copy_to(database_url)
        with app.app_context():
            current_database().note_settings_change()
        acme = Enterprise(app, stored_acme.result, stored_acme.token)
        acme.find('userName eq "first"')  # the token is remembered

        def send(method: str, path: str, query: dict[str, str], headers: dict[str, str], body: str | None) -> Answer:
            with unbound(app) as found:
                answer = acme.send(method, path, body, query=query, headers=headers)  # noqa: B023
            assert found == {}
            return Answer(answer.status_code, answer.headers, answer.text)

        exchanges += replay(path, acme.name, send=send, run=partial(run_command, app))

    assert exchanges > 50


def test_requests_of_the_enterprise_api_find_the_enterprise_by_its_id(app: Flask) -> None:
    acme = make_enterprise(app, "Acme")
    user = acme.create()
    api = make_api(acme)
    api.get("/enterprise")

    with unbound(app) as found:
        for path in ("/enterprise", "/users", f"/users/{user['id']}", "/roles", "/changes", "/provisioning-log"):
            api.get(path)

    assert found == {}


@pytest.mark.parametrize(
    ("statement", "tables"),
    [
        ("SELECT users.id FROM users WHERE users.enterprise_id = %(e)s", set()),
        ("SELECT users.id FROM users WHERE users.id = %(e)s", {"users"}),
        ("SELECT 1 FROM users JOIN roles AS r ON r.enterprise_id = users.enterprise_id WHERE r.enterprise_id = %(e)s", set()),
        ("SELECT 1 FROM users JOIN roles AS r ON r.id = users.role_id WHERE users.enterprise_id = %(e)s", {"r"}),
        ("SELECT 1 FROM enterprises WHERE enterprises.id = %(e)s OR enterprises.name_key = %(n)s", {"enterprises"}),
        ("INSERT INTO feeds (enterprise_id, number) VALUES (%(e)s, 1)", set()),
        ("DELETE FROM tokens WHERE id = %(i)s", {"tokens"}),
    ],
)  # fmt: skip
def test_the_check_finds_statements_for_several_shards(statement: str, tables: set[str]) -> None:
    assert unbound_tables(statement) == tables
