"""The page of operators: the state of every enterprise, trouble first, with search and pages."""

import re
from datetime import timedelta

import pytest
from flask import Flask

from scimsvc import clock
from scimsvc.notifications.alerts.integrity import note_faults
from scimsvc.reports.enterprise_states import EnterpriseState, list_enterprise_states
from scimsvc.store.alerts import AlertRow, put_alert
from scimsvc.store.engine.transactions import writing
from scimsvc.vocabulary import AlertType
from tests.support.apps import run_command
from tests.support.client import Enterprise, replace, user_body
from tests.support.console import Console, make_admin, of, text

pytestmark = pytest.mark.both_databases


def create(app: Flask, name: str, *, days: str = "90") -> Enterprise:
    made = run_command(app, "enterprise", "create", name, "--enable-scim", "--role", "User")
    token = run_command(app, "token", "issue", name, "--days", days)["access_token"]
    enterprise = Enterprise(app, made, token)
    enterprise.send("GET", "/Users").close()  # uses are stored after the response
    return enterprise


def refuse(enterprise: Enterprise, email: str, role: str = "Signer") -> None:
    assert enterprise.send("POST", "/Users", user_body(email, roles=[role])).status_code == 400


def states_of(app: Flask) -> dict[str, EnterpriseState]:
    with app.app_context():
        return {each.name: each for each in list_enterprise_states()}


def test_every_enterprise_has_its_state_and_trouble_comes_first(app: Flask, operator: Console) -> None:
    create(app, "Healthy").create()
    broken = create(app, "Broken")
    refuse(broken, "a@x.example")
    refuse(broken, "b@x.example")
    paused = create(app, "Paused")
    run_command(app, "enterprise", "pause", "Paused")
    paused.send("POST", "/Users", user_body("c@x.example"))
    limited = create(app, "Limited")
    users = [limited.create(email=f"u{number}@x.example") for number in range(2)]
    run_command(app, "enterprise", "update", "Limited", "--removal-limit", "1", "--removal-hours", "24")
    for user in users:
        limited.patch(user, replace("active", False))
    create(app, "Expiring", days="2")
    silent = create(app, "Silent")
    now = clock.timestamp(clock.now())
    with app.app_context():
        with writing() as connection:
            put_alert(connection, AlertRow(silent.made["id"], AlertType.SILENT.value, "", now, 0, now, None, "{}"))
        note_faults(["a user without a role"])
    run_command(app, "enterprise", "create", "New", "--enable-scim")
    run_command(app, "enterprise", "create", "Off")
    create(app, "Suspended")
    run_command(app, "enterprise", "suspend", "Suspended", "--reason", "Unpaid")

    states = states_of(app)
    page = operator.get("/console")

    assert {name: list(state.states) for name, state in states.items()} == {
        "Expiring": ["token expires"], "Silent": ["silent"], "Broken": ["errors"], "Limited": ["removal limit"], "Paused": ["paused"],
        "Suspended": ["suspended"], "Healthy": ["ok"], "New": ["not connected"], "Off": ["off"],
    }  # fmt: skip
    assert list(states)[:3] == ["Expiring", "Silent", "Broken"]
    assert [(each.users, each.errors, each.on_hold) for each in list(states.values())[2:5]] == [
        (0, 2, 0), (2, 0, 1), (0, 0, 1),
    ]  # fmt: skip
    assert re.findall(r'<bdi title="(\w+)">', page) == list(states)
    assert "9 enterprises, 6 with trouble." in text(page)
    assert f'href="{of(broken)}#errors">2</a>' in page
    assert "Delete" not in page
    assert "a user without a role" in page


def test_fixed_dismissed_and_repaired_errors_do_not_count(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    acme = create(app, "Acme")
    refuse(acme, "a@x.example", "Guest")
    refuse(acme, "b@x.example")
    refuse(acme, "c@x.example")
    assert states_of(app)["Acme"].errors == 3

    run_command(app, "role", "update", "Acme", "User", "--alias", "guest")
    assert states_of(app)["Acme"].errors == 2
    acme.create(email="b@x.example")
    assert states_of(app)["Acme"].errors == 1
    later = clock.now() + timedelta(days=2, seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert states_of(app)["Acme"].errors == 0


def test_the_list_is_searched_and_paged(app: Flask, operator: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scimsvc.console.views.enterprises.PAGE_LENGTH", 2)
    for name in ("Alpha", "Beta", "Alphabet"):
        run_command(app, "enterprise", "create", name)

    first, second = operator.get("/console"), operator.get("/console?start=2")
    found, none = operator.get("/console?search=ALPHA"), operator.get("/console?search=<b>")

    assert [re.findall(r'<bdi title="(\w+)">', page) for page in (first, second, found)] == [
        ["Alpha", "Alphabet"], ["Beta"], ["Alpha", "Alphabet"],
    ]  # fmt: skip
    assert "1–2 of 3 Next page" in text(first)
    assert "2 of 3 enterprises" in text(found)
    assert "No enterprise has “<b>” in its name." in text(none)
    assert [re.findall(r'<bdi title="(\w+)">', operator.get(f"/console?start={start}")) for start in ("x", "99")] == [
        ["Alpha", "Alphabet"], ["Beta"],
    ]  # fmt: skip


def test_administrators_of_one_enterprise_do_not_see_the_list(app: Flask, acme: Enterprise, admin: Console) -> None:
    assert admin.send("GET", "/console").headers["Location"] == of(acme)


def test_an_auditor_of_all_sees_the_list(app: Flask, acme: Enterprise) -> None:
    auditor = Console(app, make_admin(app, "auditor@x.example", is_auditor=True))

    page = auditor.get("/console")

    assert "Acme" in text(page)
    assert "Create enterprise" not in page
