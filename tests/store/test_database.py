"""The threads of an app share the state of its database; two apps in one process do not."""

import shutil
from pathlib import Path

import pytest
from flask import Flask

from scimsvc.store.engine import transactions
from scimsvc.store.engine.database import Database, current_database
from scimsvc.store.engine.transactions import rehearsing, writing
from tests.support.apps import make_enterprise
from tests.support.types import MakeApp


@pytest.fixture
def two_apps(make_app: MakeApp, sqlite_template: Path, tmp_path: Path) -> tuple[Flask, Flask]:
    """Two apps in one process, each with its own SQLite database."""
    paths = [shutil.copy(sqlite_template, tmp_path / f"{name}.db") for name in ("first", "second")]
    first, second = (make_app(DATABASE_URL=f"sqlite:///{path}") for path in paths)
    return first, second


def database_of(app: Flask) -> Database:
    with app.app_context():
        return current_database()


def test_an_app_does_not_wait_for_the_write_lock_of_another(
    two_apps: tuple[Flask, Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two_apps
    enterprise = make_enterprise(second, "Acme")
    monkeypatch.setattr(transactions, "LOCK_TIMEOUT", 0.0)

    with first.app_context(), writing():
        held = database_of(first).write_lock
        user = enterprise.create()

    assert enterprise.get(user) == user
    assert database_of(second).write_lock is not held


def test_a_change_of_settings_invalidates_the_caches_of_its_own_app_only(two_apps: tuple[Flask, Flask]) -> None:
    first, second = two_apps
    before = [database_of(app).settings_epoch for app in two_apps]

    make_enterprise(first, "Acme")

    assert database_of(first).settings_epoch != before[0]
    assert database_of(second).settings_epoch == before[1]


def test_a_rehearsal_of_one_app_does_not_affect_the_writes_of_another(two_apps: tuple[Flask, Flask]) -> None:
    first, second = two_apps

    with first.app_context(), rehearsing(), second.app_context(), writing() as connection:
        assert connection.engine.url == database_of(second).engine.url
