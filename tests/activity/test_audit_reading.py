"""The audit log is read by the enterprise API, the command and the history of a user."""

import json
import re
import threading
from datetime import timedelta

import pytest
from flask import Flask

from scimsvc import clock
from scimsvc.activity import audit_reading
from scimsvc.activity.audit_reading import follow_audit_entries
from scimsvc.vocabulary import Action
from tests.support.apps import make_api, make_enterprise, run_command
from tests.support.client import Api, Enterprise
from tests.support.commands import misuse, text_of
from tests.support.console import Console, make_admin, sign_in, text
from tests.support.records import audit_of
from tests.support.types import Cli


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
    client = run_command(several.app, "integration", "list", "Acme")[-1]

    def found(**conditions: str) -> int:
        return len(api.get("/audit-log", limit=1000, **conditions)["items"])

    assert found(action="role.deleted") == 1
    assert found(actor="ENTERPRISE api") == found(actor=client["client_id"]) == 3
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


def test_the_command_follows_entries_as_one_object_per_line(several: Enterprise) -> None:
    arguments = ["audit", "Acme", "--follow", "--since", "1h", "--limit", "3"]

    as_json = several.app.test_cli_runner().invoke(args=[*arguments, "--json"], catch_exceptions=False)
    as_text = several.app.test_cli_runner().invoke(args=arguments, catch_exceptions=False)

    entries = [json.loads(line) for line in as_json.stdout.splitlines()]
    assert entries == list(reversed(audit_of(several.app, "Acme")))[:3]
    assert [line.split()[1] for line in as_text.stdout.splitlines() if line[0] != " "] == [
        entry["action"] for entry in entries
    ]
    assert "--until" in misuse(several.app, *arguments, "--until", "1m")


def test_new_entries_are_followed_oldest_first(several: Enterprise, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_reading, "_READ_AT_ONCE", 2)
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


def test_the_history_of_a_user_names_who_changed_it(acme: Enterprise, api: Api) -> None:
    admin = Console(acme.app, make_admin(acme.app, "ada@x.example", "Acme"))
    path = f"/console/enterprises/{acme.made['id']}/users"
    page = admin.follow(f"{path}/new", email="b@x.example", active="on")
    user = api.get("/users", email="b@x.example")["items"][0]
    api.send("PATCH", f"/users/{user['id']}/profile", {"title": "Lead"})

    shown = text(admin.get(f"{path}/{user['id']}"))

    assert "created manually by ada@x.example" in text(page)
    assert "by the user through Enterprise API" in shown
