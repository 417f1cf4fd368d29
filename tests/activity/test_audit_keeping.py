"""Entries of the audit log are kept: by pruning, deletions of enterprises, upgrades and backups."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

import scimsvc
from scimsvc import clock, create_app
from scimsvc.activity import pruning
from scimsvc.migrations import upgrade
from scimsvc.models import SCHEMA_REVISION
from scimsvc.store.engine.transactions import writing as transaction
from scimsvc.store.traces import COLUMNS
from tests.support.apps import SECRET_KEY, dispose, make_api, make_enterprise, run_command
from tests.support.client import Enterprise
from tests.support.commands import refusal
from tests.support.records import audit_of
from tests.support.types import Cli


def last(app: Flask, enterprise: str | None = None) -> dict[str, Any]:
    return audit_of(app, enterprise)[0]


def test_entries_survive_their_enterprise_and_are_found_by_its_name(acme: Enterprise, cli: Cli) -> None:
    cli("enterprise", "delete", "Acme", "--yes")
    cli("enterprise", "create", "Contoso")

    by_name, by_id = cli("audit", "acme"), cli("audit", acme.made["id"])

    assert by_name == by_id
    assert (by_name[0]["action"], by_name[0]["before"]["name"]) == ("enterprise.deleted", "Acme")
    assert by_name[-1]["action"] == "enterprise.created"
    assert "'Nobody'" in refusal(acme.app, "audit", "Nobody")


def test_a_new_enterprise_of_the_same_name_does_not_see_the_entries_of_the_deleted_one(
    acme: Enterprise, cli: Cli
) -> None:
    cli("enterprise", "delete", "Acme", "--yes")
    again = make_enterprise(acme.app, "Acme")

    assert "enterprise.deleted" not in {entry["action"] for entry in make_api(again).get("/audit-log")["items"]}


@pytest.mark.requirement("R65")
def test_only_an_erasure_changes_names_in_entries_and_only_pruning_deletes_some() -> None:
    store = Path(scimsvc.__file__).parent / "store"
    users_of_the_table = {
        path.name: set(re.findall(r"\b(insert|update|delete)\(", path.read_text("utf-8")))
        for path in store.rglob("*.py")
        if re.search(r"\bAuditEntry\b", path.read_text("utf-8"))
    }

    # Everything outside of ``store`` reads and writes through it, which import-linter checks.
    assert users_of_the_table == {
        "audit.py": {"insert"},
        "enterprise_rows.py": {"insert"},  # an enterprise that moves here brings its entries
        "old_rows.py": {"delete"},
        "traces.py": {"update"},  # names of persons become pseudonyms
    }
    assert COLUMNS["audit_log"] == ("target_type", "target_id", "target_name", "before", "after")


def test_entries_are_pruned_after_audit_days_also_those_of_deleted_enterprises(
    acme: Enterprise, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("settings", "set", "log_days", "80")
    cli("enterprise", "delete", "Acme", "--yes")
    start = clock.now()
    number = len(audit_of(acme.app))

    def prune(days: int) -> int:
        monkeypatch.setattr(clock, "now", lambda: start + timedelta(days=days))
        with acme.app.app_context():
            return sum(pruning.prune_everything())

    assert prune(364) == 0
    assert len(audit_of(acme.app)) == number
    assert prune(366) == number
    assert audit_of(acme.app) == []


def test_log_prune_leaves_entries_that_audit_days_keeps(acme: Enterprise, cli: Cli) -> None:
    before = audit_of(acme.app)

    assert cli("log", "prune", "--older-than", "0")["audit_entries"] == 0

    assert audit_of(acme.app)[1:] == before
    assert last(acme.app)["after"] == {"older_than_days": 0}


def test_an_upgrade_of_the_schema_is_recorded_and_a_new_database_is_not(tmp_path: Path) -> None:
    app = create_app({"DATABASE_URL": f"sqlite:///{tmp_path}/scimsvc.db", "SECRET_KEY": SECRET_KEY})
    with app.app_context(), transaction() as connection:
        upgrade(connection, revision="0005")

    run_command(app, "init")
    run_command(app, "init")

    (entry,) = audit_of(app)
    assert (entry["action"], entry["before"], entry["after"]) == (
        "database.upgraded",
        {"schema": "0005"},
        {"schema": SCHEMA_REVISION},
    )
    new = create_app({"DATABASE_URL": f"sqlite:///{tmp_path}/new.db", "SECRET_KEY": SECRET_KEY})
    run_command(new, "init")
    assert audit_of(new) == []
    for each in (app, new):
        dispose(each)


def test_a_backup_of_an_older_schema_is_possible_without_an_entry(tmp_path: Path) -> None:
    app = create_app({"DATABASE_URL": f"sqlite:///{tmp_path}/scimsvc.db", "SECRET_KEY": SECRET_KEY})
    with app.app_context(), transaction() as connection:
        upgrade(connection, revision="0005")

    assert run_command(app, "backup", str(tmp_path / "copy.db"))["schema"] == "0005"
    dispose(app)
