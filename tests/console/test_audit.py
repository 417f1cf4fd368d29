"""The pages of the audit log: of an enterprise, and of the installation for operators."""

import csv
import io
import json
import re

import pytest
from flask import Flask

from scimsvc.reports import audit_csv
from scimsvc.reports.audit_words import action_in_words
from scimsvc.store import audit as store
from scimsvc.vocabulary import Action
from tests.support.client import Enterprise
from tests.support.console import Console, make_admin, of, sign_in, text, typed
from tests.support.records import audit_of
from tests.support.types import Cli

pytestmark = pytest.mark.both_databases

ENTRY = re.compile(r'<tr id="entry-([0-9a-f]{32})"')


@pytest.fixture
def audit(acme: Enterprise, admin: Console, cli: Cli) -> str:
    """The path of the audit log of an enterprise with three changes by its administrator and others by commands."""
    for name in ("One", "Two", "<b>Three"):
        admin.post(f"{of(acme)}/roles/new", name=name)
    cli("role", "update", "Acme", "One", "--alias", "Eins", "--restrict-editing")
    return f"{of(acme)}/audit-log"


def test_an_entry_says_who_did_what_and_what_changed(admin: Console, audit: str) -> None:
    page = admin.get(audit)
    words = text(page)
    changed, _, two, *_ = ENTRY.findall(page)
    of_change, of_two = (text(admin.get(f"{audit}/{entry}")) for entry in (changed, two))
    part = admin.get(f"{audit}/{changed}?part=1")

    assert "Role changed One Aliases: none → Eins · Restrict editing: no → yes" in words
    assert f"{admin.admin.email if admin.admin else ''} Role created Two" in words
    assert "<b>Three" in words  # escaped
    assert "Role changed One" in of_change
    assert "Member Before After Aliases none Eins Restrict editing no yes" in of_change
    assert "admin@acme.example in the console, from 127.0.0.1" in of_two
    assert part.strip() in admin.get(f"{audit}/{changed}")
    admin.get(f"{audit}/{'0' * 32}", 404)


@pytest.mark.parametrize(
    ("query", "entries"),
    [
        ("action=role.updated", 2),
        ("actor=ADA@contoso.example", 3),
        ("actor=nobody", 0),
        ("since=2020-01-01T00:00&action=role.created", 3),
        ("until=2020-01-01T00:00", 0),
        ("span=1h&action=role.created", 3),
    ],
)
def test_the_entries_are_filtered(acme: Enterprise, admin: Console, audit: str, query: str, entries: int) -> None:
    assert admin.admin is not None
    query = query.replace("ADA@contoso.example", admin.admin.email.upper())

    page = admin.get(f"{audit}?{query}")

    assert len(ENTRY.findall(page)) == entries
    assert ("No matching entries" in text(page)) == (entries == 0)


def test_the_form_of_a_filter_comes_back_filled_in(admin: Console, audit: str) -> None:
    page = admin.get(f"{audit}?action=role.created&actor=ada&since=2026-11-01T10:00")

    assert typed(page, "actor") == "ada"
    assert typed(page, "since") == "2026-11-01T10:00"
    assert '<option value="role.created" selected>' in page


def test_an_invalid_filter_is_refused_with_a_message(admin: Console, audit: str) -> None:
    assert "RFC 3339" in text(admin.get(f"{audit}?since=yesterday", 400))


def test_the_live_part_is_only_the_list(admin: Console, audit: str) -> None:
    page = admin.get(f"{audit}?action=role.created")
    (address,) = re.findall(r'data-live-list="([^"]+)"', page)
    path = address.replace("&amp;", "&")

    part = admin.get(path)

    assert len(ENTRY.findall(part)) == 3
    assert "<html" not in part
    assert admin.get(f"{path}&newest={ENTRY.findall(page)[0]}", 204) == ""


def test_older_entries_are_on_the_next_page(acme: Enterprise, admin: Console, cli: Cli) -> None:
    for number in range(51):
        cli("role", "add", "Acme", f"R{number}")

    first = admin.get(f"{of(acme)}/audit-log?action=role.created")
    (after,) = re.findall(r'href="([^"]+)">Next page', first)
    second = admin.get(after.replace("&amp;", "&"))

    assert len(ENTRY.findall(first)) == 50
    assert len(ENTRY.findall(second)) == 1
    assert "data-live-list" not in second


def test_a_search_continues_where_it_stopped(admin: Console, audit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_READ", 2)

    page = admin.get(f"{audit}?action=role.created")
    found = ENTRY.findall(page)
    while after := re.findall(r'href="([^"]+)">(?:Next page|Search older entries)', page):
        page = admin.get(after[0].replace("&amp;", "&"))
        assert len(ENTRY.findall(page)) <= 2
        found += ENTRY.findall(page)

    assert len(found) == len(set(found)) == 3


def test_the_file_has_the_filtered_entries_and_no_formulas(
    acme: Enterprise, admin: Console, audit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_csv, "_READ_AT_ONCE", 2)
    admin.post(f"{of(acme)}/roles/new", name="=1+1")

    answer = admin.send("GET", f"{audit}.csv?action=role.created")

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit-log.csv"'
    assert [row["target_name"] for row in rows] == ["'=1+1", "<b>Three", "Two", "One"]
    assert json.loads(rows[-1]["after"])["name"] == "One"
    assert rows[0]["actor_type"] == "console"
    admin.get(f"{audit}.csv?action=perhaps", 400)
    assert audit_of(acme.app)[0]["action"] == "audit.exported"


def test_the_file_is_no_longer_than_it_may_be(
    acme: Enterprise, admin: Console, audit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_csv, "_READ_AT_ONCE", 1)
    monkeypatch.setattr(audit_csv, "MOST_ENTRIES", 2)

    assert len(list(csv.DictReader(io.StringIO(admin.get(f"{audit}.csv"))))) == 2


def test_an_operator_sees_everything_also_of_deleted_enterprises(acme: Enterprise, operator: Console, cli: Cli) -> None:
    cli("enterprise", "create", "Gone")
    cli("enterprise", "delete", "Gone", "--yes")
    cli("settings", "set", "log_days", "30")
    cli("role", "add", "Acme", "Other")

    words = text(operator.get("/console/audit-log"))
    start = operator.get("/console")

    assert "Role created Other Acme" in words
    assert "Global setting changed log_days" in words
    assert "Enterprise deleted Gone" in words
    assert 'href="/console/audit-log"' in start
    assert "Enterprise deleted" in text(operator.get("/console/audit-log?action=enterprise.deleted"))
    assert "enterprise.deleted" in operator.send("GET", "/console/audit-log.csv").text


def test_an_administrator_sees_only_the_log_of_its_enterprise(acme: Enterprise, admin: Console, cli: Cli) -> None:
    other = cli("enterprise", "create", "Other")
    cli("settings", "set", "log_days", "30")

    assert "Other" not in text(admin.get(f"{of(acme)}/audit-log"))
    assert "Global setting" not in text(admin.get(f"{of(acme)}/audit-log"))
    assert "/console/audit-log" not in admin.get("/console/account").replace(f"{of(acme)}/audit-log", "")
    for path in ("/console/audit-log", "/console/audit-log.csv", f"/console/enterprises/{other['id']}/audit-log"):
        admin.get(path, 404)


def test_a_throttled_sign_in_is_recorded_too(app: Flask, acme: Enterprise) -> None:
    make_admin(app, "ada@x.example", "Acme")
    browser = Console(app)
    for _ in range(5):
        sign_in(browser, "ada@x.example", "wrong", status=400).close()

    sign_in(browser, "ada@x.example", "wrong", status=429).close()

    newest, before, *_ = audit_of(app, "Acme")
    assert (newest["action"], newest["after"]) == ("admin.sign_in_refused", {"reason": "too many attempts"})
    assert before["after"] == {"reason": "unknown account or wrong password"}


def test_every_action_is_in_words() -> None:
    for action in Action:
        assert action_in_words(action) != action
    assert action_in_words("of.old") == "of.old"
