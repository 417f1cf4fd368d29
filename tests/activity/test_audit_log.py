"""The audit log: the contents of an entry, its transaction, and refused sign-ins."""

import json
import logging
import os
import pwd
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from scimsvc import clock
from scimsvc.activity import audit as writing
from scimsvc.enterprises.admin_records import RefusalAllowance
from tests.support.apps import run_command
from tests.support.client import Api, Enterprise
from tests.support.console import Console, make_admin, sign_in
from tests.support.live import serving
from tests.support.records import audit_of
from tests.support.types import Cli


def last(app: Flask, enterprise: str | None = None) -> dict[str, Any]:
    return audit_of(app, enterprise)[0]


# The contents of an entry.


def test_an_entry_says_who_did_what_from_where_to_what(acme: Enterprise, api: Api) -> None:
    role = api.send("POST", "/roles", {"name": "Auditor", "aliases": ["A"]}, headers={"X-Request-ID": "r-1"}).get_json()

    entry = last(acme.app)

    integration = run_command(acme.app, "integration", "list", "Acme")[-1]
    assert entry == {
        "id": entry["id"],
        "time": entry["time"],
        "enterprise": "Acme",
        "actor": {"type": "api", "name": integration["name"], "id": integration["client_id"]},
        "address": "127.0.0.1",
        "action": "role.created",
        "target": {"type": "role", "id": role["id"], "name": "Auditor"},
        "before": None,
        "after": {
            "name": "Auditor",
            "aliases": ["A"],
            "groups": [],
            "position": 5,
            "restrict_editing": False,
            "is_default": False,
        },
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


def test_a_user_of_the_shell_without_a_name_is_named_by_its_number(
    acme: Enterprise, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SUDO_USER", "LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)

    def fail(_number: int) -> None:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", fail)
    cli("role", "add", "Acme", "One")

    assert last(acme.app)["actor"] == {"type": "command", "name": str(os.getuid()), "id": str(os.getuid())}


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


@pytest.mark.slow
@pytest.mark.system
def test_the_lines_of_the_log_are_json_beside_lines_of_text(tmp_path: Path) -> None:
    with serving(tmp_path / "served") as live:
        form = f"grant_type=client_credentials&client_id={live.result['client_id']}"
        form += f"&client_secret={live.result['client_secret']}"
        live.send("POST", "/api/authenticate", form, {"Content-Type": "application/x-www-form-urlencoded"})
        *_, audited, line = live.log.splitlines()

    entry = json.loads(audited)
    assert (entry["level"], entry["audit"]["action"], entry["audit"]["enterprise"]) == (
        "info",
        "token.issued",
        "My Enterprise",
    )
    assert entry["audit"]["request_id"] in line
    assert "POST /api/authenticate 200" in line


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


def test_a_refused_sign_in_that_cannot_be_recorded_is_answered_all_the_same(
    acme: Enterprise, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise OperationalError("INSERT", {}, ConnectionError())

    with monkeypatch.context() as broken:
        broken.setattr(writing, "insert_audit_row", fail)
        sign_in(Console(acme.app), "eve@x.example", "wrong", status=400).close()

    assert "cannot add a refused sign-in to the audit log: ConnectionError" in caplog.text
