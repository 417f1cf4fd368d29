"""A prepared statement returns the same values and raises the same errors as SQLAlchemy."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, bindparam, insert, literal, select, text, type_coerce
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, ProgrammingError

from scimsvc.extensions import db
from scimsvc.models import Role, Searchable, Setting, User
from scimsvc.store import profiles, roles, user_pages, users
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.engine.transactions import reading, writing
from tests.support.client import Enterprise


@pytest.fixture(autouse=True)
def _in_context(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.mark.parametrize(
    "query", [users.ENTERPRISE_RULES, users.USER_FOR_UPDATE, roles.NAMED_ROLES, profiles.PROFILE_FOR_UPDATE]
)
def test_rows_of_writes_are_those_of_sqlalchemy(acme: Enterprise, query: Query[Any]) -> None:
    user = acme.create()

    with writing() as connection:
        parameters = {
            "enterprise_id": connection.execute(select(Role.enterprise_id)).scalars().first(),
            "id": user["id"],
            "key": "",
            "default_role": "",
        }
        expected = connection.execute(query.statement, parameters).all()
        rows = query.all(connection, parameters)

    assert [row._asdict() for row in rows] == [dict(row._mapping) for row in expected] != []
    assert [list(map(type, row)) for row in rows] == [list(map(type, row)) for row in expected]


def test_rows_of_reads_are_those_of_sqlalchemy(acme: Enterprise) -> None:
    user = acme.create()
    with reading() as connection:
        own = {"enterprise_id": connection.execute(select(Role.enterprise_id)).scalars().first()}
        page = own | {"limit": 100}
        asked: list[tuple[Query[Any], dict[str, Any]]] = [
            (users.USER, own | {"id": user["id"]}),
            (users.USER_BY_ADDRESS, own | {"key": user["emails"][0]["value"]}),
            (user_pages.USERS_FROM, page | {"offset": 0}),
            (user_pages.USERS_AFTER, page | {"after": ""}),
            (user_pages.ENTERPRISE_VIEW, own),
            (Query(select(User.search, User.active, User.has_other_emails), tuple), {}),
            (Query(select(User.id).where(User.active).limit(1), tuple), {}),
        ]
        for query, parameters in asked:
            expected = connection.execute(query.statement, parameters).all()
            rows = query.all(connection, parameters)

            assert [tuple(row) for row in rows] == [tuple(row) for row in expected] != []
            assert [getattr(row, "_fields", expected[0]._fields) for row in rows] == [row._fields for row in expected]
            assert [list(map(type, row)) for row in rows] == [list(map(type, row)) for row in expected]


def test_a_lost_connection_is_discarded() -> None:
    settings = Query(select(Setting.name, Setting.value), tuple)
    with db.engine.connect() as connection:
        _end(connection)
        with pytest.raises(DBAPIError) as raised:
            settings.all(connection)

        assert connection.invalidated
    assert raised.value.connection_invalidated
    with db.engine.connect() as connection:
        assert settings.all(connection) == []


def _end(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.connection.driver_connection.close()  # type: ignore[union-attr]
        return
    own = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    connection.rollback()
    with db.engine.connect() as other:
        other.exec_driver_sql(f"SELECT pg_terminate_backend({own})").all()


def test_values_are_converted_and_those_of_the_expression_are_kept() -> None:
    statement = select(
        (bindparam("number", type_=Setting.value.type) + literal(1)).label("next"),
        type_coerce(bindparam("search", type_=Searchable), Searchable).label("search"),
    ).limit(1)

    with reading() as connection:
        row = Query(statement, tuple).one(connection, {"number": 6, "search": {"a": [True, "ß"]}})

    assert row == (7, {"a": [True, "ß"]})


def test_a_statement_may_return_no_row() -> None:
    with reading() as connection:
        assert users.ENTERPRISE_RULES.first(connection, {"enterprise_id": "none"}) is None


def test_errors_are_sqlalchemy_s() -> None:
    insert_setting = Write(insert(Setting))

    with writing() as connection:
        insert_setting.run(connection, {"name": "a", "value": 1})

    with pytest.raises(IntegrityError, match="settings"), writing() as connection:
        insert_setting.run(connection, {"name": "a", "value": 1})

    with pytest.raises(DBAPIError) as raised, reading() as connection:
        Write(text("DELETE FROM no_such_table")).run(connection)
    assert type(raised.value) is (ProgrammingError if db.engine.name == "postgresql" else OperationalError)
    assert raised.value.orig is raised.value.__cause__
    assert not raised.value.connection_invalidated


def test_a_connection_that_cannot_write_is_discarded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scimsvc.store.fast.driver.is_lost", lambda _error: True)

    with pytest.raises(DBAPIError) as raised, reading() as connection:
        Write(text("DELETE FROM no_such_table")).run(connection)

    assert raised.value.connection_invalidated
    with reading() as connection:
        assert Query(select(Setting.name, Setting.value), tuple).all(connection) == []
