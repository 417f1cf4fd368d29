"""``scimsvc init`` creates the schema of the models, also if it is repeated or run several times at once."""

import json
import sqlite3
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import create_engine, inspect, text

from scimsvc import create_app
from scimsvc.extensions import Model, db
from scimsvc.migrations import upgrade
from scimsvc.models import SCHEMA_REVISION
from tests.support.apps import dispose, run_command
from tests.support.client import Enterprise
from tests.support.commands import refusal
from tests.support.databases import new_postgresql
from tests.support.live import SCIMSVC, environment
from tests.support.types import Cli
from tests.support.urns import ENTERPRISE_URN


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/scimsvc.db"
        return
    request.getfixturevalue("postgresql_url")  # skips without a server
    with new_postgresql() as url:
        yield url


def _engine_url(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://")


def test_the_migrated_schema_is_that_of_the_models(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "compare_server_default": True,
                "target_metadata": Model.metadata,
                "include_name": lambda name, _kind, _parents: name != "schema_support",  # beside Alembic's table
            },
        )

        assert compare_metadata(context, Model.metadata) == []


def test_the_migrated_schema_has_the_checks_and_orders_of_the_models(app: Flask, tmp_path: Path) -> None:
    # Alembic does not compare checks, collations, ON DELETE of foreign keys, and partial indexes.
    with app.app_context():
        migrated = _describe(db.engine)
        if db.engine.dialect.name == "sqlite":
            engine = create_engine(f"sqlite:///{tmp_path}/models.db")
            Model.metadata.create_all(engine)
            modelled = _describe(engine)
        else:
            engine = db.engine.execution_options(schema_translate_map={None: "models"})
            with engine.begin() as connection:
                connection.execute(text("DROP SCHEMA IF EXISTS models CASCADE"))
                connection.execute(text("CREATE SCHEMA models"))
                Model.metadata.create_all(connection)
            modelled = _describe(engine, "models")
            with engine.begin() as connection:
                connection.execute(text("DROP SCHEMA models CASCADE"))
        engine.dispose()

    assert set(migrated) == {table.name for table in Model.metadata.sorted_tables}
    assert migrated == modelled


def _describe(engine: Any, schema: str | None = None) -> dict[str, Any]:
    inspector = inspect(engine)
    return {
        table: {
            "columns": {
                column["name"]: (repr(column["type"]), getattr(column["type"], "collation", None), column["nullable"])
                for column in inspector.get_columns(table, schema)
            },
            "checks": [check["sqltext"] for check in inspector.get_check_constraints(table, schema)],
            "foreign keys": sorted(
                (key["constrained_columns"], key["referred_table"], key["referred_columns"], sorted(key["options"].items()))
                for key in inspector.get_foreign_keys(table, schema)
            ),
            "indexes": sorted(
                (
                    index["name"] or "",
                    index["column_names"],
                    bool(index["unique"]),
                    str(index.get("dialect_options", {}).get(f"{engine.dialect.name}_where", "")),
                )
                for index in inspector.get_indexes(table, schema)
            ),
            "unique": sorted(each["column_names"] for each in inspector.get_unique_constraints(table, schema)),
            "primary key": inspector.get_pk_constraint(table, schema)["constrained_columns"],
        }
        for table in inspector.get_table_names(schema)
        if table not in ("alembic_version", "schema_support")
    }  # fmt: skip


def test_the_code_works_with_the_last_revision() -> None:
    config = Config()
    config.set_main_option("script_location", "scimsvc:migrations")
    config.set_main_option("path_separator", "os")

    assert ScriptDirectory.from_config(config).get_heads() == [SCHEMA_REVISION]


def test_a_second_init_changes_nothing(acme: Enterprise, cli: Cli) -> None:
    user = acme.create()

    answers = [cli("init"), cli("init")]

    assert answers[0] == answers[1]
    assert acme.get(user) == user


def test_accounts_get_the_role_of_their_reach(empty_database_url: str, tmp_path: Path) -> None:
    app = create_app({"DATABASE_URL": empty_database_url, "INSTANCE_PATH": str(tmp_path), "SECRET_KEY": "k" * 40})
    with app.app_context(), db.engine.begin() as connection:
        upgrade(connection, revision="0008")
        connection.execute(
            text(
                "INSERT INTO enterprises (id, name, name_key, scim_enabled, unique_user_name, reject_unknown_attributes, "
                "role_revision, created_at) VALUES ('e', 'Acme', 'acme', :yes, :no, :no, 1, '')"
            ),
            {"yes": True, "no": False},
        )
        for email, enterprise in (("op@x.example", None), ("admin@x.example", "e")):
            connection.execute(
                text(
                    "INSERT INTO admins (id, email, email_key, enterprise_id, epoch, created_at) "
                    "VALUES (:email, :email, :email, :enterprise, 1, '')"
                ),
                {"email": email, "enterprise": enterprise},
            )

    run_command(app, "init")

    listed = {each["email"]: each["role"] for each in run_command(app, "admin", "list")}
    dispose(app)
    assert listed == {"op@x.example": "operator", "admin@x.example": "administrator"}


def test_old_changes_and_log_entries_are_about_users(empty_database_url: str, tmp_path: Path) -> None:
    app = create_app({"DATABASE_URL": empty_database_url, "INSTANCE_PATH": str(tmp_path), "SECRET_KEY": "k" * 40})
    change = {
        "enterprise_id": "e", "number": 1, "time": "2026-01-01T00:00:00.000Z", "type": "created", "user_id": "u",
        "email": "a@x.example", "changed": "[]", "role": "Default", "active": True, "users": 1,
    }  # fmt: skip
    entry = {
        "enterprise_id": "e", "id": "019b0000000000000000000000000000", "time": "2026-01-01T00:00:00.000Z",
        "operation": "create", "user_id": "u", "outcome": "ok", "status": 201, "changed": "[]", "tolerances": "[]",
        "ignored": "[]", "client_id": "c", "request_id": "r", "duration_ms": 1.5,
    }  # fmt: skip
    with app.app_context(), db.engine.begin() as connection:
        upgrade(connection, revision="0013")
        connection.execute(
            text(
                "INSERT INTO enterprises (id, name, name_key, scim_enabled, unique_user_name, reject_unknown_attributes, "
                "role_revision, created_at) VALUES ('e', 'Acme', 'acme', :yes, :no, :no, 1, '')"
            ),
            {"yes": True, "no": False},
        )
        connection.execute(
            text(
                "INSERT INTO roles (enterprise_id, id, name, is_default, restrict_editing) VALUES ('e', 'r', 'D', :y, :n)"
            ),
            {"y": True, "n": False},
        )
        for table, row in (("changes", change), ("provisioning_log", entry)):
            names = ", ".join(row)
            values = ", ".join(f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)

    run_command(app, "init")

    (changed,) = run_command(app, "changes", "Acme")["items"]
    (logged,) = run_command(app, "log", "Acme")
    settings = run_command(app, "enterprise", "show", "Acme")
    with app.app_context(), db.engine.connect() as connection:
        feed = connection.execute(text("SELECT enterprise_id, number, users FROM feeds")).one()
    dispose(app)
    assert feed == ("e", 1, 1)
    assert changed == {
        "cursor": changed["cursor"], "time": change["time"], "type": "created", "user_id": "u", "email": "a@x.example",
        "changed": [], "role": "Default", "active": True, "old_role": None, "old_active": None,
    }  # fmt: skip
    assert [logged[name] for name in ("user_id", "status", "group_id", "group")] == ["u", 201, None, None]
    assert settings["unique_group_name"] is True


def test_managers_of_old_rows_are_found_by_their_exact_id(app: Flask, acme: Enterprise) -> None:
    def user(name: str, **attributes: Any) -> dict[str, Any]:
        return acme.create(email=f"{name}@x.example", userName=name, **attributes)

    users = [user("upper", **{ENTERPRISE_URN: {"manager": {"value": "BOSS", "displayName": "BOSS"}}}),
             user("lower", **{ENTERPRISE_URN: {"manager": {"value": "boss"}}}),
             user("none", title="BOSS")]  # fmt: skip
    folded = "replace(CAST(search AS TEXT), 'BOSS', 'boss')"
    if app.config["SQLALCHEMY_DATABASE_URI"].startswith("postgresql"):
        folded = f"CAST({folded} AS jsonb)"
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text(f"UPDATE users SET search = {folded}"))
        # Only this step, because later ones change tables that are already new.
        with Operations.context(MigrationContext.configure(connection)):
            import_module("scimsvc.migrations.versions.0016_exact_managers").upgrade()

    assert [acme.get(each) for each in users] == users
    assert acme.find('manager.value eq "BOSS"') == [users[0]]
    assert acme.find('manager.value eq "boss"') == [users[1]]
    assert acme.find('manager.displayName eq "boss" or title eq "boss"', sortBy="userName") == [users[2], users[0]]


@pytest.mark.slow
@pytest.mark.system
def test_several_inits_at_once_all_succeed(empty_database_url: str, tmp_path: Path) -> None:
    variables = environment(INSTANCE_PATH=str(tmp_path / "instance"), DATABASE_URL=empty_database_url)

    starts = [
        subprocess.Popen([SCIMSVC, "init", "--json"], env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    answers = [(*start.communicate(timeout=60), start.returncode) for start in starts]

    printed = json.dumps({"database": json.loads(answers[0][0])["database"], "schema": SCHEMA_REVISION}).encode()
    assert answers == [(printed + b"\n", b"", 0)] * 3
    assert [path.name for path in (tmp_path / "instance").iterdir()] == ["secret_key"]
    engine = create_engine(_engine_url(empty_database_url))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [SCHEMA_REVISION]
    engine.dispose()


def test_a_schema_of_a_later_version_is_not_changed(app: Flask) -> None:
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(text("UPDATE schema_support SET oldest_code = '9998'"))

    try:
        line = refusal(app, "init")
        answer = app.test_client().get("/readyz")

        assert "9999" in line
        assert answer.status_code == 503
        assert "9999" in answer.text
    finally:
        with app.app_context(), db.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": SCHEMA_REVISION})
            connection.execute(text("UPDATE schema_support SET oldest_code = :head"), {"head": SCHEMA_REVISION})


@pytest.mark.system
def test_a_file_that_is_not_a_database_is_refused_and_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "scimsvc.db"
    path.write_bytes(b"no database at all\n" * 100)
    variables = environment(INSTANCE_PATH=str(tmp_path))

    done = subprocess.run([SCIMSVC, "init"], env=variables, capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "not a database" in done.stderr
    assert path.read_bytes() == b"no database at all\n" * 100


@pytest.mark.system
def test_a_database_that_does_not_answer_is_refused_without_its_password(tmp_path: Path) -> None:
    url = "postgresql://user:hunter2@127.0.0.1:1/db"
    variables = environment(INSTANCE_PATH=str(tmp_path), DATABASE_URL=url)

    done = subprocess.run([SCIMSVC, "init"], env=variables, capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "127.0.0.1" in done.stderr
    assert "hunter2" not in done.stderr


@pytest.mark.system
def test_a_failed_upgrade_leaves_the_old_schema(tmp_path: Path) -> None:
    path = tmp_path / "scimsvc.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE users (theirs)")  # the last table that the first schema creates
    connection.close()
    variables = environment(INSTANCE_PATH=str(tmp_path))

    done = subprocess.run([SCIMSVC, "init"], env=variables, capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("users",)]
    connection.close()
