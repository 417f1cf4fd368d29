"""The console shows alerts with their remedies, and lets each person choose the alerts by e-mail."""

from datetime import timedelta

import pytest
from flask import Flask

from scimsvc import clock
from scimsvc.notifications.alerts.conditions import Condition
from scimsvc.notifications.alerts.integrity import note_faults
from scimsvc.notifications.alerts.raising import end_alert, raise_alert
from scimsvc.store.engine.transactions import writing
from scimsvc.vocabulary import AlertType
from tests.support.client import Enterprise
from tests.support.console import Console, errors, make_admin, of, text, typed
from tests.support.types import Cli, MakeApp

pytestmark = pytest.mark.both_databases


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app(SMTP_URL="smtp://127.0.0.1:1?tls=off", MAIL_FROM="scimsvc@host.example")


@pytest.fixture
def admin(acme: Enterprise) -> Console:
    return Console(acme.app, make_admin(acme.app, "admin@x.example", "Acme"))


@pytest.fixture
def operator(acme: Enterprise) -> Console:
    return Console(acme.app, make_admin(acme.app, "op@x.example"))


def raise_one(acme: Enterprise, enterprise_id: str | None = None, integration: str = "Entra") -> None:
    facts = {"integration": integration, "provider": "entra", "last_request_at": "2026-11-27T10:00:00.000Z"}
    condition = Condition(
        enterprise_id=enterprise_id or acme.made["id"],
        enterprise="Acme",
        type=AlertType.SILENT,
        subject="i",
        facts=facts | {"integration_id": "i", "usual_cycle_minutes": 40},
    )
    with acme.app.app_context(), writing() as connection:
        raise_alert(connection, condition)


def test_open_alerts_are_shown_with_their_remedy_and_counted(acme: Enterprise, admin: Console) -> None:
    assert "No open alerts" in admin.get(of(acme) + "/alerts")
    raise_one(acme, integration="<b>Entra</b>")

    page = admin.get(of(acme) + "/alerts")

    assert "No more requests from Entra" in text(page)
    assert "Entra may have stopped provisioning." in text(page)
    assert "Integration: &lt;b&gt;Entra&lt;/b&gt;" in page
    assert f'href="{of(acme)}/set-up">Open connection' in page
    assert '<span class="badge warn">1<span class="visually-hidden"> open</span></span>' in admin.get(of(acme))


def test_closed_alerts_are_listed_for_a_month(
    acme: Enterprise, admin: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_one(acme)
    with acme.app.app_context(), writing() as connection:
        end_alert(connection, acme.made["id"], AlertType.SILENT, "i")

    page = admin.get(of(acme) + "/alerts")
    assert ("No open alerts" in page, "Closed in the last 30 days" in page) == (True, True)
    assert "badge warn" not in page.partition("<main")[0]

    later = clock.now() + timedelta(days=31)
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: later)
        later_admin = Console(acme.app, admin.admin)
        assert "Closed in the last 30 days" not in later_admin.get(of(acme) + "/alerts")


def test_alerts_of_another_enterprise_are_not_shown(acme: Enterprise, admin: Console, cli: Cli) -> None:
    raise_one(acme, cli("enterprise", "create", "Other")["id"])

    assert "No open alerts" in admin.get(of(acme) + "/alerts")


def test_operators_see_faults_of_the_database_on_their_first_page(
    acme: Enterprise, admin: Console, operator: Console
) -> None:
    with acme.app.app_context():
        note_faults(["users e u: its document is not JSON"])

    assert "The check of the database found 1 fault. Keep a copy" in text(operator.get("/console"))
    assert "found 1 fault" not in admin.get(of(acme)) + admin.get(of(acme) + "/alerts")


def test_a_person_chooses_the_alerts_by_e_mail(acme: Enterprise, admin: Console, operator: Console) -> None:
    def chosen(console: Console) -> list[str]:
        page = console.get("/console/account").partition('id="alerts"')[2]
        return [line.partition('id="')[2].partition('"')[0] for line in page.split("<input ") if " checked" in line]

    every = ["token_soon", "token_urgent", "removal_limit", "refusals", "silent", "webhook_disabled"]
    assert chosen(admin) == every
    assert chosen(operator) == ["token_urgent", "removal_limit", "silent", "webhook_disabled", "integrity"]

    page = admin.follow("/console/account/alerts", silent="on", integrity="on", form="alerts")

    assert "E-mail alerts saved." in page
    assert chosen(admin) == ["silent"]
    admin.post("/console/account/alerts", form="alerts")
    assert chosen(admin) == []


def test_an_auditor_can_subscribe(acme: Enterprise) -> None:
    auditor = Console(acme.app, make_admin(acme.app, "auditor@x.example", "Acme", is_auditor=True))
    assert " checked" not in auditor.get("/console/account")

    auditor.post("/console/account/alerts", form="alerts", refusals="on")

    assert auditor.get("/console/account").count(" checked") == 1


def test_the_number_of_refusals_is_set_and_removed(acme: Enterprise, admin: Console, cli: Cli) -> None:
    settings = of(acme) + "/settings"
    assert typed(admin.get(settings), "alert_refusals") == "10"

    admin.follow(settings + "/alerts", alert_refusals="25", form="alerts")
    assert cli("enterprise", "show", "Acme")["alert_refusals"] == 25
    refused = admin.post(settings + "/alerts", 400, alert_refusals="0", form="alerts").text
    assert list(errors(refused)) == ["alert_refusals"]
    admin.follow(settings + "/alerts", alert_refusals="", form="alerts")

    assert cli("enterprise", "show", "Acme")["alert_refusals"] is None
