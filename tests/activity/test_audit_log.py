"""The audit log: what an entry says, when it is written, and that nothing but its age removes it."""

import json
import logging
import os
import re
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

import scimsvc
from scimsvc import clock, create_app
from scimsvc.activity import audit as writing
from scimsvc.activity import pruning
from scimsvc.activity.audit_reading import follow_audit_entries
from scimsvc.enterprises.admin_records import RefusalAllowance
from scimsvc.migrations import upgrade
from scimsvc.models import SCHEMA_REVISION
from scimsvc.store.engine.transactions import writing as transaction
from scimsvc.vocabulary import Action
from tests.support.apps import SECRET_KEY, dispose, make_api, make_enterprise, run_command
from tests.support.client import Api, Enterprise
from tests.support.commands import refusal, text_of
from tests.support.console import Console, make_admin, sign_in, text
from tests.support.records import audit_of
from tests.support.types import Cli


def last(app: Flask, enterprise: str | None = None) -> dict[str, Any]:
    return audit_of(app, enterprise)[0]


# The contents of an entry.


def test_an_entry_says_who_did_what_from_where_to_what(acme: Enterprise, api: Api) -> None:
    role = api.send("POST", "/roles", {"name": "Auditor", "aliases": ["A"]}, headers={"X-Request-ID": "r-1"}).get_json()

    entry = last(acme.app)

    integration = run_command(acme.app, "integration", "list", "Acme")[0]
    assert entry == {
        "id": entry["id"],
        "time": entry["time"],
        "enterprise": "Acme",
        "actor": {"type": "api", "name": integration["name"], "id": integration["client_id"]},
        "address": "127.0.0.1",
        "action": "role.created",
        "target": {"type": "role", "id": role["id"], "name": "Auditor"},
        "before": None,
        "after": {"name": "Auditor", "aliases": ["A"], "restrict_editing": False, "is_default": False},
        "request_id": "r-1",
    }


def test_an_update_has_only_what_changed(acme: Enterprise, cli: Cli) -> None:
    cli("role", "update", "Acme", "Power Signer", "--alias=New", "--remove-alias=PowerSigner", "--restrict-editing")

    entry = last(acme.app)

    assert entry["before"] == {"aliases": ["PowerSigner"], "restrict_editing": False}
    assert entry["after"] == {"aliases": ["New"], "restrict_editing": True}


def test_an_update_that_changes_nothing_has_no_entry(acme: Enterprise, cli: Cli, api: Api) -> None:
    cli("user", "create", "Acme", "ada@x.example", "--title=Boss")
    before = audit_of(acme.app)

    cli("user", "update", "Acme", "ada@x.example", "--title=Boss")
    cli("user", "edit-profile", "Acme", "ada@x.example", "--title=Boss")
    cli("role", "update", "Acme", "User", "--rename=User")
    cli("enterprise", "update", "Acme", "--enable-scim")
    cli("enterprise", "resume", "Acme")
    cli("settings", "set", "log_days", "90")
    api.send("PATCH", "/enterprise", {"paused": False})

    assert audit_of(acme.app) == before


def test_a_pause_and_other_settings_in_one_request_are_two_entries(acme: Enterprise, api: Api) -> None:
    api.send("PATCH", "/enterprise", {"paused": True, "unique_user_name": True})

    updated, paused = audit_of(acme.app)[:2]

    assert (paused["action"], paused["after"]) == ("enterprise.paused", None)
    assert (updated["action"], updated["before"], updated["after"]) == (
        "enterprise.updated",
        {"unique_user_name": False},
        {"unique_user_name": True},
    )


def test_the_size_of_an_entry_is_bounded_and_it_has_no_secret() -> None:
    members = {"title": "x" * 10_000, "aliases": ["y"] * 1000, "client_secret": "s", "link": "l", "phone": None}

    assert writing.created(members) == writing.Difference(
        after={"title": "x" * 500 + "…", "aliases": [*["y"] * 100, "…"]}
    )
    assert writing.changed({"title": "", "link": ""}, members | {"aliases": []}) == writing.Difference(
        {"title": "", "aliases": None}, {"title": "x" * 500 + "…", "aliases": []}
    )


def test_the_actor_of_a_command_is_the_user_who_runs_it_also_through_sudo(
    acme: Enterprise, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setenv("LOGNAME", "ada")
    cli("role", "add", "Acme", "One")
    monkeypatch.setenv("SUDO_USER", "grace")
    cli("role", "add", "Acme", "Two")

    sudo, own = audit_of(acme.app)[:2]

    number = str(os.getuid())
    assert own["actor"] == {"type": "command", "name": "ada", "id": number}
    assert sudo["actor"] == {"type": "command", "name": "grace", "id": number}


def test_an_operators_change_is_in_the_log_of_the_enterprise_and_its_own_entries_are_not(
    acme: Enterprise, cli: Cli
) -> None:
    operator = Console(acme.app, make_admin(acme.app, "op@x.example"))
    cli("settings", "set", "audit_days", "400")
    operator.post(f"/console/enterprises/{acme.made['id']}/settings/pause")

    assert last(acme.app, "Acme")["actor"]["name"] == "op@x.example"
    actions = {entry["action"] for entry in audit_of(acme.app, "Acme")}
    assert actions.isdisjoint({"setting.updated", "admin.created", "admin.link_created"})
    assert {"setting.updated", "admin.created", "admin.link_created"} <= {each["action"] for each in audit_of(acme.app)}


# The transaction.


@pytest.mark.requirement("R65")
def test_a_change_that_cannot_be_recorded_is_not_made(
    acme: Enterprise, api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise OperationalError("INSERT", {}, ConnectionError())

    with monkeypatch.context() as broken, caplog.at_level(logging.INFO, "scimsvc"):
        broken.setattr(writing, "insert_audit_row", fail)
        answer = api.send("POST", "/roles", {"name": "Auditor"})

    assert answer.status_code >= 500
    assert "Auditor" not in [role["name"] for role in run_command(acme.app, "role", "list", "Acme")]
    assert "role.created" not in caplog.text


def test_a_refused_change_leaves_no_entry(acme: Enterprise, api: Api) -> None:
    before = audit_of(acme.app)

    assert api.send("POST", "/roles", {"name": "User"}).status_code == 409
    assert api.send("DELETE", "/roles/" + run_command(acme.app, "role", "list", "Acme")[0]["id"]).status_code == 409

    assert audit_of(acme.app) == before


def test_an_entry_is_one_line_of_json_on_standard_error_after_the_commit(
    acme: Enterprise, api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "scimsvc"):
        api.send("POST", "/roles", {"name": "Aud\u2028itor"})
        api.send("POST", "/roles", {"name": "Auditor"})
        lines = [str(record.msg) for record in caplog.records if "role.created" in str(record.msg)]
        caplog.clear()
        run_command(acme.app, "role", "add", "Acme", "Other")

    assert [json.loads(line)["audit"] for line in lines] == [last_but(acme.app, 1)]
    assert "\n" not in lines[0]
    assert "role.created" not in caplog.text  # people read the standard error of a command


def last_but(app: Flask, number: int) -> dict[str, Any]:
    return audit_of(app)[number]


def test_scim_requests_write_nothing_to_the_audit_log(acme: Enterprise) -> None:
    before = audit_of(acme.app)

    user = acme.create()
    acme.send("DELETE", f"/Users/{user['id']}")

    assert audit_of(acme.app) == before


# Sign-ins.


def test_a_refused_sign_in_names_the_account_or_the_address_but_no_other_text(acme: Enterprise) -> None:
    make_admin(acme.app, "ada@x.example", "Acme")
    browser = Console(acme.app)

    for email in ("ADA@x.example", "eve@x.example", "my secret password"):
        sign_in(browser, email, "wrong", status=400).close()

    password, eve, ada = audit_of(acme.app)[:3]
    assert {each["action"] for each in (password, eve, ada)} == {"admin.sign_in_refused"}
    assert (ada["actor"]["name"], ada["target"]["name"], ada["enterprise"]) == (
        "ada@x.example",
        "ada@x.example",
        "Acme",
    )
    assert ada["actor"]["id"] == ada["target"]["id"] is not None
    assert (eve["actor"], eve["target"]["name"]) == (
        {"type": "console", "name": "eve@x.example", "id": None},
        "eve@x.example",
    )
    assert (password["actor"]["name"], password["target"]["name"]) == ("unknown", "unknown")
    assert "secret" not in json.dumps([password, eve, ada])
    assert eve["address"] == "127.0.0.1"


def test_refused_sign_ins_of_an_hour_have_a_bounded_number_of_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    start = clock.now()
    allowance = RefusalAllowance()

    taken = [allowance.take("ada") for _ in range(25)]
    other = allowance.take("eve")
    monkeypatch.setattr(clock, "now", lambda: start + timedelta(hours=1, seconds=1))
    later = [allowance.take("ada") for _ in range(2)]

    assert taken == [0] * 20 + [None] * 5
    assert other == 0
    assert later == [5, 0]


def test_addresses_without_an_account_share_their_entries(acme: Enterprise, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RefusalAllowance, "MOST", 3)

    for number in range(8):
        browser = Console(acme.app, REMOTE_ADDR=f"192.0.2.{number}")
        sign_in(browser, f"nobody{number}@x.example", "wrong", status=400).close()

    refused = [entry for entry in audit_of(acme.app) if entry["action"] == "admin.sign_in_refused"]
    assert [entry["address"] for entry in refused] == ["192.0.2.2", "192.0.2.1", "192.0.2.0"]


# Keeping entries.


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
def test_no_statement_changes_an_entry_and_only_pruning_deletes_some() -> None:
    store = Path(scimsvc.__file__).parent / "store"
    users_of_the_table = {
        path.name: set(re.findall(r"\b(insert|update|delete)\(", path.read_text("utf-8")))
        for path in store.rglob("*.py")
        if re.search(r"\bAuditEntry\b", path.read_text("utf-8"))
    }

    # Everything outside of ``store`` reads and writes through it, which import-linter checks.
    assert users_of_the_table == {"audit.py": {"insert"}, "old_rows.py": {"delete"}}


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


# Reading.


@pytest.fixture
def several(acme: Enterprise, api: Api, cli: Cli) -> Enterprise:
    """The enterprise with changes by its API and by a command."""
    for name in ("One", "Two", "Three"):
        api.send("POST", "/roles", {"name": name})
    cli("role", "remove", "Acme", "One")
    return acme


def test_the_api_lists_entries_newest_first_in_pages(several: Enterprise, api: Api) -> None:
    first = api.get("/audit-log", limit=2)
    second = api.get("/audit-log", limit=1000, cursor=first["next"])

    names = [entry["target"]["name"] for entry in [*first["items"], *second["items"]]]
    assert names[:4] == ["One", "Three", "Two", "One"]
    assert len(names) == len(audit_of(several.app, "Acme"))
    assert second["next"] is None
    assert "enterprise" not in first["items"][0]


def test_the_api_filters_entries(several: Enterprise, api: Api) -> None:
    client = run_command(several.app, "integration", "list", "Acme")[0]

    def found(**conditions: str) -> int:
        return len(api.get("/audit-log", limit=1000, **conditions)["items"])

    assert found(action="role.deleted") == 1
    assert found(actor="MICROSOFT entra id") == found(actor=client["client_id"]) == 3
    assert found(actor="nobody") == 0
    assert found(since="2020-01-01T00:00:00Z") == len(audit_of(several.app, "Acme"))
    assert found(until="2020-01-01T00:00:00Z") == 0
    assert api.send("GET", "/audit-log", query={"action": "role.painted"}).status_code == 400
    assert api.send("GET", "/audit-log", query={"cursor": "x"}).status_code == 400


def test_an_enterprise_sees_only_its_own_entries(several: Enterprise) -> None:
    other = make_api(make_enterprise(several.app, "Other"))

    entries = other.get("/audit-log", limit=1000)["items"]

    assert entries
    assert {entry["target"]["name"] for entry in entries}.isdisjoint({"One", "Two", "Three", "Acme"})


def test_the_command_shows_entries_as_text(several: Enterprise, cli: Cli) -> None:
    newest, *_ = text_of(several.app, "audit", "Acme", "--action", "role.deleted").splitlines()

    assert re.fullmatch(r"\S+Z  role\.deleted  One  in Acme  by \S+ \(command\)", newest)
    assert cli("audit", "--limit", "1") == audit_of(several.app)[:1]
    assert text_of(several.app, "audit", "--actor", "nobody") == "none\n"


def test_the_command_prints_no_control_characters(acme: Enterprise, app: Flask) -> None:
    sign_in(Console(app), "eve\u202e@x.example", "wrong", status=400).close()

    printed = text_of(app, "audit", "--limit", "1")

    assert [each for each in printed if not each.isprintable() and each != "\n"] == []


def test_new_entries_are_followed_oldest_first(several: Enterprise) -> None:
    steps = iter([True, True, False])

    def wait() -> bool:
        more = next(steps)
        if more:
            thread = threading.Thread(
                target=run_command,
                args=(several.app, "role", "update", "Acme", "Two", "--alias", f"{more}{clock.now()}"),
            )
            thread.start()
            thread.join()
        return more

    with several.app.app_context():
        entries = list(follow_audit_entries("Acme", since=clock.now() - timedelta(hours=1), wait=wait))

    assert entries == list(reversed(audit_of(several.app, "Acme")))
    assert [entry["action"] for entry in entries[-2:]] == [Action.ROLE_UPDATED] * 2


# The history of a user.


def test_the_history_of_a_user_names_who_changed_it(acme: Enterprise, api: Api) -> None:
    admin = Console(acme.app, make_admin(acme.app, "ada@x.example", "Acme"))
    path = f"/console/enterprises/{acme.made['id']}/users"
    page = admin.follow(f"{path}/new", email="b@x.example", active="on")
    user = api.get("/users", email="b@x.example")["items"][0]
    api.send("PATCH", f"/users/{user['id']}/profile", {"title": "Lead"})

    shown = text(admin.get(f"{path}/{user['id']}"))

    assert "created manually by ada@x.example" in text(page)
    assert "by the user through Microsoft Entra ID" in shown


# Upgrades.


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
