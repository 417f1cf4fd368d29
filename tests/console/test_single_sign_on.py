"""Single sign-on to the console by OpenID Connect, at a provider in a separate process."""

from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from scimsvc import clock
from scimsvc.enterprises.passwords import hash_password
from scimsvc.enterprises.sessions import CONFIRMED
from scimsvc.extensions import db
from scimsvc.vocabulary import Action
from tests.support.apps import run_command
from tests.support.console import PASSWORD, Console, errors, link_path, make_admin, sign_in, text
from tests.support.providers import RealProvider, real_provider, single_sign_on
from tests.support.records import audit_of
from tests.support.second_factors import SET_UP, set_up
from tests.support.types import MakeApp

ANNA = "anna@contoso.example"
BEGIN = "/console/sign-in/single-sign-on"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealProvider]:
    with real_provider(tmp_path_factory.mktemp("provider")) as running:
        yield running


@pytest.fixture
def app(make_app: MakeApp, provider: RealProvider) -> Flask:
    return make_app(**single_sign_on(provider.issuer))


def begin(browser: Console, **query: str) -> str:
    """Begin to sign in, and return the address of the provider's page."""
    answer = browser.send("GET", BEGIN, query_string=query)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def return_from(provider: RealProvider, browser: Console, subject: str, **query: str) -> TestResponse:
    return browser.send("GET", provider.sign_in(begin(browser, **query), subject))


def continue_to_provider(page: TestResponse) -> str:
    """Return the address of the provider's page to which ``page`` leads."""
    return unescape(page.text.partition('<a class="button primary wide" href="')[2].partition('"')[0])


def accounts_of(app: Flask) -> list[str]:
    return [account["email"] for account in run_command(app, "admin", "list")]


def entries(app: Flask) -> list[tuple[str, dict[str, Any] | None]]:
    """Return the actions on accounts, oldest first, and what they set."""
    return [(entry["action"], entry["after"]) for entry in reversed(audit_of(app)) if entry["target"]["name"] == ANNA]


def test_an_account_signs_in_by_its_verified_address_and_then_by_its_subject(
    app: Flask, provider: RealProvider
) -> None:
    make_admin(app, ANNA)
    provider.set_user("anna-1", email=ANNA.upper(), email_verified=True)
    first, second = Console(app), Console(app)

    answer = return_from(provider, first, "anna-1", next="/console/audit-log")
    provider.set_user("anna-1", email="anna.new@contoso.example", email_verified=False)
    again = return_from(provider, second, "anna-1")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/audit-log")
    assert "Audit log" in first.get("/console/audit-log")
    assert (again.status_code, again.headers["Location"]) == (303, "/console")
    assert f"Signed in as {ANNA}" in text(second.get("/console/account"))
    assert accounts_of(app) == [ANNA]
    assert [action for action, _ in entries(app)][-3:] == [
        Action.ADMIN_IDENTITY_LINKED,
        Action.ADMIN_SIGNED_IN,
        Action.ADMIN_SIGNED_IN,
    ]
    assert entries(app)[-1][1] == {"method": "single sign-on"}


def test_the_request_to_the_provider_has_all_protections(app: Flask, provider: RealProvider) -> None:
    first, second = (
        {name: values[0] for name, values in parse_qs(urlsplit(begin(Console(app))).query).items()} for _ in range(2)
    )

    fresh = {name: first.pop(name) for name in ("state", "nonce", "code_challenge")}
    assert first == {
        "response_type": "code",
        "client_id": "scimsvc-console",
        "redirect_uri": "http://localhost/console/sign-in/callback",
        "scope": "openid email",
        "response_mode": "query",
        "code_challenge_method": "S256",
    }
    assert all(len(value) >= 32 and second[name] != value for name, value in fresh.items())


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        (
            {"email": "stranger@contoso.example", "email_verified": True},
            "Ask the operator of this service for an invitation",
        ),
        ({"email": ANNA}, "does not confirm that your e-mail address is verified"),
        ({"email": ANNA, "email_verified": False}, "does not confirm that your e-mail address is verified"),
        ({"email": ANNA, "email_verified": "true"}, "does not confirm that your e-mail address is verified"),
        ({"email": ANNA, "xms_edov": True}, "does not confirm that your e-mail address is verified"),
        ({"email": ["a"], "email_verified": True}, "Ask the operator of this service for an invitation"),
        ({"preferred_username": ANNA, "email_verified": True}, "Ask the operator of this service for an invitation"),
    ],
)
def test_an_unknown_identity_gets_no_account_and_no_session(
    app: Flask, provider: RealProvider, claims: dict[str, Any], words: str
) -> None:
    make_admin(app, ANNA)
    provider.set_user("other", **claims)
    browser = Console(app)

    answer = return_from(provider, browser, "other")

    assert answer.status_code == 403
    assert words in answer.text
    assert browser.send("GET", "/console/account").headers["Location"].startswith("/console/sign-in")
    assert accounts_of(app) == [ANNA]
    refused = audit_of(app)[0]
    assert (refused["action"], refused["after"]) == (
        Action.ADMIN_SIGN_IN_REFUSED,
        {"reason": "single sign-on: no account"},
    )


def test_a_linked_account_is_not_taken_over_by_another_identity_with_its_address(
    app: Flask, provider: RealProvider
) -> None:
    make_admin(app, ANNA)
    for subject in ("old", "new"):
        provider.set_user(subject, email=ANNA, email_verified=True)
    return_from(provider, Console(app), "old")

    answer = return_from(provider, Console(app), "new")

    assert answer.status_code == 403
    assert "is linked to another identity" in answer.text


def test_an_account_links_and_unlinks_its_identity(app: Flask, provider: RealProvider) -> None:
    anna = Console(app, with_password(app, ANNA))
    provider.set_user("entra", email="anna@home.example")

    page = anna.post("/console/account/single-sign-on", status=200)
    linked = anna.send("GET", provider.sign_in(continue_to_provider(page), "entra"))
    signed_in = return_from(provider, Console(app), "entra")
    shown = text(anna.get("/console/account"))
    unlinked = anna.follow("/console/account/single-sign-on/unlink")
    refused = return_from(provider, Console(app), "entra")

    assert "prompt=login" in continue_to_provider(page)
    assert linked.headers["Location"] == "/console/account"
    assert signed_in.status_code == 303
    assert "Linked to anna@home.example since" in shown
    assert "Single sign-on unlinked." in unlinked
    assert refused.status_code == 403
    identity = {"issuer": provider.issuer, "subject": "entra", "email": "anna@home.example"}
    assert (Action.ADMIN_IDENTITY_LINKED, identity) in entries(app)
    assert audit_of(app)[1]["before"] == identity
    assert {entry["actor"]["name"] for entry in audit_of(app) if "identity" in entry["action"]} == {ANNA}


def with_password(app: Flask, email: str) -> Any:
    account = make_admin(app, email)
    with app.app_context(), db.engine.begin() as connection:
        statement = db.text("UPDATE admins SET password_hash = :hash WHERE id = :id")
        connection.execute(statement, {"hash": hash_password(PASSWORD), "id": account.id})
    return account


def test_an_account_without_password_cannot_unlink(app: Flask, provider: RealProvider) -> None:
    make_admin(app, ANNA)
    provider.set_user("anna", email=ANNA, email_verified=True)
    anna = Console(app)
    return_from(provider, anna, "anna")

    page = anna.get("/console/account")
    answer = anna.post("/console/account/single-sign-on/unlink", status=409)

    assert "Unlink" not in page
    assert "You could not sign in any more." in answer.text


def test_an_account_without_password_confirms_with_single_sign_on(
    app: Flask, provider: RealProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_admin(app, ANNA)
    provider.set_user("anna", email=ANNA, email_verified=True)
    anna = Console(app)
    return_from(provider, anna, "anna")
    create = "/console/enterprises/new"
    later = clock.now() + CONFIRMED
    anna.get(create)

    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: later)
        asked = anna.post(create, status=403, name="Contoso").text
    confirm = unescape(asked.partition("/single-sign-on/confirm")[2].partition('"')[0])
    to_provider = anna.send("GET", "/console/account/single-sign-on/confirm" + confirm)
    back = anna.send("GET", provider.sign_in(to_provider.headers["Location"], "anna"))
    page = anna.get(back.headers["Location"])
    monkeypatch.setattr(clock, "now", lambda: later)
    done = anna.post(create, status=303, name="Contoso")

    assert "Confirm with single sign-on" in asked
    assert "account_password" not in asked
    assert "prompt=login" in to_provider.headers["Location"]
    assert "max_age=0" in to_provider.headers["Location"]
    assert back.headers["Location"] == "/console/enterprises/new"
    assert "Confirmed. Send the form again." in page
    assert "Client secret" in anna.get(done.headers["Location"])
    assert (Action.ADMIN_CONFIRMED, None) in entries(app)


@pytest.mark.parametrize(
    ("trust", "methods", "is_enough"),
    [
        ("claims", ["pwd", "mfa"], True),
        ("claims", ["pwd"], False),
        ("claims", None, False),
        ("claims", [["mfa"], 1], False),
        ("trusted", None, True),
    ],
)
def test_a_second_factor_at_the_provider_counts_if_it_is_stated_or_trusted(
    make_app: MakeApp, provider: RealProvider, trust: str, methods: Any, *, is_enough: bool
) -> None:
    app = make_app(**single_sign_on(provider.issuer, REQUIRE_MFA="all", OIDC_MFA=trust))
    with_password(app, ANNA)
    claims = {} if methods is None else {"amr": methods}
    provider.set_user("anna", email=ANNA, email_verified=True, **claims)
    by_provider, by_password = Console(app), Console(app)

    return_from(provider, by_provider, "anna")
    sign_in(by_password, ANNA)

    answers = [browser.send("GET", "/console/account") for browser in (by_provider, by_password)]
    assert [answer.status_code for answer in answers] == [200 if is_enough else 303, 303]
    assert all(answer.headers.get("Location", SET_UP) == SET_UP for answer in answers)


def test_an_account_enters_a_code_unless_a_second_factor_was_used_at_the_provider(
    app: Flask, provider: RealProvider
) -> None:
    provider.set_user("anna", email=ANNA, email_verified=True)
    device, _ = set_up(Console(app, with_password(app, ANNA)))
    anna, other = Console(app), Console(app)

    asked = return_from(provider, anna, "anna", next="/console/audit-log")
    recorded = [action for action, _ in entries(app)].count(Action.ADMIN_SIGNED_IN)
    anna.get(asked.headers["Location"])
    done = anna.post(asked.headers["Location"], code=device.code(steps=1))
    provider.set_user("anna", email=ANNA, email_verified=True, amr=["pwd", "otp", "mfa"])
    direct = return_from(provider, other, "anna")

    assert asked.headers["Location"].startswith("/console/sign-in/code?next=")
    assert recorded == 0
    assert done.headers["Location"] == "/console/audit-log"
    assert direct.headers["Location"] == "/console"
    assert [action for action, _ in entries(app)].count(Action.ADMIN_SIGNED_IN) == 2


def test_another_identity_does_not_confirm(app: Flask, provider: RealProvider) -> None:
    make_admin(app, ANNA)
    provider.set_user("anna", email=ANNA, email_verified=True)
    provider.set_user("ben", email="ben@contoso.example", email_verified=True)
    anna = Console(app)
    return_from(provider, anna, "anna")

    to_provider = anna.send("GET", "/console/account/single-sign-on/confirm")
    answer = anna.send("GET", provider.sign_in(to_provider.headers["Location"], "ben"))

    assert answer.status_code == 403
    assert "with another identity than that of this account" in answer.text


def test_an_identity_belongs_to_one_account(app: Flask, provider: RealProvider) -> None:
    make_admin(app, ANNA)
    provider.set_user("anna", email=ANNA, email_verified=True)
    return_from(provider, Console(app), "anna")
    ben = Console(app, with_password(app, "ben@contoso.example"))

    page = ben.post("/console/account/single-sign-on", status=200)
    answer = ben.send("GET", provider.sign_in(continue_to_provider(page), "anna"))

    assert answer.status_code == 409
    assert "is linked to another account" in answer.text
    assert f"Signed in as {ANNA}" not in ben.get("/console/account")


def test_a_link_that_was_begun_in_another_session_is_refused(app: Flask, provider: RealProvider) -> None:
    anna = Console(app, with_password(app, ANNA))
    page = anna.post("/console/account/single-sign-on", status=200)
    path = provider.sign_in(continue_to_provider(page), "anna-9")
    anna.post("/console/sign-out")

    answer = anna.send("GET", path)

    assert answer.status_code == 403
    assert "Your session has ended." in answer.text
    assert all("identity" not in entry["action"] for entry in audit_of(app))


def test_an_invitation_links_an_identity_without_a_verified_address(app: Flask, provider: RealProvider) -> None:
    invited = run_command(app, "admin", "create", ANNA, "--operator")
    path = "/console/password/" + invited["link"].rpartition("/")[2]
    provider.set_user("entra-2", preferred_username=ANNA)
    anna = Console(app)
    anna.get(path)

    page = anna.post(path + "/single-sign-on", status=200)
    answer = anna.send("GET", provider.sign_in(continue_to_provider(page), "entra-2"))

    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert answer.status_code == 303
    assert "Single sign-on linked. You are signed in." in anna.get("/console/enterprises/new")
    assert Console(app).send("GET", path).status_code == 404
    assert return_from(provider, Console(app), "entra-2").status_code == 303


def test_a_response_can_be_used_only_once(app: Flask, provider: RealProvider) -> None:
    make_admin(app, ANNA)
    provider.set_user("anna", email=ANNA, email_verified=True)
    anna = Console(app)
    path = provider.sign_in(begin(anna), "anna")
    flow = anna.browser.get_cookie("scimsvc_console_single_sign_on", path="/console")
    assert flow is not None
    assert anna.send("GET", path).status_code == 303

    without_cookie = anna.send("GET", path)
    thief = Console(app)
    thief.browser.set_cookie(flow.key, flow.value, path="/console")
    with_cookie = thief.send("GET", path)

    assert (without_cookie.status_code, with_cookie.status_code) == (403, 403)
    assert "has begun no sign-in" in without_cookie.text
    assert "was used already" in with_cookie.text


def test_a_response_for_another_browser_is_refused(app: Flask, provider: RealProvider) -> None:
    make_admin(app, ANNA)
    provider.set_user("anna", email=ANNA, email_verified=True)
    path = provider.sign_in(begin(Console(app)), "anna")
    victim = Console(app)
    begin(victim)

    answer = victim.send("GET", path)

    assert answer.status_code == 403
    assert "belongs to no sign-in of this browser" in answer.text
    assert audit_of(app)[0]["after"] == {"reason": "single sign-on: the state is wrong"}


def test_a_person_who_denies_access_at_the_provider_is_not_signed_in(app: Flask, provider: RealProvider) -> None:
    anna = Console(app)

    answer = anna.send("GET", provider.deny(begin(anna)))

    assert answer.status_code == 403
    assert "belongs to no sign-in" in answer.text  # this provider returns no state with an error


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/console/../evil", "/api/v1", "x" * 5000]
)
def test_only_pages_of_the_console_follow_a_sign_in(app: Flask, provider: RealProvider, target: str) -> None:
    make_admin(app, ANNA)
    provider.set_user("anna", email=ANNA, email_verified=True)

    answer = return_from(provider, Console(app), "anna", next=target)

    assert answer.headers["Location"] == "/console"


def test_the_sign_in_page_offers_single_sign_on_and_keeps_the_next_page(app: Flask) -> None:
    page = Console(app).get("/console/sign-in?next=/console/audit-log")

    assert 'href="/console/sign-in/single-sign-on?next=/console/audit-log"' in page
    assert 'name="password"' in page


def test_only_the_emergency_operator_uses_a_password(make_app: MakeApp, provider: RealProvider) -> None:
    app = make_app(**single_sign_on(provider.issuer, LOCAL_SIGN_IN="Emergency@contoso.example"))
    for email in (ANNA, "emergency@contoso.example"):
        with_password(app, email)
    stranger = Console(app)

    page = stranger.get("/console/sign-in")
    refused = sign_in(stranger, ANNA, status=400)
    emergency = sign_in(Console(app), "emergency@contoso.example")

    assert "Emergency access for the operator" in page
    assert "The e-mail address is unknown, or the password is wrong." in refused.text
    assert emergency.status_code == 303


def test_without_passwords_a_one_time_link_sets_none(make_app: MakeApp, provider: RealProvider) -> None:
    app = make_app(**single_sign_on(provider.issuer, LOCAL_SIGN_IN="off"))
    with_password(app, ANNA)
    path = link_path(run_command(app, "admin", "link", ANNA)).removeprefix("http://localhost")
    anna = Console(app)

    sign_in_page, page = anna.get("/console/sign-in"), anna.get(path)
    refused = anna.post(path, status=403, password=PASSWORD, repeated=PASSWORD)

    assert 'name="password"' not in sign_in_page + page
    assert "Use single sign-on" in page
    assert "This service does not use passwords." in refused.text
    assert sign_in(anna, ANNA, status=400).status_code == 400


def test_without_single_sign_on_its_pages_do_not_exist(make_app: MakeApp) -> None:
    app = make_app()
    browser = Console(app)

    assert "single sign-on" not in browser.get("/console/sign-in")
    assert browser.send("GET", BEGIN).status_code == 404
    assert browser.send("GET", "/console/sign-in/callback?code=a&state=b").status_code == 404
    assert errors(browser.get("/console/sign-in")) == {}
