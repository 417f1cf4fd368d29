"""Roles: an operator, an administrator and an auditor, against every route of the console."""

import re
from http import HTTPStatus

import pytest
from flask import Flask

from scimsvc.console.permissions import OWN_ACCOUNT, PAGES_WITH_FORM, READING_FORMS
from scimsvc.enterprises.admins import FIRST_OPERATOR, offer_first_link
from tests.support.apps import make_enterprise, run_command
from tests.support.client import Enterprise, user_body
from tests.support.console import Console, make_admin, of, text
from tests.support.pages import console_rules, ids_of, path_of
from tests.support.records import audit_of
from tests.support.types import Cli

FORBIDDEN, NOT_FOUND = HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND
#: The pages of the installation that an account of one enterprise cannot see.
OF_ALL = {
    *("console_audit_of_all.list_all", "console_audit_of_all.export_all", "console_audit_of_all.show_any"),
    *("console_sessions.list_all", "console_all_accounts.list_", "console_service_settings.show"),
    "console_health.show",
    *("console_selftest.show", "console_selftest.show_run", "console_selftest.download"),
}
#: The pages of an enterprise, and forms, that only operators can see.
OF_OPERATORS = {
    *("console_enterprises.ask", "console_enterprises.create"),
    *("console_enterprise.ask_to_suspend", "console_enterprise.suspend", "console_enterprise.reactivate"),
    *("console_enterprise.ask_to_delete", "console_enterprise.delete"),
    *(
        f"console_all_accounts.{view}"
        for view in (
            *("ask", "invite", "ask_role", "change_role"),
            *("ask_to_reset", "reset", "ask_to_remove", "remove"),
            *("ask_to_reset_second_factor", "reset_second_factor", "show_link"),
        )
    ),
    "console_service_settings.change",
    "console_selftest.start",
}
#: Pages without a form that auditors of all enterprises cannot see either.
ONLY_OF_OPERATORS = {"console_enterprise.show_new", "console_all_accounts.show_link"}


@pytest.fixture
def filled(acme: Enterprise) -> Enterprise:
    """An enterprise with a manual user, a refusal, an empty role, and a limit on removals."""
    acme.create(roles=[{"value": "User", "primary": True}])
    acme.send("POST", "/Users", user_body("b@contoso.example", roles=[{"value": "Signer", "primary": True}]))
    run_command(acme.app, "user", "create", "Acme", "manual@x.example")
    run_command(acme.app, "role", "add", "Acme", "Unused")
    run_command(acme.app, "enterprise", "update", "Acme", "--removal-percent", "10")
    return acme


def console_of(enterprise: Enterprise, role: str, name: str | None) -> Console:
    """Return a browser of an account with the role in the enterprise ``name``, or in all."""
    email = f"{role}@{name or 'all'}.example"
    return Console(enterprise.app, make_admin(enterprise.app, email, name, is_auditor=role == "auditor"))


def expected(endpoint: str, rule: str, *, role: str, name: str | None, forms: set[str]) -> int | None:
    """Return the status that refuses a request of the role, or None for an allowed request."""
    if "<enterprise_id>" in rule and name == "Other":
        return NOT_FOUND
    if role == "auditor" and endpoint.partition(".")[0] not in OWN_ACCOUNT and endpoint in forms:
        return FORBIDDEN
    if (name is not None and endpoint in OF_ALL | OF_OPERATORS) or (
        role != "operator" and endpoint in ONLY_OF_OPERATORS
    ):
        return NOT_FOUND
    return None


@pytest.mark.parametrize(
    ("role", "name"),
    [
        ("operator", None),
        ("administrator", "Acme"),
        ("administrator", "Other"),
        ("auditor", None),
        ("auditor", "Acme"),
        ("auditor", "Other"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_route_is_allowed_refused_or_hidden_by_role(
    filled: Enterprise, method: str, role: str, name: str | None
) -> None:
    make_enterprise(filled.app, "Other")
    console = console_of(filled, role, name)
    ids = {"enterprise_id": filled.made["id"], **ids_of(filled)}
    posts = {rule.rule for rule in console_rules(filled.app, "POST")}
    forms = {rule.endpoint for rule in console_rules(filled.app, "POST")} - READING_FORMS
    forms |= {rule.endpoint for rule in console_rules(filled.app, "GET") if rule.rule in posts} - PAGES_WITH_FORM
    before = len(audit_of(filled.app))

    for rule in console_rules(filled.app, method):
        refused = expected(rule.endpoint, rule.rule, role=role, name=name, forms=forms)
        # Without its token an allowed form is refused with 400, so that the next one finds the same objects.
        answer = console.send(method, path_of(rule, **ids))
        where = (rule.endpoint, answer.status_code)
        if refused is not None:
            assert answer.status_code == refused, where
        elif method == "GET":
            assert answer.status_code in (200, 204, 302, 303), where
        else:
            assert answer.status_code == 400 or rule.endpoint in OF_OPERATORS, where
    if method == "POST":
        assert len(audit_of(filled.app)) == before


@pytest.mark.parametrize("name", [None, "Acme"])
def test_an_auditor_sees_no_button_or_link_that_is_refused(filled: Enterprise, name: str | None) -> None:
    console = console_of(filled, "auditor", name)
    ids = {"enterprise_id": filled.made["id"], **ids_of(filled)}
    seen = 0
    followed = {"/console/static/icon.svg"}  # a link has the same answer on each page

    for rule in console_rules(filled.app, "GET"):
        page = console.send("GET", path_of(rule, **ids))
        if page.status_code != HTTPStatus.OK or page.mimetype != "text/html":
            continue
        seen += 1
        links = set(re.findall(r'href="(/console[^"#]*)', page.text)) - followed
        followed |= links
        for link in links:
            answer = console.send("GET", link.replace("&amp;", "&"))
            assert answer.status_code in (200, 302, 303), (rule.rule, link)
            answer.close()
        for action in re.findall(r'<form method="post" action="(/[^"#?]*)', page.text):
            assert console.send("POST", action).status_code == 400, (rule.rule, action)
    assert seen > 12


def test_the_refusal_says_who_can(filled: Enterprise) -> None:
    auditor, auditor_of_all = console_of(filled, "auditor", "Acme"), console_of(filled, "auditor", None)

    of_enterprise = text(auditor.post(of(filled) + "/settings/pause", 403).text)
    of_all = text(auditor_of_all.post("/console/enterprises/new", 403, name="New").text)

    assert "Your account is an auditor's. It can see everything but change nothing." in of_enterprise
    assert "Ask an administrator of the enterprise or an operator of this service." in of_enterprise
    assert "Ask an operator of this service." in of_all
    assert not run_command(filled.app, "enterprise", "show", "Acme")["paused"]


def test_an_auditor_reads_and_exports_the_logs_and_explains_requests(filled: Enterprise) -> None:
    auditor = console_of(filled, "auditor", "Acme")

    log, audit = (auditor.send("GET", of(filled) + path) for path in ("/log.csv", "/audit-log.csv"))
    explained = auditor.post(of(filled) + "/explain", 200, method="GET", path="/Users")

    assert (log.status_code, log.mimetype, audit.status_code, audit.mimetype) == (200, "text/csv", 200, "text/csv")
    assert "This request would be applied" in text(explained.text)
    actions = {entry["action"] for entry in audit_of(filled.app) if entry["actor"]["name"] == "auditor@Acme.example"}
    assert actions == {"log.exported", "audit.exported"}


def test_an_auditor_of_all_sees_a_suspended_enterprise_and_its_own_auditor_does_not(filled: Enterprise) -> None:
    auditor, auditor_of_all = console_of(filled, "auditor", "Acme"), console_of(filled, "auditor", None)
    run_command(filled.app, "enterprise", "suspend", "Acme", "--reason", "Unpaid")

    shown = auditor_of_all.get(of(filled))

    assert "This enterprise is suspended." in shown
    assert "Reactivate enterprise" not in shown
    assert "Unpaid" in auditor.get(of(filled), 403)


def test_commands_create_and_list_roles(acme: Enterprise, cli: Cli) -> None:
    made = [
        cli("admin", "create", "a@x.example", "--operator"),
        cli("admin", "create", "b@x.example", "--enterprise", "Acme"),
        cli("admin", "create", "c@x.example", "--enterprise", "Acme", "--auditor"),
        cli("admin", "create", "d@x.example", "--operator", "--auditor"),
    ]

    roles = ["operator", "administrator", "auditor", "auditor"]
    assert [each["role"] for each in made] == roles
    listed = [(each["email"], each["enterprise"], each["role"]) for each in cli("admin", "list")]
    assert listed == list(
        zip(
            ("a@x.example", "b@x.example", "c@x.example", "d@x.example"),
            (None, "Acme", "Acme", None),
            roles,
            strict=True,
        )
    )
    refused = acme.app.test_cli_runner().invoke(args=["admin", "create", "e@x.example", "--auditor"])
    assert (refused.exit_code, "Pass --enterprise E" in refused.stderr) == (2, True)


def test_the_first_link_is_not_an_auditor_s(app: Flask, cli: Cli) -> None:
    cli("admin", "create", "a@x.example", "--operator", "--auditor")
    with app.app_context():
        offered = offer_first_link()

    assert offered is not None
    assert (offered["email"], offered["role"]) == (FIRST_OPERATOR, "operator")
