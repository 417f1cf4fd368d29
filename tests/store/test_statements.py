"""Statements return the same rows from the driver and from SQLAlchemy."""

import importlib
import pkgutil
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any, NamedTuple, TypeVar

import pytest
from flask import Flask
from sqlalchemy import Dialect, bindparam, create_engine, delete, insert, select, update
from sqlalchemy.exc import NoResultFound

from scimsvc import fast_paths, store
from scimsvc.models import Enterprise, Role, Setting
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.engine.transactions import reading, writing
from scimsvc.store.fast.prepared import prepare_statement, selected_columns

StatementT = TypeVar("StatementT")


class SettingRow(NamedTuple):
    name: str
    value: int


class RoleRow(NamedTuple):
    name: str
    is_default: bool


class EnterpriseAndRole(NamedTuple):
    enterprise: str
    role: RoleRow


SETTINGS = Query(select(Setting.name, Setting.value).order_by(Setting.name), SettingRow)
ONE_SETTING = Query(select(Setting.name, Setting.value).where(Setting.name == bindparam("name")), SettingRow)
PLAIN = Query(select(Setting.name, Setting.value).order_by(Setting.name), tuple)
ROLES = Query(
    select(Enterprise.name, Role.name, Role.is_default)
    .join(Role, Role.enterprise_id == Enterprise.id)
    .order_by(Role.name),
    EnterpriseAndRole,
)
INSERT = Write(insert(Setting))
UPDATE = Write(update(Setting).where(Setting.name == bindparam("old_name")), columns=["value"])
DELETE = Write(delete(Setting).where(Setting.name == bindparam("old_name")))


@pytest.fixture(autouse=True, params=["fast", "general"])
def _either_way(app: Flask, request: pytest.FixtureRequest) -> Iterator[None]:
    way = fast_paths.disabled() if request.param == "general" else nullcontext()
    with app.app_context(), way:
        yield


@pytest.fixture(autouse=True)
def _two_settings(_either_way: None) -> None:
    with writing() as connection:
        INSERT.run_many(connection, [{"name": "a", "value": 1}, {"name": "b", "value": 2}])


def test_rows_have_the_type_of_their_query() -> None:
    with reading() as connection:
        rows = SETTINGS.all(connection)

    assert rows == [SettingRow("a", 1), SettingRow("b", 2)]
    assert all(type(row) is SettingRow for row in rows)


def test_plain_rows_are_tuples() -> None:
    with reading() as connection:
        assert list(map(type, PLAIN.all(connection))) == [tuple, tuple]


def test_a_join_returns_a_row_for_each_side(acme: object) -> None:
    with reading() as connection:
        row = ROLES.all(connection)[0]

    assert (row.enterprise, type(row.role), type(row.role.is_default)) == ("Acme", RoleRow, bool)


def test_first_and_one_differ_without_a_row() -> None:
    with reading() as connection:
        assert ONE_SETTING.one(connection, {"name": "b"}) == ("b", 2)
        assert ONE_SETTING.first(connection, {"name": "c"}) is None
        with pytest.raises(NoResultFound):
            ONE_SETTING.one(connection, {"name": "c"})
        with pytest.raises(NoResultFound):
            SETTINGS.one(connection)


def test_long_reads_yield_the_same_rows() -> None:
    with reading() as connection:
        assert list(SETTINGS.iterate(connection)) == SETTINGS.all(connection)


def test_a_dynamic_query_returns_the_same_rows() -> None:
    dynamic = Query(SETTINGS.statement, SettingRow, dynamic=True)

    with reading() as connection:
        rows = dynamic.all(connection)

    assert (rows, type(rows[0])) == ([("a", 1), ("b", 2)], SettingRow)


def test_a_write_returns_the_number_of_changed_rows() -> None:
    dynamic = Write(update(Setting).values(value=4), dynamic=True)

    with writing() as connection:
        assert INSERT.run(connection, {"name": "c", "value": 3}) == 1
        assert UPDATE.run(connection, {"old_name": "c", "value": 5, "name": "ignored"}) == 1
        assert ONE_SETTING.one(connection, {"name": "c"}).value == 5
        assert dynamic.run(connection) == 3
        assert DELETE.run(connection, {"old_name": "c"}) == 1
        assert DELETE.run(connection, {"old_name": "c"}) == 0


def test_writing_no_rows_runs_no_statement() -> None:
    with writing() as connection:
        INSERT.run_many(connection, [])
        assert len(SETTINGS.all(connection)) == 2


def declared(kind: type[StatementT]) -> dict[str, StatementT]:
    """Return the statements of a kind that the store's modules declare, by name."""
    return {
        f"{module.name}.{name}": value
        for module in pkgutil.walk_packages(store.__path__, "scimsvc.store.")
        for name, value in vars(importlib.import_module(module.name)).items()
        if isinstance(value, kind)
    }


def test_no_query_puts_a_column_into_another_column_s_field() -> None:
    queries = declared(Query)

    wrong = {name: pairs for name, query in queries.items() if (pairs := misplaced(query))}

    assert len(queries) > 20
    assert wrong == {}


@pytest.mark.parametrize(
    "dialect",
    [create_engine("sqlite://").dialect, create_engine("postgresql+psycopg://").dialect],
    ids=["sqlite", "postgresql"],
)
def test_every_query_is_prepared_for_either_database(dialect: Dialect) -> None:
    for query in declared(Query).values():
        prepare_statement(query.statement, None, dialect)


def misplaced(query: Query[Any]) -> list[tuple[str | None, str]]:
    """Return columns with their fields if the column has the name of another field."""
    fields = fields_of(query.row_type)
    columns = [column.key for column in selected_columns(query.statement)]
    pairs = list(zip(columns or fields, fields, strict=True))  # the columns of SQL text are unknown
    return [(column, field) for column, field in pairs if column != field and column in fields]


def fields_of(row_type: Any) -> list[str]:
    """Return the names of the columns of a row, including those of its parts, in order."""
    types = row_type.__annotations__
    parts = {name: fields_of(types[name]) if hasattr(types[name], "_fields") else [name] for name in row_type._fields}
    return [name for names in parts.values() for name in names]
