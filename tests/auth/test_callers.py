"""Callers are cached for a moment, but revocation and settings apply in time."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from scimsvc import clock
from scimsvc.auth.callers import Callers
from scimsvc.auth.state import token_signer
from scimsvc.extensions import db
from scimsvc.vocabulary import SCIM_SCOPE
from tests.support.client import Enterprise
from tests.support.types import Cli


def elsewhere(app: Flask, statement: str) -> None:
    """Change the database like another process, without invalidating this process's caches."""
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text(statement))


@pytest.mark.requirement("R32")
def test_a_revocation_by_another_process_applies_within_half_a_second(acme: Enterprise) -> None:
    assert acme.send("GET", "/Users").status_code == 200

    elsewhere(acme.app, "UPDATE tokens SET revoked_at = '2026-01-01T00:00:00.000Z'")
    time.sleep(Callers.SECONDS)

    assert Callers.SECONDS <= 0.5
    assert acme.send("GET", "/Users").status_code == 401


def test_changes_by_this_process_apply_at_once(acme: Enterprise, cli: Cli) -> None:
    assert acme.send("GET", "/Users").status_code == 200
    cli("enterprise", "update", "Acme", "--no-enable-scim")
    off = acme.send("GET", "/Users").status_code
    cli("enterprise", "update", "Acme", "--enable-scim")
    on = acme.send("GET", "/Users").status_code
    cli("token", "revoke", acme.token)

    assert (off, on, acme.send("GET", "/Users").status_code) == (403, 200, 401)


def test_expiry_is_checked_on_each_request(acme: Enterprise, monkeypatch: pytest.MonkeyPatch) -> None:
    before = acme.send("GET", "/Users").status_code

    later = datetime.now(UTC) + timedelta(days=4000)
    monkeypatch.setattr(clock, "now", lambda: later)

    assert (before, acme.send("GET", "/Users").status_code) == (200, 401)


def test_a_new_default_role_from_another_process_applies_at_once(acme: Enterprise) -> None:
    user = acme.create()
    before = acme.get(user)["meta"]["version"]

    elsewhere(acme.app, "UPDATE roles SET name = 'Guest' WHERE is_default = (1 = 1)")
    elsewhere(acme.app, "UPDATE enterprises SET role_revision = role_revision + 1")
    asked = 'emails[type eq "work"].value eq "{}"'.format(user["emails"][0]["value"])
    answers = [acme.get(user), *acme.find("userName pr"), *acme.find(asked), *acme.find('roles.value eq "guest"')]
    answers += acme.send("GET", "/Users").get_json()["Resources"]

    assert [each["roles"] for each in answers] == [[{"value": "Guest", "primary": True}]] * 5
    assert {each["meta"]["version"] for each in answers}.isdisjoint({before})


def test_the_cache_is_bounded(app: Flask, acme: Enterprise, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Callers, "MOST", 2)
    callers = Callers(token_signer.of(app))

    with app.app_context():
        for blanks in range(1, 10):
            callers.authenticate(f"Bearer{' ' * blanks}{acme.token}", scope=SCIM_SCOPE)

    assert len(callers._remembered) <= 2
