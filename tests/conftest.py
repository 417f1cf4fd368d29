"""Fixtures: every test that touches a database runs on SQLite and on PostgreSQL."""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from sqlalchemy import Table, insert, select

from scimsvc import create_app
from scimsvc.extensions import Model, db
from tests.support.apps import (
    POSTGRESQL_URL,
    SECRET_KEY,
    dispose,
    empty_postgresql,
    make_api,
    make_enterprise,
    run_command,
)
from tests.support.client import Api, Enterprise
from tests.support.rules import remember_compiled_rules

#: The files that take longest. They begin first, so that at the end no process waits for another's.
_LONGEST = (
    "test_hostile_input",
    "test_description",
    "test_crash",
    "test_serving",
    "test_sqlite",
    "test_bad_input",
)


# That generating takes long tells of the machine, and not of what is tested.
settings.register_profile("scimsvc", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("scimsvc")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.stem not in _LONGEST)


@pytest.fixture(scope="session", autouse=True)
def _rules_are_compiled_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        remember_compiled_rules(patch)
        yield


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("SCIMSVC_") and name != "SCIMSVC_TEST_POSTGRESQL_URL":
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A PostgreSQL database of this run's own, with the schema; dropped at the end."""
    name = f"scimsvc_test_{secrets.token_hex(6)}"
    try:
        server = psycopg.connect(POSTGRESQL_URL, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI runs on PostgreSQL too, and no server answers: {error}")
        pytest.skip("no PostgreSQL server answers")
    with server:
        server.execute(f'CREATE DATABASE "{name}"')
        server.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')  # nobody pulls this plug
        url = POSTGRESQL_URL.rpartition("/")[0] + "/" + name
        try:
            app = create_app({"DATABASE_URL": url, "SECRET_KEY": SECRET_KEY})
            run_command(app, "init")
            dispose(app)
            yield url
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the schema, to be copied."""
    path = tmp_path_factory.mktemp("template") / "scimsvc.db"
    app = create_app({"DATABASE_URL": f"sqlite:///{path}", "SECRET_KEY": SECRET_KEY})
    run_command(app, "init")
    dispose(app)
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database with the schema."""
    if request.param == "sqlite":
        path = tmp_path / "scimsvc.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    url: str = request.getfixturevalue("empty_postgresql_url")
    return url


@pytest.fixture
def empty_postgresql_url(postgresql_url: str) -> str:
    """The URL of a PostgreSQL database with the schema and without rows."""
    empty_postgresql(postgresql_url)
    return postgresql_url


@pytest.fixture
def make_app(database_url: str, tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    """Make apps on the test's database, with further settings."""
    apps: list[Flask] = []

    def make(**settings: Any) -> Flask:
        given = {"DATABASE_URL": database_url, "INSTANCE_PATH": str(tmp_path / "instance"), "SECRET_KEY": SECRET_KEY}
        app = create_app(given | settings)
        apps.append(app)
        return app

    yield make
    for app in apps:
        dispose(app)


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app()


@pytest.fixture
def cli(app: Flask) -> Callable[..., Any]:
    """Run a command with --json and return what it prints."""
    return lambda *words: run_command(app, *words)


@pytest.fixture
def acme(app: Flask, acme_made: "Made") -> Enterprise:
    """An enterprise with SCIM enabled and the roles that the payload files know."""
    with app.app_context(), db.engine.begin() as connection:
        for table, rows in acme_made.rows.items():
            connection.execute(insert(table), rows)
    return Enterprise(app, deepcopy(acme_made.result), acme_made.token)


class Made(NamedTuple):
    """An enterprise as its rows, what its creation answered, and its SCIM token."""

    rows: dict[Table, list[dict[str, Any]]]
    result: dict[str, Any]
    token: str


@pytest.fixture(scope="session")
def acme_made(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """What the commands make of ``acme``: made once, as thousands of tests begin with it."""
    path = shutil.copy(sqlite_template, tmp_path_factory.mktemp("acme") / "scimsvc.db")
    app = create_app({"DATABASE_URL": f"sqlite:///{path}", "SECRET_KEY": SECRET_KEY})
    made = make_enterprise(app, "Acme")
    with app.app_context(), db.engine.connect() as connection:
        read = {table: connection.execute(select(table)).mappings() for table in Model.metadata.sorted_tables}
        rows = {table: [dict(row) for row in result] for table, result in read.items()}
    dispose(app)
    return Made({table: kept for table, kept in rows.items() if kept}, made.made, made.token)


@pytest.fixture
def api(acme: Enterprise) -> Api:
    """The enterprise API of ``acme``."""
    return make_api(acme)
