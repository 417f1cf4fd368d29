"""Fixtures. Every test that uses a database runs on SQLite and on PostgreSQL."""

import gc
import os
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from hypothesis import HealthCheck, settings

from scimsvc import create_app
from tests.support.apps import SECRET_KEY, dispose, make_api, make_enterprise, run_command
from tests.support.client import Api, Enterprise
from tests.support.compiled import (
    remember_compiled_rules,
    remember_compiled_templates,
    remember_registered_front_ends,
)
from tests.support.databases import (
    MEMORY,
    StoredAcme,
    StoredRows,
    create_schema,
    empty_postgresql,
    new_postgresql,
    sqlite_url,
)
from tests.support.kept_connections import keep_postgresql_connections
from tests.support.long_runs import LONG
from tests.support.passwords import hash_quickly
from tests.support.receivers import certificate
from tests.support.types import MakeApp

# Slow generation is a property of the machine, not of the tested code.
settings.register_profile("scimsvc", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("scimsvc")


# The tests start hundreds of processes, which need not compile the package each time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_configure() -> None:
    """Let Ctrl-C end the commands that tests start, even if a shell runs the tests in the background and ignores it."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers() -> int:
    """Return two workers for each processor, because tests of real servers spend most of their time waiting."""
    return 2 * (os.cpu_count() or 1)


#: The folders and files with tests of front ends. Their queries are tested on both databases elsewhere.
FRONT_ENDS = tuple(Path(__file__).parent / name for name in ("console", "cli", "activity/test_audit_walk.py"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests that run on PostgreSQL, and mix files that wait with files that work, the longest first."""
    for item in items:
        if runs_on_postgresql(item):
            item.add_marker(pytest.mark.postgresql)
    _deselect(config, items)
    waiting = Counter(item.path for item in items if item.get_closest_marker("slow"))
    files = list(dict.fromkeys(item.path for item in items))
    waiting_files = [path for path, _ in waiting.most_common()]
    working_files = [path for path in files if path not in waiting]
    # The last fifth of the run has only short files, so that no worker waits for another one at the end.
    position = {path: 0.8 * number / len(waiting_files) for number, path in enumerate(waiting_files)}
    position |= {path: number / len(working_files) for number, path in enumerate(working_files)}
    items.sort(key=lambda item: position[item.path])


def _deselect(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect tests of front ends on PostgreSQL, unless they are marked or the run is long."""
    if LONG:
        return
    deselected = [item for item in items if _is_for_long_runs(item)]
    config.hook.pytest_deselected(items=deselected)
    items[:] = [item for item in items if not _is_for_long_runs(item)]


def _is_for_long_runs(item: pytest.Item) -> bool:
    is_of_front_end = any(item.path.is_relative_to(path) for path in FRONT_ENDS)
    on_postgresql = getattr(item, "callspec", None) is not None and "postgresql" in item.name
    return is_of_front_end and on_postgresql and item.get_closest_marker("both_databases") is None


def runs_on_postgresql(item: pytest.Item) -> bool:
    """Return whether a test requires a PostgreSQL server, by a parameter or by a fixture."""
    parameters = getattr(item, "callspec", None)
    names = set(getattr(item, "fixturenames", ()))
    return bool(
        (parameters and "postgresql" in parameters.params.values())
        or names & {"postgresql_url", "empty_postgresql_url", "cluster"}
    )


@pytest.fixture(scope="session", autouse=True)
def _rules_and_templates_are_compiled_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        remember_compiled_rules(patch)
        remember_compiled_templates(patch)
        remember_registered_front_ends(patch)
        yield


@pytest.fixture(scope="session", autouse=True)
def _connections_to_postgresql_are_kept() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        waiting = keep_postgresql_connections(patch)
        yield
    for connection in waiting:
        connection.close()


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[pytest.MonkeyPatch]:
    """Hash passwords quickly in this process."""
    with pytest.MonkeyPatch.context() as patch:
        hash_quickly(patch)
        yield patch


@pytest.fixture
def real_passwords(quick_passwords: pytest.MonkeyPatch) -> Iterator[None]:
    """Hash passwords with their real cost in one test."""
    quick_passwords.undo()
    yield
    hash_quickly(quick_passwords)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("SCIMSVC_") and name != "SCIMSVC_TEST_POSTGRESQL_URL":
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A PostgreSQL database with the schema for this run, dropped at the end."""
    try:
        with new_postgresql() as url:
            create_schema(url)
            yield url
    except psycopg.OperationalError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI runs on PostgreSQL too, and no server answers: {error}")
        pytest.skip("no PostgreSQL server answers")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the schema, as a template to copy."""
    path = tmp_path_factory.mktemp("template") / "scimsvc.db"
    create_schema(sqlite_url(path))
    return path


@pytest.fixture
def sqlite_file(sqlite_template: Path) -> Iterator[Path]:
    """A SQLite file with the schema, in memory if possible, because few tests concern the disk."""
    with tempfile.TemporaryDirectory(prefix="scimsvc_test_", dir=MEMORY, ignore_cleanup_errors=True) as folder:
        yield Path(shutil.copy(sqlite_template, folder))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database with the schema."""
    if request.param == "sqlite":
        return sqlite_url(request.getfixturevalue("sqlite_file"))
    url: str = request.getfixturevalue("empty_postgresql_url")
    return url


@pytest.fixture
def empty_postgresql_url(postgresql_url: str) -> str:
    """The URL of a PostgreSQL database with the schema and without rows."""
    empty_postgresql(postgresql_url)
    return postgresql_url


@pytest.fixture
def make_app(database_url: str, tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    """Create apps on the test's database, with further settings."""
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
def app(make_app: MakeApp) -> Flask:
    return make_app()


@pytest.fixture
def cli(app: Flask) -> Callable[..., Any]:
    """Run a command with --json and return what it prints."""
    return lambda *words: run_command(app, *words)


@pytest.fixture
def acme(app: Flask, stored_acme: StoredAcme) -> Enterprise:
    """An enterprise with SCIM enabled and the roles of the payload files."""
    stored_acme.rows.copy_to(app.config["SQLALCHEMY_DATABASE_URI"])
    return Enterprise(app, deepcopy(stored_acme.result), stored_acme.token)


@pytest.fixture(scope="session")
def stored_acme(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> StoredAcme:
    """The rows of ``acme``, written once by commands because thousands of tests start with them."""
    path = Path(shutil.copy(sqlite_template, tmp_path_factory.mktemp("acme")))
    app = create_app({"DATABASE_URL": sqlite_url(path), "SECRET_KEY": SECRET_KEY})
    acme = make_enterprise(app, "Acme")
    dispose(app)
    return StoredAcme(StoredRows(path), acme.made, acme.token)


@pytest.fixture
def api(acme: Enterprise) -> Api:
    """The enterprise API of ``acme``."""
    return make_api(acme)


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of localhost and hooks.example.com with its key."""
    return certificate(tmp_path_factory.mktemp("certificate"), "localhost", "hooks.example.com")


@pytest.fixture
def trusted(pem: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The certificate, trusted by this process and by those that it starts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    return pem


def pytest_collection_finish() -> None:
    """Exclude collected tests from garbage collection, because each run would visit thousands of items."""
    gc.collect()
    gc.freeze()
