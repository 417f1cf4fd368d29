"""Secrets are shown once: on the page after the form, to the session that created them, within ten minutes."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from scimsvc import clock
from scimsvc.enterprises.pending_secrets import SHOWN_WITHIN
from scimsvc.store.engine.transactions import writing
from tests.support.client import Enterprise
from tests.support.console import Console, of, text, typed
from tests.support.types import Cli

pytestmark = pytest.mark.both_databases

_SECRET = re.compile(r'value="(scimsvc_[^"]+)"')


def created(console: Console, path: str, **fields: Any) -> str:
    """Send a form that creates a secret, and return the path of the page that shows it."""
    return console.post(path, **fields).headers["Location"]


FORMS = [
    pytest.param("/tokens/new", {"scope": "scim"}, id="token"),
    pytest.param("/integrations/new", {"name": "Other"}, id="client secret"),
    pytest.param("/set-up", {"days": "30"}, id="token of the guided connection"),
    pytest.param("/set-up/secret?way=oauth", {}, id="client secret of the guided connection"),
    pytest.param("/administrators/invite", {"email": "new@acme.example", "role": "auditor"}, id="one-time link"),
]


@pytest.mark.parametrize(("path", "form"), FORMS)
def test_a_reload_shows_no_secret_and_creates_none(
    acme: Enterprise, admin: Console, cli: Cli, path: str, form: dict[str, str]
) -> None:
    page = created(admin, of(acme) + path, **form)

    first = admin.get(page)
    before = cli("token", "list", "Acme"), cli("integration", "list", "Acme")
    again = admin.get(page)

    assert re.search(r'value="(scimsvc_|http://[^"]+/password/scimsvc_link_)', first)
    assert not re.search(r'value="(scimsvc_|http://[^"]+/password/scimsvc_link_)', again)
    assert (cli("token", "list", "Acme"), cli("integration", "list", "Acme")) == before


@pytest.mark.parametrize(("path", "form"), [FORMS[0], FORMS[1], FORMS[2]])
def test_a_form_that_is_sent_twice_creates_one_object_and_shows_its_secret(
    acme: Enterprise, admin: Console, cli: Cli, path: str, form: dict[str, str]
) -> None:
    once = typed(admin.get(of(acme) + path), "once")
    before = len(cli("token", "list", "Acme")) + len(cli("integration", "list", "Acme"))

    first, second = (created(admin, of(acme) + path, **form, once=once) for _ in range(2))

    after = len(cli("token", "list", "Acme")) + len(cli("integration", "list", "Acme"))
    assert (first, after) == (second, before + 1)
    assert _SECRET.search(admin.get(second))
    assert typed(admin.get(of(acme) + path), "once") != once


def test_the_secrets_of_a_new_enterprise_are_shown_once(acme: Enterprise, operator: Console) -> None:
    page = created(operator, "/console/enterprises/new", name="Contoso", host_application="on")

    shown = [len(_SECRET.findall(operator.get(page))) for _ in range(2)]

    assert shown == [2, 0]
    assert "were shown once" in text(operator.get(page))


def test_another_session_of_the_account_does_not_see_the_secret(acme: Enterprise, admin: Console) -> None:
    other = Console(acme.app, admin.admin)
    page = created(admin, of(acme) + "/tokens/new", scope="scim")

    assert not _SECRET.search(other.get(page))
    assert _SECRET.search(admin.get(page))


def test_a_copied_cookie_does_not_show_a_secret_again(acme: Enterprise, admin: Console) -> None:
    page = created(admin, of(acme) + "/tokens/new", scope="scim")
    cookie = admin.browser.get_cookie("scimsvc_console", path="/console")
    assert cookie is not None
    copied = acme.app.test_client()
    copied.set_cookie("scimsvc_console", cookie.value, path="/console")

    assert _SECRET.search(admin.get(page))
    assert not _SECRET.search(copied.get(page).text)


def test_only_the_page_of_the_secret_takes_it(acme: Enterprise, admin: Console) -> None:
    elsewhere = created(admin, of(acme) + "/integrations/new", name="Other")
    admin.get(elsewhere)
    page = created(admin, of(acme) + "/tokens/new", scope="scim")

    others = [admin.get(path) for path in (elsewhere, of(acme) + "/set-up", of(acme) + "/integrations")]
    admin.send("HEAD", page)

    assert not any(map(_SECRET.search, others))
    assert _SECRET.search(admin.get(page))


@pytest.mark.parametrize(("late", "is_shown"), [(timedelta(seconds=-1), True), (timedelta(0), False)])
def test_a_secret_waits_ten_minutes(
    acme: Enterprise, admin: Console, monkeypatch: pytest.MonkeyPatch, late: timedelta, is_shown: bool
) -> None:
    instant: datetime = clock.now()
    monkeypatch.setattr(clock, "now", lambda: instant)
    page = created(admin, of(acme) + "/tokens/new", scope="scim")
    monkeypatch.setattr(clock, "now", lambda: instant + SHOWN_WITHIN + late)

    assert bool(_SECRET.search(admin.get(page))) is is_shown


def test_neither_the_database_nor_the_cookie_contains_the_secret(acme: Enterprise, admin: Console) -> None:
    page = created(admin, of(acme) + "/tokens/new", scope="scim")
    with acme.app.app_context(), writing() as connection:
        stored = [row[0] for row in connection.exec_driver_sql("SELECT pending_secret FROM sessions")]
    with admin.browser.session_transaction("/console") as session:
        cookie = str(dict(session))

    [secret] = _SECRET.findall(admin.get(page))
    assert len(stored) == 1
    assert "access_token" not in f"{stored}{cookie}"
    assert secret[:20] not in f"{stored}{cookie}"


def test_a_replacement_waits_for_the_new_token_and_then_offers_to_revoke_the_old_one(
    acme: Enterprise, admin: Console, cli: Cli
) -> None:
    old = cli("token", "issue", "Acme", "--name", "Entra", "--days", "30")
    page = created(admin, f"{of(acme)}/tokens/{old['id']}/rotate", overlap_hours="8760")
    [token] = _SECRET.findall(admin.get(page))
    waiting = admin.get(page.replace("?", "/progress?"))

    answer = acme.app.test_client().get(
        "/api/scim/v2/Users", headers={"Authorization": f"Bearer {token}"}, buffered=True
    )
    used = admin.get(page.replace("?", "/progress?"))
    revoked = admin.follow(f"{of(acme)}/tokens/{old['id']}/revoke")

    assert answer.status_code == 200
    assert "Waiting for the first use of the new token" in waiting
    assert "The new token is in use" in used
    assert f"/tokens/{old['id']}/revoke" in used
    assert "Token revoked." in text(revoked)
    assert "The old token has ended" in admin.get(page)


def test_a_rotation_waits_for_the_new_secret_and_then_offers_to_revoke_the_old_one(
    acme: Enterprise, admin: Console, cli: Cli
) -> None:
    made = cli("integration", "create", "Acme", "Payroll")

    def request_token(secret: str) -> int:
        form = {"grant_type": "client_credentials", "client_id": made["client_id"], "client_secret": secret}
        return acme.app.test_client().post("/api/authenticate", data=form).status_code

    page = created(admin, f"{of(acme)}/integrations/{made['id']}/rotate", overlap_hours="24")
    [secret] = _SECRET.findall(admin.get(page))
    with_old = request_token(made["client_secret"])
    waiting = admin.get(page + "/progress")
    with_new = request_token(secret)
    used = admin.get(page + "/progress")
    ended = admin.follow(f"{of(acme)}/integrations/{made['id']}/old-secrets")

    assert (with_old, with_new) == (200, 200)
    assert "Waiting for the first use of the new secret" in waiting
    assert "The new secret is in use" in used
    assert "Old secret revoked." in text(ended)
    assert (request_token(made["client_secret"]), request_token(secret)) == (401, 200)
