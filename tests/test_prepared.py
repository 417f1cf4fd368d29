"""Prepared statements are what SQLAlchemy would have made of them: the rows, the values, the failures."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from scimsvc.extensions import db
from scimsvc.models import Enterprise, Setting, User
from scimsvc.store import queries
from scimsvc.store.prepared import Prepared
from tests.client import Enterprise as Client

INSERT = Prepared(insert(Setting))
UPDATE = Prepared(update(Setting).where(Setting.name == bindparam("called")).values(value=bindparam("new")))
DELETE = Prepared(delete(Setting).where(Setting.name == bindparam("called")))
SETTINGS = Prepared(select(Setting.name, Setting.value).order_by(Setting.name))


@pytest.fixture(autouse=True)
def _in_context(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def hot_statements(client: Client) -> list[Any]:
    user = client.create()
    with db.engine.connect() as connection:
        enterprise_id = connection.execute(select(Enterprise.id)).scalar_one()
    own = {"enterprise_id": enterprise_id}
    page = own | {"limit": 100}
    return [
        (queries.USER, own | {"id": user["id"]}),
        (queries.USER_BY_ADDRESS, own | {"key": user["emails"][0]["value"]}),
        (queries.USERS_FROM, page | {"offset": 0}),
        (queries.USERS_AFTER, page | {"after": ""}),
        (queries.USERS_TOTAL, own),
        (Prepared(select(User.search, User.active, User.has_other_emails)), {}),
        (Prepared(select(Enterprise).where(Enterprise.scim_enabled == bindparam("on"))), {"on": True}),
        (Prepared(select(User.id).where(User.active).limit(1)), {}),
    ]


def test_rows_are_what_sqlalchemy_gives(acme: Client) -> None:
    for prepared, parameters in hot_statements(acme):
        with db.engine.connect() as connection:
            expected = connection.execute(prepared.statement, parameters).all()
            rows = prepared.rows(connection, parameters)

        assert [row._asdict() for row in rows] == [row._asdict() for row in expected] != []
        assert [list(map(type, row)) for row in rows] == [list(map(type, row)) for row in expected]


def test_statements_change_rows_in_the_transaction_they_run_in(acme: Client) -> None:
    with db.engine.begin() as connection:
        INSERT.execute(connection, {"name": "a", "value": 1})
        INSERT.execute(connection, {"name": "b", "value": 2})
    with db.engine.connect() as connection, connection.begin() as transaction:
        changed = UPDATE.execute(connection, {"called": "a", "new": 3}), DELETE.execute(connection, {"called": "c"})
        within = SETTINGS.rows(connection, {})
        transaction.rollback()
        after = SETTINGS.rows(connection, {})

    assert changed == (1, 0)
    assert (within, after) == ([("a", 3), ("b", 2)], [("a", 1), ("b", 2)])
    assert after[0].value == 1


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        pytest.param(INSERT, {"name": "a", "value": 1}, id="twice"),
        pytest.param(UPDATE, {"called": "b", "new": None}, id="nothing where something must be"),
    ],
)
def test_failures_are_what_sqlalchemy_raises(acme: Client, statement: Prepared, parameters: dict[str, Any]) -> None:
    with db.engine.begin() as connection:
        connection.execute(INSERT.statement, [{"name": "a", "value": 1}, {"name": "b", "value": 1}])
    with db.engine.connect() as connection, pytest.raises(IntegrityError) as by_sqlalchemy:
        connection.execute(statement.statement, parameters)
    with db.engine.connect() as connection, pytest.raises(IntegrityError) as by_driver:
        statement.execute(connection, parameters)
    raised = [by_sqlalchemy.value, by_driver.value]

    assert str(raised[0].orig) == str(raised[1].orig)
    assert [each.connection_invalidated for each in raised] == [False, False]


def test_a_lost_connection_is_parted_with(acme: Client) -> None:
    with db.engine.connect() as connection:
        end_connection(connection)
        with pytest.raises(DBAPIError) as caught:
            SETTINGS.rows(connection, {})

        assert connection.invalidated
    assert caught.value.connection_invalidated
    with db.engine.connect() as connection:
        assert SETTINGS.rows(connection, {}) == []


def test_a_table_that_is_not_there_is_told_as_sqlalchemy_tells_it(acme: Client) -> None:
    with db.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE settings")
    with db.engine.connect() as connection, pytest.raises(DBAPIError) as caught:
        SETTINGS.rows(connection, {})

    assert isinstance(caught.value, OperationalError) == (db.engine.dialect.name == "sqlite")
    assert "settings" in caught.value.statement


def end_connection(connection: Any) -> None:
    if connection.dialect.name == "sqlite":
        connection.connection.dbapi_connection.close()
    else:
        (own,) = connection.exec_driver_sql("SELECT pg_backend_pid()").one()
        connection.rollback()
        with db.engine.connect() as other:
            other.exec_driver_sql(f"SELECT pg_terminate_backend({own})").all()
