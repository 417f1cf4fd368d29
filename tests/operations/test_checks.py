"""``scimsvc check`` prints one line for each fault and nothing for sound rows, on both databases."""

import json
import sqlite3
import tracemalloc
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Connection, insert, select, text

from scimsvc.extensions import BEGINS, db
from scimsvc.models import User
from scimsvc.operations.checks import find_faults
from scimsvc.store.engine.transactions import writing
from tests.support.client import Enterprise, replace
from tests.support.groups import store_group
from tests.support.types import Cli
from tests.support.urns import ENTERPRISE_URN


@pytest.fixture
def acme(acme: Enterprise, cli: Cli) -> Enterprise:
    """The enterprise with users of every kind."""
    work, home = ({"type": kind, "value": f"b@{kind}.example"} for kind in ("work", "home"))
    acme.create(email="STRASSE@ß.example", userName="Straße", externalId="e")
    acme.create(roles=[{"value": "PowerSigner", "type": "x"}], **{ENTERPRISE_URN: {"organization": "Contoso"}})
    second = acme.create(emails=[work, home], active=False, title="Lead")
    acme.patch(second, replace("name.givenName", "İ"), replace("nickName", None))
    cli("user", "create", "Acme", "manual@contoso.example", "--title", "Boss", "--role", "user")
    store_group(acme, "Straße", [second["id"]], externalId="g")
    store_group(acme, "Empty")
    return acme


@contextmanager
def tampering(app: Flask) -> Iterator[Connection]:
    """Write rows that the constraints would refuse."""
    with app.app_context():
        is_sqlite = db.engine.dialect.name == "sqlite"
        off, on = (
            ("PRAGMA foreign_keys=OFF", "PRAGMA foreign_keys=ON")
            if is_sqlite
            else ("SET session_replication_role = replica", "SET session_replication_role = DEFAULT")
        )
        with db.engine.execution_options(**{BEGINS: ""}).connect() as connection:
            connection.exec_driver_sql(off)
            yield connection
            connection.exec_driver_sql(on)


def check(app: Flask, *options: str) -> tuple[int, str, str]:
    result = app.test_cli_runner().invoke(args=["check", *options], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def test_rows_written_by_the_service_are_sound(acme: Enterprise, cli: Cli) -> None:
    for switch in ("--unique-user-name", "--no-unique-user-name"):
        if switch == "--unique-user-name":
            for n, user in enumerate(acme.find("id pr")):
                acme.patch(user, replace("userName", f"User {n}"))
        cli("enterprise", "update", "Acme", switch)
        result = cli("check")
        assert (result["sound"], result["faults"]) == (True, [])
        assert (result["rows"]["users"], result["rows"]["enterprises"]) == (4, 1)
    assert check(acme.app)[0] == 0


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE users SET email_key = 'x@y.example' WHERE email_key LIKE 'strasse%'", "email_key does not match"),
        ("UPDATE users SET user_name_key = 'Straße' WHERE email_key LIKE 'strasse%'", "user_name_key does not match"),
        ("UPDATE users SET unique_user_name_key = user_name_key WHERE external_id = 'e'", "unique_user_name_key does"),
        ("UPDATE users SET external_id = NULL WHERE external_id = 'e'", "external_id does not match"),
        ("UPDATE users SET active = NOT active WHERE external_id = 'e'", "active does not match"),
        ("UPDATE users SET has_other_emails = NOT has_other_emails WHERE external_id = 'e'", "has_other_emails does"),
        ("UPDATE users SET search = '{}' WHERE external_id = 'e'", "search does not match"),
        ("UPDATE users SET document = '{' WHERE external_id = 'e'", "its document is not JSON"),
        ("UPDATE users SET document = '[]' WHERE external_id = 'e'", "its document is not a valid user"),
        ("UPDATE users SET document = '{}' WHERE external_id = 'e'", "its document is not a valid user"),
        ("UPDATE users SET document = replace(document, ',', ', ') WHERE external_id = 'e'", "not in canonical form"),
        ("UPDATE users SET id = 'other' WHERE external_id = 'e'", "its document has another id"),
        ("UPDATE users SET role_id = NULL WHERE source = 'manual'", "disagree about its role"),
        ("UPDATE users SET role_id = 'none' WHERE source = 'manual'", "its row in roles is missing"),
        ("UPDATE roles SET is_default = (1 = 0)", "it has 0 default roles instead of one"),
        ("UPDATE roles SET name = 'Other' WHERE is_default", "its name is not exactly once in role_names"),
        ("DELETE FROM role_names WHERE is_alias = (1 = 0) AND name = 'User'", "is not exactly once in role_names"),
        ("UPDATE role_names SET name_key = 'Other' WHERE is_alias", "name_key does not match name"),
        ("UPDATE enterprises SET name_key = 'other'", "name_key does not match name"),
        ("UPDATE tokens SET enterprise_id = 'gone'", "its row in integrations is missing"),
        ("UPDATE groups SET members = members + 1 WHERE external_id = 'g'", "it counts 2 members, but 1 exist"),
        ("UPDATE groups SET joined = 0 WHERE external_id = 'g'", "the position of a member is larger than joined"),
        ("UPDATE enterprises SET has_groups = (1 = 0)", "its enterprise is marked to have no groups"),
        ("UPDATE enterprises SET unique_group_name = (1 = 0)", "unique_name_key does not match its document"),
        ("UPDATE groups SET name_key = 'Straße' WHERE external_id = 'g'", "name_key does not match its document"),
        ("UPDATE groups SET document = '{}' WHERE external_id = 'g'", "its document is not a valid group"),
        ("UPDATE groups SET document = '{' WHERE external_id = 'g'", "its document is not JSON"),
        ("UPDATE groups SET id = 'other' WHERE external_id = 'g'", "its document has another id"),
        ("UPDATE group_members SET group_id = 'none'", "its row in groups is missing"),
        ("UPDATE group_members SET user_id = 'none'", "its row in users is missing"),
        ("DELETE FROM changes WHERE number = 2", "the numbers have a gap"),
        ("UPDATE changes SET users = users + 1", "the newest change counts 5 users, but 4 exist"),
        ("UPDATE feeds SET users = users + 1", "it counts 5 users, but 4 exist"),
        ("UPDATE feeds SET number = 1", "its number is 1, but the newest change has "),
        ("DELETE FROM feeds", "the row is missing"),
        ("DELETE FROM enterprises", "its row in enterprises is missing"),
    ],
)
def test_each_fault_is_named_and_the_exit_status_is_1(acme: Enterprise, statement: str, fault: str) -> None:
    with tampering(acme.app) as connection:
        connection.execute(text(statement))

    status, printed, errors = check(acme.app)
    json_status, as_json, nothing = check(acme.app, "--json")

    assert (status, printed, json_status, nothing) == (1, "", 1, "")
    assert fault in errors
    assert all(line.startswith("Error: ") for line in errors.splitlines())
    result = json.loads(as_json)
    assert result["sound"] is False
    assert [f"Error: {each}" for each in result["faults"]] == errors.splitlines()
    assert "contoso.example" not in errors  # keys, but no personal values


def test_a_damaged_file_is_reported_and_its_rows_are_not_checked(acme: Enterprise, database_url: str) -> None:
    if not database_url.startswith("sqlite"):
        pytest.skip("PostgreSQL has its own tools for its files")
    path = Path(database_url.removeprefix("sqlite:///"))
    with acme.app.app_context():
        db.engine.dispose()
    with closing(sqlite3.connect(path)) as database:
        (root,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'users_email'").fetchone()
    content = bytearray(path.read_bytes())
    content[(root - 1) * 4096 + 3 : (root - 1) * 4096 + 5] = b"\0\0"  # the index says that it is empty
    path.write_bytes(content)

    status, _, errors = check(acme.app)

    assert status == 1
    assert all(line.startswith("Error: the file is damaged: ") for line in errors.splitlines())


@pytest.mark.slow
def test_rows_are_not_all_loaded_into_memory(acme: Enterprise) -> None:
    with acme.app.app_context(), writing() as connection:
        row = dict(connection.execute(select(User.__table__).limit(1)).mappings().one())
        row["document"] = row["document"][:-1] + ',"x":"' + "x" * 10_000 + '"}'
        for n in range(0, 2000, 500):
            copies = [
                row | {"id": f"{n + i}", "email_key": f"{n + i}", "unique_user_name_key": None} for i in range(500)
            ]
            connection.execute(insert(User), copies)

    with acme.app.app_context():
        tracemalloc.start()
        faults = sum(1 for _ in find_faults())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert faults >= 2000
    assert peak < 15_000_000  # only the documents have 20 million characters


def test_operators_get_an_alert_about_faults_until_a_check_finds_none(acme: Enterprise, cli: Cli) -> None:
    with tampering(acme.app) as connection:
        connection.execute(text("UPDATE users SET user_name_key = 'x' WHERE source = 'manual'"))
        connection.commit()
    alerts = {
        "open": "SELECT count(*) FROM alerts WHERE closed_at IS NULL",
        "events": "SELECT count(*) FROM alert_events",
    }

    def count() -> dict[str, int]:
        with acme.app.app_context(), db.engine.connect() as connection:
            return {name: connection.execute(text(statement)).scalar_one() for name, statement in alerts.items()}

    check(acme.app)
    check(acme.app)
    assert count() == {"open": 1, "events": 1}

    cli("user", "delete", "Acme", "manual@contoso.example", "--yes")
    assert cli("check")["sound"]
    assert count() == {"open": 0, "events": 1}
