"""``scimsvc migrate-to`` copies everything from SQLite to an empty PostgreSQL unchanged, or nothing."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select

from scimsvc.extensions import Model, db
from scimsvc.operations import migrate_to
from scimsvc.store.upkeep import copying
from scimsvc.vocabulary import Action
from tests.support.apps import run_command
from tests.support.client import Enterprise, replace
from tests.support.commands import misuse, refusal
from tests.support.custom import URN
from tests.support.databases import new_postgresql
from tests.support.groups import store_group
from tests.support.live import on_a_terminal
from tests.support.types import Cli, MakeApp


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of the SQLite database to copy."""
    shutil.copy(sqlite_template, tmp_path / "scimsvc.db")
    return f"sqlite:///{tmp_path}/scimsvc.db"


@pytest.fixture
def target_url(postgresql_url: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    with new_postgresql() as url:
        yield url


@pytest.fixture
def acme(acme: Enterprise, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Enterprise:
    """The enterprise with rows in each table, and more of them than fit into one batch."""
    monkeypatch.setattr(copying, "_ROWS_PER_BATCH", 4)
    for name, kind in (("share", "decimal"), ("hired", "dateTime"), ("tag", "string")):
        cli("attribute", "add", "Acme", f"{URN}:{name}", "--type", kind, *(["--multi-valued"] if name == "tag" else []))
    for n in range(10):
        custom = {"share": n / 4, "hired": f"2026-01-01T0{n}:00:00+02:00", "tag": ["Ü", str(n)]}
        user = acme.create(
            email=f"ü{n}@ß.example", userName=f"İ {n}", externalId=str(n), active=n % 2 == 0, **{URN: custom}
        )
        acme.patch(user, replace("title", '"\\\u2028'), replace('roles[primary eq "True"].value', "PowerSigner"))
    cli("user", "create", "Acme", "manual@contoso.example", "--title", "Boss")
    cli("settings", "set", "scim_token_days", "30")
    for n in range(6):
        store_group(acme, f"Größe {n}", [user["id"]] * (n % 2), externalId=str(n))
    return acme


def everything(app: Flask) -> dict[str, list[Any]]:
    """Return all rows, except the entries in the audit log about the move, which both databases get after it."""
    with app.app_context(), db.engine.connect() as connection:
        return {
            table.name: [
                tuple(row)
                for row in connection.execute(select(table).order_by(*table.primary_key))
                if Action.DATABASE_MIGRATED not in row
            ]
            for table in Model.metadata.sorted_tables
        }


def tables_of(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


def test_everything_arrives_unchanged_and_is_served_there(
    acme: Enterprise, cli: Cli, make_app: MakeApp, target_url: str
) -> None:
    before = everything(acme.app)

    moved = json.loads(acme.app.test_cli_runner().invoke(args=["migrate-to", "-", "--json"], input=target_url).stdout)

    there = make_app(DATABASE_URL=target_url)
    assert everything(there) == before == everything(acme.app)
    assert {each["table"]: each["rows"] for each in moved} == {name: len(rows) for name, rows in before.items()}
    assert all(len(each["checksum"]) == 64 for each in moved)
    assert run_command(there, "check")["sound"] is True
    acme.app = there
    users = acme.find('title pr and emails.value ew "ß.example"')
    assert len(users) == 10
    assert len(acme.find(f'{URN}:share gt 1 and {URN}:hired lt "2026-01-01T05:00:00Z"')) == 2
    assert acme.patch(users[0], replace("title", "Lead")).status_code == 200


def test_the_target_may_be_initialized(acme: Enterprise, cli: Cli, make_app: MakeApp, target_url: str) -> None:
    there = make_app(DATABASE_URL=target_url)
    run_command(there, "init")

    cli("migrate-to", target_url)

    assert everything(there) == everything(acme.app)


def test_a_target_with_rows_is_refused_and_not_changed(
    acme: Enterprise, cli: Cli, make_app: MakeApp, target_url: str
) -> None:
    with psycopg.connect(target_url) as connection:
        connection.execute("CREATE TABLE theirs (x int)")
    assert "not empty. It has theirs" in refusal(acme.app, "migrate-to", target_url)
    assert tables_of(target_url) == {"theirs"}
    with psycopg.connect(target_url) as connection:
        connection.execute("DROP TABLE theirs")

    cli("migrate-to", target_url)
    before = everything(make_app(DATABASE_URL=target_url))
    assert "not empty. It has audit_log, changes, client_secrets, enterprises" in refusal(
        acme.app, "migrate-to", target_url
    )
    assert everything(make_app(DATABASE_URL=target_url)) == before


def test_nothing_is_moved_if_rows_arrive_changed(
    acme: Enterprise, target_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forget_one(rows: int, steps: int) -> None:
        target = targets[-1]
        target.exec_driver_sql("DELETE FROM role_names WHERE is_alias")

    targets: list[Any] = []
    move = migrate_to.copy_everything

    def tampered(target: Any, _progress: Any) -> Any:
        targets.append(target)
        return move(target, forget_one)

    monkeypatch.setattr(migrate_to, "copy_everything", tampered)

    assert "The copy of role_names differs from the original" in refusal(acme.app, "migrate-to", target_url)
    assert tables_of(target_url) == set()


def test_numbers_continue_after_the_largest(acme: Enterprise, target_url: str, make_app: MakeApp) -> None:
    there = make_app(DATABASE_URL=target_url)
    with there.app_context(), db.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE numbered (id serial PRIMARY KEY, other int)")
        connection.exec_driver_sql("INSERT INTO numbered VALUES (41, 99)")
        from sqlalchemy import MetaData, Table

        copying.continue_numbers(connection, Table("numbered", MetaData(), autoload_with=connection))
        new = connection.exec_driver_sql("INSERT INTO numbered DEFAULT VALUES RETURNING id").scalar_one()

    assert new == 42


def test_only_from_sqlite_to_postgresql(acme: Enterprise, make_app: MakeApp, target_url: str, tmp_path: Path) -> None:
    there = make_app(DATABASE_URL=target_url)
    run_command(there, "init")
    fresh = make_app(DATABASE_URL=f"sqlite:///{tmp_path}/fresh.db")

    assert "already PostgreSQL" in refusal(there, "migrate-to", target_url)
    assert "target is not PostgreSQL" in refusal(acme.app, "migrate-to", f"sqlite:///{tmp_path}/other.db")
    assert "scimsvc init" in refusal(fresh, "migrate-to", target_url)
    assert not (tmp_path / "other.db").exists()


@pytest.mark.parametrize(
    "url",
    ["postgresql://user:hunter2@127.0.0.1:1/db", "postgresql://user:hunter2@127.0.0.1:x/db", "mysql://u:hunter2@h/db"],
)
def test_the_password_of_the_url_is_never_shown(acme: Enterprise, url: str) -> None:
    said = refusal(acme.app, "migrate-to", url) if ":1/" in url else misuse(acme.app, "migrate-to", url)

    assert "hunter2" not in said


@pytest.mark.system
def test_a_terminal_shows_the_progress(acme: Enterprise, database_url: str, target_url: str) -> None:
    folder = database_url.removeprefix("sqlite:///").rpartition("/")[0]
    settings = {"INSTANCE_PATH": f"{folder}/instance", "DATABASE_URL": database_url}
    done, shown = on_a_terminal("migrate-to", target_url, settings=settings)

    assert done.returncode == 0
    assert "Copying" in shown
    assert "100%" in shown
    assert b"checksum" in done.stdout
