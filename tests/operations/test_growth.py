"""``scimsvc check`` warns of what grows without end."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from scimsvc import clock
from scimsvc.extensions import db
from scimsvc.operations import growth
from scimsvc.protocol.errors import QuotaExceeded
from scimsvc.scim.quotas import claim_memberships, claim_new_group
from scimsvc.store.engine.transactions import reading
from scimsvc.store.upkeep.maintenance import Space, read_space
from tests.support.apps import is_sqlite, make_enterprise, run_command
from tests.support.client import Enterprise
from tests.support.groups import store_group, store_users
from tests.support.types import Cli, MakeApp

TABLES = (
    "log_entries",
    "changes",
    "tokens",
    "secrets",
    "integrations",
    "audit_entries",
    "deliveries",
    "sessions",
    "provider_cycles",
    "alerts",
    "alert_events",
)
NOTHING = dict.fromkeys(TABLES, 0)


def check(app: Flask, *options: str) -> tuple[int, str, str]:
    result = app.test_cli_runner().invoke(args=["check", *options], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def in_days(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=days))


def test_rows_that_pruning_left_behind_are_named(acme: Enterprise, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        acme.create(email=f"{number}@x.example")
    assert (cli("check")["overdue"], cli("check")["warnings"]) == (NOTHING, [])

    in_days(monkeypatch, 91)
    assert cli("check")["overdue"] == NOTHING
    in_days(monkeypatch, 2)
    status, text, warnings = check(acme.app)

    assert (status, "warnings" in text) == (0, False)
    assert "log_entries: 3 rows are more than 2 days older than log_days allows" in warnings
    assert "changes: 2 rows are more than 2 days older than change_days allows" in warnings
    assert json.loads(check(acme.app, "--json")[1])["overdue"] == NOTHING | {"log_entries": 3, "changes": 2}

    in_days(monkeypatch, 8)
    assert "tokens: 1 rows" in check(acme.app)[2]
    cli("log", "prune")
    assert (cli("check")["overdue"], cli("check")["warnings"]) == (NOTHING, [])


def test_an_enterprise_near_a_quota_is_named(make_app: MakeApp) -> None:
    acme = make_enterprise(make_app(MAX_USERS="10", MAX_ROLES="5"), "Acme")
    for number in range(8):
        acme.create(email=f"{number}@x.example")
    assert run_command(acme.app, "check")["warnings"] == []

    acme.create(email="ninth@x.example")
    run_command(acme.app, "role", "add", "Acme", "Fifth")

    assert run_command(acme.app, "check")["warnings"] == [
        "Acme: 9 of at most 10 users are used. Raise SCIMSVC_MAX_USERS before requests are refused.",
        "Acme: 5 of at most 5 roles are used. Raise SCIMSVC_MAX_ROLES before requests are refused.",
    ]


def test_an_enterprise_near_a_quota_of_groups_is_named(make_app: MakeApp) -> None:
    acme = make_enterprise(make_app(MAX_GROUPS="2", MAX_MEMBERSHIPS="3"), "Acme")
    users = [acme.create(email=f"{number}@x.example")["id"] for number in range(2)]
    store_group(acme, "A", users)
    assert run_command(acme.app, "check")["warnings"] == []

    store_group(acme, "B", users[:1])

    assert run_command(acme.app, "check")["warnings"] == [
        "Acme: 2 of at most 2 groups are used. Raise SCIMSVC_MAX_GROUPS before requests are refused.",
        "Acme: 3 of at most 3 members of groups are used. Raise SCIMSVC_MAX_MEMBERSHIPS before requests are refused.",
    ]


def test_a_quota_of_groups_refuses_more(make_app: MakeApp) -> None:
    acme = make_enterprise(make_app(MAX_GROUPS="1", MAX_MEMBERSHIPS="2"), "Acme")
    store_group(acme, "A", store_users(acme, 1))
    enterprise_id = acme.made["id"]

    with acme.app.app_context(), reading() as connection:
        claim_memberships(connection, enterprise_id, 1)
        with pytest.raises(QuotaExceeded) as of_groups:
            claim_new_group(connection, enterprise_id)
        with pytest.raises(QuotaExceeded) as of_members:
            claim_memberships(connection, enterprise_id, 2)

    groups = (
        "This enterprise has 1 groups, and at most 1 are allowed. Delete unused groups, or ask the operator of this "
        "service to raise SCIMSVC_MAX_GROUPS."
    )
    members = (
        "This enterprise has 1 members of groups, and at most 2 are allowed. Remove members from groups, or ask the "
        "operator of this service to raise SCIMSVC_MAX_MEMBERSHIPS."
    )
    assert (of_groups.value.detail, of_members.value.detail) == (groups, members)


def test_copies_from_before_upgrades_are_named(acme: Enterprise, cli: Cli) -> None:
    if not is_sqlite(acme.app):
        pytest.skip("PostgreSQL has no copies")
    with acme.app.app_context():
        path = Path(str(db.engine.url.database))
    for name in ("0001.20260101T000000000000", "0004.20260102T000000000000"):
        path.with_name(f"{path.name}.{name}").write_bytes(b"x" * 1_000_000)
    path.with_name(f"{path.name}.backup").write_bytes(b"x")

    (warning,) = cli("check")["warnings"]

    assert "2 copies from before upgrades use 2.0 MB" in warning
    assert f"{path.name}.0001.20260101T000000000000, {path.name}.0004.20260102T000000000000)" in warning


def test_unused_space_is_named_if_it_is_most_of_the_file(
    acme: Enterprise, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_sqlite(acme.app):
        assert cli("check")["warnings"] == []
        return
    with acme.app.app_context():
        space = read_space()
    assert space is not None
    assert space.size > space.unused >= 0
    monkeypatch.setattr(growth, "read_space", lambda: Space(500_000_000, 400_000_000))
    assert "400.0 MB of 500.0 MB are unused" in cli("check")["warnings"][0]
    monkeypatch.setattr(growth, "read_space", lambda: Space(5_000_000, 4_000_000))
    assert cli("check")["warnings"] == []
