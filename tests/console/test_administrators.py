"""Accounts in the console: invited, reset, given another role and removed by operators and administrators."""

import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask

from scimsvc import clock
from scimsvc.auth.throttling import MOST_PASSWORDS
from scimsvc.enterprises import accounts as services
from scimsvc.enterprises.admins import Admin
from scimsvc.errors import Conflict
from tests.support.apps import make_enterprise, run_command
from tests.support.client import Enterprise
from tests.support.console import PASSWORD, Console, errors, make_admin, of, sign_in, text
from tests.support.records import audit_of
from tests.support.smtp import Mailbox, mail_server
from tests.support.types import Cli, MakeApp

NEW = "grace@contoso.example"
OTHER_PASSWORD = PASSWORD[::-1]


def link_of(page: str) -> str:
    """Return the path of the one-time link that the page shows."""
    found = re.search(r'id="link" value="http://localhost(/console/password/[^"]+)"', page)
    assert found is not None, page
    return unescape(found[1])


def use(app: Flask, link: str, password: str = PASSWORD) -> Console:
    """Set the password with the link in a new browser."""
    browser = Console(app)
    browser.post(link, password=password, repeated=password)
    return browser


def account(app: Flask, email: str) -> dict[str, Any]:
    (found,) = (each for each in run_command(app, "admin", "list") if each["email"] == email)
    return dict(found)


def invited(console: Console, path: str, email: str = NEW, role: str = "administrator") -> str:
    """Invite a person, and return the page with the link."""
    console.get(f"{path}/invite")
    return console.follow(f"{path}/invite", email=email, role=role)


def test_an_administrator_invites_a_colleague_who_signs_in(acme: Enterprise, admin: Console) -> None:
    path = of(acme) + "/administrators"
    page = invited(admin, path)
    browser = use(acme.app, link_of(page))

    assert "Account created" in text(page)
    assert "an administrator of Acme" in text(page)
    assert browser.send("GET", "/console").headers["Location"] == of(acme)
    assert NEW in admin.get(path)
    assert link_of(page).rpartition("/")[2] not in admin.get(path)
    created, linked = (
        next(entry for entry in audit_of(acme.app) if entry["action"] == action and entry["target"]["name"] == NEW)
        for action in ("admin.created", "admin.link_created")
    )
    assert (created["actor"]["name"], created["after"]) == ("admin@acme.example", {"role": "administrator"})
    assert created["enterprise"] == "Acme"
    assert set(linked["after"]) == {"expires_at"}


def test_an_operator_invites_an_auditor_of_all_enterprises(app: Flask, operator: Console) -> None:
    page = invited(operator, "/console/accounts", role="auditor")
    browser = use(app, link_of(page))

    assert "an auditor of all enterprises" in text(page)
    assert "Create enterprise" not in browser.get("/console")
    assert "an auditor of all enterprises" in text(browser.get("/console/account"))
    browser.get("/console/enterprises/new", 403)


def test_a_new_enterprise_leads_to_the_invitation_of_its_administrator(app: Flask, operator: Console) -> None:
    operator.get("/console/enterprises/new")
    page = operator.follow("/console/enterprises/new", name="Contoso")
    path = re.search(r'href="([^"]+)">Invite its administrator', page)

    assert path is not None
    assert "Contoso and no other enterprise" in text(operator.get(path[1]))


@pytest.mark.parametrize(
    ("email", "role", "said"),
    [
        ("no address", "administrator", {"email": ["Enter an e-mail address, such as name@example.com."]}),
        ("ADMIN@acme.example", "administrator", {"email": ["An account with this e-mail address already exists"]}),
        (NEW, "operator", {"role": ["Choose administrator or auditor"]}),
        (NEW, "", {"role": ["Choose administrator or auditor"]}),
    ],
)
def test_an_invitation_is_refused_at_its_field(
    acme: Enterprise, admin: Console, email: str, role: str, said: dict[str, list[str]]
) -> None:
    path = of(acme) + "/administrators/invite"
    admin.get(path)
    page = admin.post(path, 400, email=email, role=role).text

    assert errors(page) == said
    assert len(run_command(acme.app, "admin", "list")) == 1


def test_an_administrator_makes_nobody_an_operator(acme: Enterprise, admin: Console) -> None:
    colleague = make_admin(acme.app, NEW, "Acme")
    path = f"{of(acme)}/administrators/{colleague.id}/role"

    admin.post(path, 400, role="operator")
    admin.post("/console/accounts/invite", 404, email="x@x.example", role="operator")

    assert account(acme.app, NEW)["role"] == "administrator"


def test_the_accounts_of_an_enterprise_are_limited(
    acme: Enterprise, admin: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "MOST_ACCOUNTS", 1)
    path = of(acme) + "/administrators/invite"
    admin.get(path)

    refused = admin.post(path, 409, email=NEW, role="auditor").text

    assert "At most 1 accounts can be invited. Remove an account first." in text(refused)


@pytest.mark.parametrize("page", ["role", "reset", "remove"])
def test_accounts_outside_of_the_reach_do_not_exist(
    acme: Enterprise, admin: Console, operator: Console, page: str
) -> None:
    make_enterprise(acme.app, "Other")
    theirs = make_admin(acme.app, "b@other.example", "Other")
    assert operator.admin is not None
    for account_id in (theirs.id, operator.admin.id, "x'", "%00"):
        path = f"{of(acme)}/administrators/{account_id}/{page}"
        admin.get(path, 404)
        admin.post(path, 404, role="auditor", end_now="on")
    # An operator finds the accounts of an enterprise only there.
    for account_id in (theirs.id, "x'", "%00", "a" * 3000):
        operator.get(f"/console/accounts/{account_id}/{page}", 404)
        operator.post(f"/console/accounts/{account_id}/{page}", 404, role="auditor")

    assert [each["role"] for each in run_command(acme.app, "admin", "list")] == [
        "administrator",
        "administrator",
        "operator",
    ]


def test_a_reset_keeps_the_password_until_its_link_is_used(acme: Enterprise, admin: Console) -> None:
    path = of(acme) + "/administrators"
    browser = use(acme.app, link_of(invited(admin, path)))
    reset = f"{path}/{account(acme.app, NEW)['id']}/reset"

    page = admin.follow(reset)

    browser.get("/console/account")
    assert sign_in(Console(acme.app), NEW)
    use(acme.app, link_of(page), OTHER_PASSWORD)
    assert browser.send("GET", "/console/account").status_code == 302
    assert sign_in(Console(acme.app), NEW, status=400)
    assert sign_in(Console(acme.app), NEW, OTHER_PASSWORD)


def test_a_reset_can_end_the_password_and_the_sessions_now(acme: Enterprise, admin: Console) -> None:
    path = of(acme) + "/administrators"
    browser = use(acme.app, link_of(invited(admin, path)))
    reset = f"{path}/{account(acme.app, NEW)['id']}/reset"

    link = link_of(admin.follow(reset, end_now="on"))

    assert browser.send("GET", "/console/account").status_code == 302
    assert sign_in(Console(acme.app), NEW, status=400)
    assert not account(acme.app, NEW)["has_password"]
    newest = audit_of(acme.app)[0]
    recorded = next(entry for entry in audit_of(acme.app) if entry["action"] == "admin.link_created")
    assert newest["action"] == "admin.sign_in_refused"
    assert recorded["after"]["password_and_sessions_ended"] is True
    assert use(acme.app, link, OTHER_PASSWORD).get("/console/account")


def test_the_own_account_is_not_reset_and_gets_no_other_role(acme: Enterprise, admin: Console) -> None:
    assert admin.admin is not None
    path = f"{of(acme)}/administrators/{admin.admin.id}"

    reset = admin.post(f"{path}/reset", 409, end_now="on").text
    role = admin.post(f"{path}/role", 409, role="auditor").text

    assert "You cannot reset your own account. Change your password on the page of your account." in text(reset)
    assert "You cannot change your own role." in text(role)


def test_another_role_takes_effect_with_the_next_request(acme: Enterprise, admin: Console) -> None:
    colleague = make_admin(acme.app, NEW, "Acme")
    browser = Console(acme.app, colleague)
    browser.get(of(acme) + "/users/new")

    page = admin.follow(f"{of(acme)}/administrators/{colleague.id}/role", role="auditor")

    assert f"{NEW} is now an auditor." in page
    browser.get(of(acme) + "/users/new", 403)
    browser.get(of(acme))
    changed = next(entry for entry in audit_of(acme.app) if entry["action"] == "admin.role_changed")
    assert (changed["before"], changed["after"]) == ({"role": "administrator"}, {"role": "auditor"})


def test_a_removed_account_is_signed_out_at_once(acme: Enterprise, admin: Console) -> None:
    colleague = make_admin(acme.app, NEW, "Acme")
    browser = Console(acme.app, colleague)
    browser.get(of(acme))
    path = f"{of(acme)}/administrators/{colleague.id}/remove"

    asked = admin.get(path)
    admin.post(path)

    assert f"Remove account {NEW}?" in text(asked)
    assert browser.send("GET", of(acme)).headers["Location"].startswith("/console/sign-in")
    assert [each["email"] for each in run_command(acme.app, "admin", "list")] == ["admin@acme.example"]


def test_the_own_account_is_removed_only_with_its_address(acme: Enterprise, admin: Console) -> None:
    assert admin.admin is not None
    path = f"{of(acme)}/administrators/{admin.admin.id}/remove"

    refused = admin.post(path, 400, typed_name="").text
    removed = admin.post(path, typed_name="Admin@acme.example")

    assert errors(refused) == {"typed_name": ["Type your e-mail address to remove your own account"]}
    assert removed.headers["Location"] == "/console/sign-in"
    assert run_command(acme.app, "admin", "list") == []


def test_the_last_operator_with_a_password_cannot_be_removed(app: Flask, cli: Cli, operator: Console) -> None:
    assert operator.admin is not None
    cli("admin", "create", "new@example.com", "--operator")
    auditor = link_of(invited(operator, "/console/accounts", role="auditor"))
    use(app, auditor)
    path = f"/console/accounts/{operator.admin.id}/remove"

    refused = operator.post(path, 409, typed_name="operator@example.com").text

    assert "This is the last operator with a password." in text(refused)
    use(app, link_of(operator.follow(f"/console/accounts/{account(app, 'new@example.com')['id']}/reset")))
    assert operator.post(path, typed_name="operator@example.com")
    assert account(app, "new@example.com")["role"] == "operator"


def test_two_operators_cannot_remove_each_other_at_the_same_time(app: Flask, operator: Console) -> None:
    others = []
    for email in ("a@example.com", "b@example.com"):
        use(app, link_of(invited(operator, "/console/accounts", email, "operator")))
        others.append(Admin(account(app, email)["id"], email, None, "operator", 2))
    assert operator.admin is not None
    first, second = others
    run_command(app, "admin", "remove", "operator@example.com")
    start, outcomes = threading.Barrier(2), []

    def remove(by: Admin, account_id: str) -> None:
        with app.app_context():
            start.wait()
            try:
                services.remove(by, None, account_id, "")
                outcomes.append("removed")
            except Conflict:
                outcomes.append("refused")

    threads = [threading.Thread(target=remove, args=pair) for pair in ((first, second.id), (second, first.id))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["refused", "removed"]
    assert len(run_command(app, "admin", "list")) == 1


def test_the_list_shows_the_state_of_each_account(
    acme: Enterprise, admin: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = of(acme) + "/administrators"
    use(acme.app, link_of(invited(admin, path, "a@x.example")))
    invited(admin, path, "b@x.example", "auditor")

    shown = text(admin.get(path))
    later = clock.now() + timedelta(hours=25)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert admin.admin is not None
    expired = text(Console(acme.app, admin.admin).get(path))

    assert "a @x.example administrator active" in shown
    assert "auditor invited" in shown
    assert "auditor link expired" in expired


# Own password.


@pytest.fixture
def person(acme: Enterprise, admin: Console) -> Console:
    """The browser of an administrator with a password."""
    return use(acme.app, link_of(invited(admin, of(acme) + "/administrators")))


def change(console: Console, status: int = 303, **fields: str) -> Any:
    console.get("/console/account")
    form = {"current": PASSWORD, "password": OTHER_PASSWORD, "repeated": OTHER_PASSWORD} | fields
    return console.post("/console/account/password", status, **form)


def test_a_person_changes_the_password_which_ends_other_sessions(acme: Enterprise, person: Console) -> None:
    elsewhere = Console(acme.app)
    sign_in(elsewhere, NEW)
    elsewhere.get("/console/account")

    change(person)

    assert "Password changed. Your other sessions have ended." in text(person.get("/console/account"))
    assert elsewhere.send("GET", "/console/account").status_code == 302
    assert sign_in(Console(acme.app), NEW, status=400)
    assert sign_in(Console(acme.app), NEW, OTHER_PASSWORD)
    assert "admin.password_changed" in [entry["action"] for entry in audit_of(acme.app)]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"current": "wrong"}, {"current": ["This is not your current password"]}),
        ({"password": "short"}, {"password": ["Use at least 12 characters"]}),
        ({"repeated": "other"}, {"repeated": ["The passwords do not match"]}),
        (
            {"password": PASSWORD, "repeated": PASSWORD},
            {"password": ["Choose another password than the current one"]},
        ),
    ],
)
def test_a_change_of_the_password_is_refused_at_its_field(
    acme: Enterprise, person: Console, fields: dict[str, str], said: dict[str, list[str]]
) -> None:
    page = change(person, 400, **fields).text

    assert errors(page) == said
    assert OTHER_PASSWORD not in page
    assert sign_in(Console(acme.app), NEW)


def test_wrong_current_passwords_are_recorded_and_refused_after_a_while(acme: Enterprise, person: Console) -> None:
    # The browser signed in with a link, so that it is known and has attempts of its own.
    statuses = [change(person, status, current="wrong").status_code for status in [400] * MOST_PASSWORDS]
    slowed = change(person, 429)

    assert statuses == [400] * MOST_PASSWORDS
    assert "Too many wrong passwords" in text(slowed.text)
    reasons = [entry["after"]["reason"] for entry in audit_of(acme.app) if entry["action"] == "admin.sign_in_refused"]
    assert reasons == ["wrong current password"] * (MOST_PASSWORDS + 1)


def test_an_auditor_changes_the_own_password(acme: Enterprise, admin: Console) -> None:
    auditor = use(acme.app, link_of(invited(admin, of(acme) + "/administrators", role="auditor")))

    change(auditor)

    assert sign_in(Console(acme.app), NEW, OTHER_PASSWORD)


# E-mail.


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server(Mailbox()) as mailbox:
        yield mailbox


def mailing(make_app: MakeApp, port: int) -> Console:
    """Return an operator's browser of an app that sends e-mail."""
    app = make_app(
        SMTP_URL=f"smtp://127.0.0.1:{port}?tls=off",
        MAIL_FROM="scimsvc@example.com",
        PUBLIC_URL="https://scim.example.com",
    )
    run_command(app, "enterprise", "create", "Acme")
    return Console(app, make_admin(app, "operator@example.com"))


def test_the_link_is_also_e_mailed(make_app: MakeApp, mailbox: Mailbox) -> None:
    console = mailing(make_app, mailbox.port)
    enterprise = run_command(console.app, "enterprise", "list")[0]["id"]
    page = invited(console, f"/console/enterprises/{enterprise}/administrators")
    message = mailbox.wait()

    link = re.search(r'id="link" value="(https://scim.example.com/console/password/[^"]+)"', page)
    assert link is not None
    body = message.get_content().replace("\r\n", "\n")
    assert message["To"] == NEW
    assert message["Subject"] == "Set a password for your scimsvc account"
    assert link[1] in body
    assert "operator@example.com created a one-time link" in body
    assert "administrator of Acme\n" in body
    assert "UTC" in body
    live = re.search(r'data-live="(/console/mail/[^"]+)"', page)
    assert live is not None
    for _ in range(100):
        shown = console.get(unescape(live[1]))
        if "data-live-ends" in shown:
            break
        threading.Event().wait(0.05)
    assert "The link was e-mailed to the person." in shown


def test_a_mail_server_that_does_not_answer_fails_no_invitation(make_app: MakeApp) -> None:
    console = mailing(make_app, 1)
    page = invited(console, "/console/accounts", role="auditor")
    live = re.search(r'data-live="(/console/mail/[^"]+)"', page)

    assert 'id="link"' in page
    assert live is not None
    for _ in range(100):
        shown = console.get(unescape(live[1]))
        if "data-live-ends" in shown:
            break
        threading.Event().wait(0.05)
    assert "The e-mail could not be sent. Send the link to the person yourself." in shown


def test_without_a_mail_server_the_person_who_invites_sends_the_link(operator: Console) -> None:
    page = invited(operator, "/console/accounts", role="auditor")

    assert "Send it to the person in a way that only the person can read." in text(page)
    assert "data-live" not in page
