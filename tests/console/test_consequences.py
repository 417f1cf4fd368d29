"""Dangerous actions show their consequences first: releases, deletions and pauses. Also: names and global settings."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from scimsvc import clock
from tests.support.client import Enterprise, replace, user_body
from tests.support.console import Console, errors, make_admin, of, text
from tests.support.types import Cli

pytestmark = pytest.mark.both_databases


def created(acme: Enterprise, email: str) -> dict[str, Any]:
    """Return a new user with this work address."""
    answer = acme.send("POST", "/Users", user_body(email))
    assert answer.status_code == 201, answer.text
    return dict(answer.get_json())


def test_a_release_lists_the_people_whose_removal_waits(acme: Enterprise, admin: Console, cli: Cli) -> None:
    users = [created(acme, f"person{number}@acme.example") for number in range(3)]
    cli("enterprise", "update", "Acme", "--removal-limit", "0")
    for user in users[:2]:
        assert acme.patch(user, replace("active", False)).status_code == 503

    page = admin.get(of(acme) + "/settings/release")

    assert "2 removals wait" in text(page)
    assert "person0@acme.example" in page
    assert "person1@acme.example" in page
    assert "person2@acme.example" not in page


def test_a_release_says_that_no_removal_waits(acme: Enterprise, admin: Console, cli: Cli) -> None:
    cli("enterprise", "update", "Acme", "--removal-limit", "5")

    assert "No refused removal waits" in text(admin.get(of(acme) + "/settings/release"))


def test_a_deletion_counts_what_is_deleted(acme: Enterprise, operator: Console) -> None:
    created(acme, "ada@acme.example")

    asked = text(operator.get(of(acme) + "/delete"))

    assert re.search(r"It contains 1 user ?, \d roles and 1 integration ?\.", asked), asked


@pytest.mark.parametrize(("late", "status"), [(timedelta(seconds=-1), 503), (timedelta(0), 200)])
def test_a_pause_with_an_end_ends_by_itself(
    acme: Enterprise, admin: Console, cli: Cli, monkeypatch: pytest.MonkeyPatch, late: timedelta, status: int
) -> None:
    user = created(acme, "ada@acme.example")
    instant: datetime = clock.now()
    monkeypatch.setattr(clock, "now", lambda: instant)
    admin.get(of(acme) + "/settings")
    paused = admin.follow(of(acme) + "/settings/pause", form="pausing", hours="4")
    monkeypatch.setattr(clock, "now", lambda: instant + timedelta(hours=4) + late)

    assert "Provisioning paused for 4 hours." in text(paused)
    assert acme.patch(user, replace("title", "Clerk")).status_code == status
    assert cli("enterprise", "show", "Acme")["paused"] is (status == 503)


def test_a_pause_without_an_end_replaces_one_with_an_end(acme: Enterprise, admin: Console, cli: Cli) -> None:
    admin.post(of(acme) + "/settings/pause", hours="1")
    with_end = cli("enterprise", "show", "Acme")
    admin.post(of(acme) + "/settings/pause", hours="")

    assert with_end["paused_until"] is not None
    assert (cli("enterprise", "show", "Acme")["paused_until"], cli("enterprise", "show", "Acme")["paused"]) == (
        None,
        True,
    )


@pytest.mark.parametrize("hours", ["0", "721", "an hour"])
def test_a_length_of_a_pause_is_refused(acme: Enterprise, admin: Console, hours: str) -> None:
    page = admin.post(of(acme) + "/settings/pause", 400, form="pausing", hours=hours).text

    assert errors(page) == {"hours": ["Enter a whole number from 1 to 720."]}


def test_an_operator_renames_an_enterprise(acme: Enterprise, operator: Console, cli: Cli) -> None:
    cli("enterprise", "create", "Taken")

    renamed = operator.follow(of(acme) + "/settings/name", form="naming", name="Acme Holdings")
    taken = operator.post(of(acme) + "/settings/name", 409, form="naming", name="TAKEN").text

    assert "Enterprise renamed to Acme Holdings." in text(renamed)
    assert cli("enterprise", "show", "acme holdings")["id"] == acme.made["id"]
    assert "Enterprise 'TAKEN' already exists." in text(taken)


def test_the_command_renames_and_pauses(acme: Enterprise, cli: Cli) -> None:
    assert cli("enterprise", "update", "Acme", "--name", "Acme B.V.")["name"] == "Acme B.V."
    assert cli("enterprise", "pause", "Acme B.V.", "--hours", "2")["paused_until"] is not None
    assert cli("enterprise", "resume", "Acme B.V.")["paused"] is False


def test_an_administrator_cannot_rename_or_delete_the_enterprise(acme: Enterprise, admin: Console) -> None:
    page = admin.get(of(acme) + "/settings")

    assert "Danger zone" not in page
    assert "Rename enterprise" not in page
    admin.post(of(acme) + "/settings/name", 404, name="Mine")


def test_operators_change_the_global_settings(operator: Console, cli: Cli) -> None:
    values = cli("settings", "show")

    saved = operator.follow(
        "/console/settings", **{name: str(value) for name, value in values.items()} | {"log_days": "30"}
    )
    refused = operator.post("/console/settings", 400, **dict.fromkeys(values, "1") | {"audit_days": "0"}).text

    assert "Settings saved." in text(saved)
    assert cli("settings", "show") == values | {"log_days": 30}
    assert errors(refused) == {"audit_days": ["Enter a whole number from 1 to 36,500."]}
    assert '<a href="#audit_days">Audit log (days)</a>' in refused


def test_auditors_read_the_global_settings_and_others_do_not(acme: Enterprise, admin: Console) -> None:
    auditor = Console(acme.app, make_admin(acme.app, "auditor@example.com", is_auditor=True))

    page = auditor.get("/console/settings")

    assert "Only an administrator or an operator can change this." in text(page)
    admin.get("/console/settings", 404)
