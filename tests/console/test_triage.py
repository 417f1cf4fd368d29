"""The overview as the place of triage: causes in a table, people by name, owners, and errors that are dismissed."""

import re
from html import unescape

import pytest
from flask import Flask

from tests.support.apps import run_command
from tests.support.client import Enterprise, replace, user_body
from tests.support.console import Console, make_admin, of, text
from tests.support.records import log_of

pytestmark = pytest.mark.both_databases


def rows(page: str) -> list[str]:
    """Return the words in the rows of the table of causes."""
    summaries = re.findall(r'<summary>\s*(<span class="cause-name".*?)</summary>', page, re.DOTALL)
    return [text(f"<main>{summary}</main>") for summary in summaries]


def test_a_row_has_the_first_names_and_the_number_of_the_others(admin: Console, acme: Enterprise) -> None:
    for number in range(5):
        acme.send("POST", "/Users", user_body(f"u{number}@x.example", roles=["Signer"]))
    acme.send("POST", "/Users", user_body(None, emails=None, userName="Lee Gu", externalId="lee.gu"))

    page = admin.get(of(acme))

    assert [row.partition(" since ")[0] for row in rows(page)] == [
        "Unknown role “Signer” u4@x.example , u3@x.example and 3 more",
        "No work e-mail address was sent Lee Gu ( lee.gu )",
    ]
    assert "Answer to Entra: Role 'Signer' does not exist in Acme." in text(page)
    assert "5 people were not created." in text(page)


def test_five_rows_are_shown_and_the_others_on_request(admin: Console, acme: Enterprise) -> None:
    for number in range(7):
        acme.send("POST", "/Users", user_body(f"u{number}@x.example", roles=[f"Role {number}"]))

    first, _, others = admin.get(of(acme)).partition('<details class="more-causes">')

    assert (len(rows(first)), len(rows(others))) == (5, 2)
    assert "Show all 7 causes" in others


def test_a_taken_address_leads_to_its_owner(admin: Console, acme: Enterprise) -> None:
    owner = acme.create(email="adele@x.example", userName="Adele")
    nestor = acme.create(email="nestor@x.example", userName="Nestor")
    acme.patch(nestor, replace('emails[type eq "work"].value', "adele@x.example"))

    page = admin.get(of(acme))

    (link,) = re.findall(r'href="([^"]+)" title="Show the user who has the address"', page)
    assert link == f"{of(acme)}/users/{owner['id']}"
    assert f'<a href="{of(acme)}/users/{nestor["id"]}"><bdi>nestor@x.example</bdi>' in page
    (entry,) = log_of(acme, outcome="refused")
    assert f'href="{link}"' in admin.get(f"{of(acme)}/log/{entry['id']}")
    admin.get(link)


def test_people_whose_changes_are_on_hold_are_named(admin: Console, acme: Enterprise) -> None:
    user = acme.create(email="adele@x.example")
    run_command(acme.app, "enterprise", "pause", "Acme")
    acme.patch(user, replace("active", False))

    page = admin.get(of(acme))

    assert "Errors 0 Nothing to correct On hold 1 Entra retries them" in text(page)
    assert [row.partition(" since ")[0] for row in rows(page)] == ["Provisioning is paused adele@x.example"]
    assert "No open errors. Some requests are on hold." in text(page)


def test_errors_are_dismissed_with_a_button(admin: Console, acme: Enterprise) -> None:
    acme.create()
    for number in range(3):
        acme.send("POST", "/Users", user_body(f"u{number}@x.example", roles=["Signer"]))

    page = admin.get(of(acme))
    entries = re.findall(r'name="entry" value="(\w+)"', page)
    (key,) = set(re.findall(r'name="cause" value="([^"]+)"', page))
    after_one = admin.follow(f"{of(acme)}/errors/dismiss", cause=unescape(key), entry=entries[0])
    after_all = admin.follow(f"{of(acme)}/errors/dismiss", cause=unescape(key), entry="")

    assert "1 error dismissed." in text(after_one)
    assert "u2@x.example" not in after_one
    assert "2 errors dismissed." in text(after_all)
    assert "No open errors." in text(after_all)
    assert "not open any more" in admin.post(f"{of(acme)}/errors/dismiss", 404, cause=unescape(key), entry="").text


def test_an_auditor_sees_errors_and_dismisses_none(app: Flask, acme: Enterprise) -> None:
    acme.send("POST", "/Users", user_body(roles=["Signer"]))
    auditor = Console(app, make_admin(app, "auditor@x.example", "Acme", is_auditor=True))

    page = auditor.get(of(acme))

    assert len(rows(page)) == 1
    assert "Dismiss" not in page
    auditor.post(f"{of(acme)}/errors/dismiss", 403, cause="unknown-role||signer|False", entry="")
