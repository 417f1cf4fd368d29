"""Tokens, secrets and integrations are named for a while after they end, and then deleted."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeAlias

import pytest
from flask import Flask

from scimsvc import clock
from scimsvc.activity import pruning
from scimsvc.activity.pruning import prune
from scimsvc.auth.last_uses import write_last_uses
from scimsvc.operations.checks import count_rows, find_faults
from tests.support.client import Enterprise
from tests.support.types import Cli

InDays: TypeAlias = Callable[[int], None]


@pytest.fixture(autouse=True)
def _batches_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "_PRUNED_AT_ONCE", 2)


@pytest.fixture
def in_days(monkeypatch: pytest.MonkeyPatch) -> InDays:
    start = clock.now()
    return lambda days: monkeypatch.setattr(clock, "now", lambda: start + timedelta(days=days))


def prune_now(app: Flask) -> dict[str, int]:
    """Prune everything, and return the numbers of deleted rows that are not zero."""
    with app.app_context():
        deleted = prune(progress=lambda _more, _of: None)
        assert list(find_faults()) == []
    return {name: count for name, count in deleted.items() if count}


def rows(app: Flask, table: str) -> int:
    with app.app_context():
        return count_rows()[table]


def test_expired_and_revoked_tokens_are_deleted_after_log_days(acme: Enterprise, cli: Cli, in_days: InDays) -> None:
    short = [cli("token", "issue", "Acme", "--days=2")["id"] for _ in range(5)]
    valid, revoked = (cli("token", "issue", "Acme", "--days=400") for _ in range(2))
    cli("token", "revoke", revoked["id"])

    in_days(89)
    assert prune_now(acme.app) == {}
    in_days(91)
    assert prune_now(acme.app) == {"tokens": 1}
    assert revoked["id"] not in [each["id"] for each in cli("token", "list", "Acme")]
    in_days(93)
    assert prune_now(acme.app) == {"tokens": 5}
    left = [each["id"] for each in cli("token", "list", "Acme")]
    assert (valid["id"] in left, set(short) & set(left)) == (True, set())

    acme.token = revoked["access_token"]
    assert acme.send("GET", "/Users").status_code == 401
    acme.token = valid["access_token"]
    assert acme.send("GET", "/Users").status_code == 200


def test_the_token_that_scim_used_last_stays(acme: Enterprise, cli: Cli, in_days: InDays) -> None:
    for _ in range(2):
        acme.token = cli("token", "issue", "Acme", "--days=2")["access_token"]
        acme.send("GET", "/Users")
    write_last_uses(acme.app)
    used = [each["last_used_at"] for each in cli("token", "list", "Acme") if each["last_used_at"]]

    in_days(98)
    prune_now(acme.app)

    assert len(used) == 2
    assert [each["last_used_at"] for each in cli("token", "list", "Acme")] == [max(used)]


def test_a_revoked_integration_is_deleted_after_its_tokens(acme: Enterprise, cli: Cli, in_days: InDays) -> None:
    other = cli("integration", "create", "Acme", "Other")
    for _ in range(5):
        cli("token", "issue", "Acme", "--days=400", "--integration", other["client_id"])
    before = rows(acme.app, "integrations")
    cli("integration", "revoke", "Acme", "Other")

    in_days(89)
    assert prune_now(acme.app) == {}
    in_days(91)
    assert prune_now(acme.app) == {"tokens": 5, "integrations": 1}
    assert rows(acme.app, "integrations") == before - 1
    assert rows(acme.app, "client_secrets") == before - 1


def test_secrets_that_a_rotation_replaced_are_deleted(acme: Enterprise, cli: Cli, in_days: InDays) -> None:
    client = cli("integration", "list", "Acme")[0]["client_id"]
    before = rows(acme.app, "client_secrets")
    for _ in range(3):
        cli("integration", "rotate", "Acme", client, "--overlap=24")

    in_days(90)
    assert prune_now(acme.app) == {}
    in_days(92)
    assert prune_now(acme.app)["secrets"] == 3
    assert rows(acme.app, "client_secrets") == before
