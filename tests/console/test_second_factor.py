"""The second factor: set up by an account, asked for after the password, required by a setting, reset by an operator."""

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from scimsvc import clock
from scimsvc.auth.throttling import MOST_PASSWORDS
from scimsvc.console.half_sign_in import LIFETIME
from scimsvc.enterprises.second_factor_sign_in import MOST_WRONG_CODES
from tests.support.apps import SECRET_KEY, run_command
from tests.support.attempts import forget_attempts
from tests.support.client import Enterprise
from tests.support.console import PASSWORD, Console, link_path, sign_in, text
from tests.support.pages import NOBODY, console_rules, path_of
from tests.support.records import audit_of
from tests.support.second_factors import SET_UP, App, recovery_codes, salt_of, set_up
from tests.support.types import Cli, MakeApp

EMAIL = "op@example.com"
CODE = "/console/sign-in/code"
MANAGE = "/console/account/second-factor"
Later = Callable[[timedelta], None]


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Stop the clock, and advance it."""
    now: list[datetime] = [clock.now()]
    monkeypatch.setattr(clock, "now", lambda: now[0])

    def advance(duration: timedelta) -> None:
        now[0] += duration

    return advance


STEP = timedelta(seconds=30)


def account(app: Flask, email: str = EMAIL, *options: str) -> Console:
    """Create an account, by default of an operator, with a password, and return its signed-in browser."""
    made = run_command(app, "admin", "create", email, *(options or ("--operator",)))
    console = Console(app)
    console.post(link_path(made), password=PASSWORD, repeated=PASSWORD)
    console.get(SET_UP)
    return console


@pytest.fixture
def signed_in(app: Flask) -> Console:
    """An operator with a password, signed in."""
    return account(app)


def enter_password(app: Flask) -> Console:
    """Return a new browser in which the right password was entered."""
    console = Console(app)
    assert sign_in(console, EMAIL).headers["Location"] == CODE
    console.get(CODE)
    return console


def enter(console: Console, code: str, status: int = 303) -> TestResponse:
    return console.post(CODE, status, code=code)


def is_signed_in(console: Console) -> bool:
    return console.send("GET", "/console/account").status_code == 200


def actions(app: Flask) -> list[str]:
    """Return the actions of the audit log, newest first."""
    return [entry["action"] for entry in audit_of(app)]


def test_an_account_sets_up_an_app_and_signs_in_with_its_code(app: Flask, signed_in: Console, later: Later) -> None:
    device, codes = set_up(signed_in)
    later(STEP)
    console = enter_password(app)

    answer = enter(console, device.code())

    assert answer.headers["Location"] == "/console"
    assert is_signed_in(console)
    assert len(set(codes)) == 10
    assert actions(app)[:2] == ["admin.signed_in", "admin.mfa_enabled"]
    [listed] = run_command(app, "admin", "list")
    assert re.fullmatch("[0-9a-f]{8}", listed["second_factor_key_id"])


def test_the_page_shows_a_qr_code_that_the_policy_of_the_console_allows(signed_in: Console) -> None:
    page = signed_in.get(SET_UP)

    svg = re.search(r"<svg [^>]*class=\"qr\".*?</svg>", page, re.DOTALL)
    assert svg is not None
    assert "style" not in svg[0]
    assert "<script" not in svg[0]


def test_each_set_up_has_another_secret_until_its_form_is_refused(signed_in: Console) -> None:
    first, second = App(signed_in.get(SET_UP)), App(signed_in.get(SET_UP))
    page = signed_in.get(SET_UP)
    offered = App(page)
    salt = salt_of(page)

    refused = signed_in.post(SET_UP, 400, salt=salt, code=offered.wrong_code()).text

    assert len({first.secret, second.secret, offered.secret}) == 3
    assert App(refused).secret == offered.secret
    assert "The code is wrong" in text(refused)
    assert signed_in.post(SET_UP, salt=salt, code=offered.code())


@pytest.mark.parametrize("salt", ["", "x", "A" * 32, "0" * 31, "0" * 10_000, "é" * 32])
def test_a_salt_that_the_page_did_not_offer_is_refused(signed_in: Console, salt: str) -> None:
    assert signed_in.post(SET_UP, 400, salt=salt, code="123456")


def test_the_secret_of_an_account_is_not_that_of_another(app: Flask, signed_in: Console) -> None:
    other = account(app, "other@example.com")
    page = signed_in.get(SET_UP)
    salt = salt_of(page)

    assert other.post(SET_UP, 400, salt=salt, code=App(page).code())


def test_the_database_contains_neither_the_secret_nor_a_recovery_code(app: Flask, signed_in: Console) -> None:
    device, codes = set_up(signed_in)

    with app.app_context():
        stored = dump(app)

    assert device.secret not in stored
    assert not [code for code in codes if code in stored or code.replace("-", "") in stored]


def dump(app: Flask) -> str:
    """Return all values of the two tables."""
    from sqlalchemy import text as sql

    from scimsvc.store.engine.transactions import reading

    with reading() as connection:
        tables = ("second_factors", "recovery_codes")
        rows = [row for table in tables for row in connection.execute(sql(f"SELECT * FROM {table}"))]
    assert len(rows) == 11
    return repr(rows)


def test_no_page_opens_between_the_password_and_the_code(app: Flask, signed_in: Console) -> None:
    set_up(signed_in)
    console = enter_password(app)
    with console.browser.session_transaction("/console") as session:
        half = dict(session)

    for method in ("GET", "POST"):
        for rule in console_rules(app, method):
            with console.browser.session_transaction("/console") as session:
                session.update(half)
            path = path_of(rule, enterprise_id=NOBODY)
            answer = console.send(method, path, data={"csrf_token": console._token})
            answer.close()
            assert answer.status_code == 302, rule
            assert answer.headers["Location"].startswith("/console/sign-in?"), rule


def test_the_code_must_follow_the_password_within_five_minutes(app: Flask, signed_in: Console, later: Later) -> None:
    device, _ = set_up(signed_in)
    in_time, late = enter_password(app), enter_password(app)

    later(LIFETIME - timedelta(seconds=1))
    assert enter(in_time, device.code())
    later(timedelta(seconds=1))
    answer = enter(late, device.code(steps=1))

    assert is_signed_in(in_time)
    assert answer.headers["Location"] == "/console/sign-in"
    assert not is_signed_in(late)
    assert timedelta(minutes=5) == LIFETIME


def test_without_a_password_the_code_page_leads_to_the_sign_in(app: Flask) -> None:
    console = Console(app)
    console.get("/console/sign-in")

    assert console.send("GET", CODE).headers["Location"] == "/console/sign-in"
    console.get("/console/sign-in")
    assert enter(console, "123456").headers["Location"] == "/console/sign-in"


def test_a_code_is_accepted_once(app: Flask, signed_in: Console, later: Later) -> None:
    device, _ = set_up(signed_in)
    confirming = device.code()

    enter(enter_password(app), confirming, 400)
    later(STEP)
    enter(enter_password(app), device.code())
    replayed = enter(enter_password(app), device.code(), 400)
    enter(enter_password(app), device.code(steps=-1), 400)  # an older code, which was not used

    assert "The code is wrong, or it was used before." in text(replayed.text)


def test_simultaneous_uses_of_a_code_sign_in_once(app: Flask, signed_in: Console, later: Later) -> None:
    device, codes = set_up(signed_in)
    later(STEP)
    for code in (device.code(), codes[0]):
        consoles = [enter_password(app) for _ in range(4)]
        begin = threading.Barrier(len(consoles))

        def attempt(console: Console, code: str = code, begin: threading.Barrier = begin) -> int:
            begin.wait()
            return console.send("POST", CODE, data={"csrf_token": console._token, "code": code}).status_code

        with ThreadPoolExecutor(len(consoles)) as pool:
            statuses = sorted(pool.map(attempt, consoles))

        assert statuses == [303, 400, 400, 400]
        forget_attempts(app)


@pytest.mark.parametrize(("steps", "status"), [(-2, 400), (-1, 303), (0, 303), (1, 303), (2, 400)])
def test_the_clock_of_a_device_may_differ_by_half_a_minute(
    app: Flask, signed_in: Console, later: Later, steps: int, status: int
) -> None:
    device, _ = set_up(signed_in)
    later(10 * STEP)

    assert enter(enter_password(app), device.code(steps=steps), status)


@pytest.mark.parametrize("typed", ["{0}{1}", " {0} {1} ", "{0}-{1}"])
def test_a_code_may_be_typed_with_spaces(app: Flask, signed_in: Console, later: Later, typed: str) -> None:
    device, _ = set_up(signed_in)
    later(STEP)
    code = device.code()

    assert enter(enter_password(app), typed.format(code[:3], code[3:]))


@pytest.mark.parametrize("code", ["", "12345", "1234567", "١٢٣٤٥٦", "a\0b", "é" * 5000, "' OR 1=1"])
def test_other_text_is_refused(app: Flask, signed_in: Console, code: str) -> None:
    set_up(signed_in)

    assert enter(enter_password(app), code, 400)


def test_a_recovery_code_works_once(app: Flask, signed_in: Console) -> None:
    _, codes = set_up(signed_in)
    console = enter_password(app)

    answer = console.post(CODE, recovery_code=codes[0].upper().replace("-", " "))
    again = enter_password(app).post(CODE, 400, recovery_code=codes[0])

    assert answer.headers["Location"] == "/console"
    assert "The recovery code is wrong, or it was used before." in text(again.text)
    assert "9 codes left" in text(console.get(MANAGE))
    used = [entry for entry in audit_of(app) if entry["action"] == "admin.recovery_code_used"]
    assert [entry["actor"]["name"] for entry in used] == [EMAIL]


def test_a_recovery_code_of_another_account_is_refused(app: Flask, signed_in: Console) -> None:
    set_up(signed_in)
    _, codes = set_up(account(app, "other@example.com"))

    assert enter(enter_password(app), codes[0], 400)


def test_new_recovery_codes_replace_the_previous_ones(app: Flask, signed_in: Console) -> None:
    _, old = set_up(signed_in)
    signed_in.get(MANAGE)

    new = recovery_codes(signed_in.follow(f"{MANAGE}/recovery-codes"))

    assert len(set(new) - set(old)) == 10
    enter(enter_password(app), old[0], 400)
    assert enter(enter_password(app), new[0])
    assert "admin.recovery_codes_created" in actions(app)


def test_wrong_codes_are_limited_like_wrong_passwords_and_recorded(app: Flask, signed_in: Console) -> None:
    device, _ = set_up(signed_in)
    console = enter_password(app)
    for _ in range(MOST_PASSWORDS):
        enter(console, device.wrong_code(), 400)

    limited = enter(console, device.code(), 429)
    known = enter(enter_password_in(signed_in), device.wrong_code(), 400)

    assert "Too many wrong passwords or codes" in text(limited.text)
    assert known
    refusals = [entry["after"]["reason"] for entry in audit_of(app) if entry["action"] == "admin.sign_in_refused"]
    assert refusals.count("wrong code") == MOST_PASSWORDS + 1


def enter_password_in(console: Console) -> Console:
    """Sign out, and enter the password in the same browser, which is known."""
    console.get("/console/account")
    console.follow("/console/sign-out")
    assert sign_in(console, EMAIL).headers["Location"] == CODE
    console.get(CODE)
    return console


def test_a_known_browser_needs_a_code_too(app: Flask, signed_in: Console, later: Later) -> None:
    device, _ = set_up(signed_in)
    later(STEP)
    enter(enter_password_in(signed_in), device.code())

    enter_password_in(signed_in)

    assert not is_signed_in(signed_in)


def test_guessing_codes_ends_after_some_wrong_ones(app: Flask, signed_in: Console, later: Later) -> None:
    device, codes = set_up(signed_in)
    later(STEP)
    console = enter_password(app)
    for _ in range(MOST_WRONG_CODES):
        enter(console, device.wrong_code(), 400)
        forget_attempts(app)

    refused = enter(enter_password(app), device.code(), 400)
    enter(enter_password(app), codes[0])
    forget_attempts(app)

    assert "Too many wrong codes were entered." in text(refused.text)
    assert enter(enter_password(app), device.code())


def test_a_right_code_ends_the_count_of_wrong_ones(app: Flask, signed_in: Console, later: Later) -> None:
    device, _ = set_up(signed_in)
    for _ in range(2):
        console = enter_password(app)
        for _ in range(MOST_WRONG_CODES - 1):
            enter(console, device.wrong_code(), 400)
            forget_attempts(app)
        later(STEP)
        assert enter(console, device.code())


def test_a_right_password_without_a_code_is_no_sign_in(app: Flask, signed_in: Console) -> None:
    set_up(signed_in)
    before = actions(app).count("admin.signed_in")
    [listed] = run_command(app, "admin", "list")

    enter_password(app)

    assert actions(app).count("admin.signed_in") == before
    assert run_command(app, "admin", "list") == [listed]


def test_a_one_time_link_does_not_replace_the_second_factor(app: Flask, signed_in: Console, later: Later) -> None:
    device, _ = set_up(signed_in)
    later(STEP)
    half = enter_password(app)
    link = link_path(run_command(app, "admin", "link", EMAIL))
    console = Console(app)

    answer = console.post(link, password=PASSWORD[::-1], repeated=PASSWORD[::-1])
    page = console.get(CODE)

    assert answer.headers["Location"] == CODE
    assert not is_signed_in(Console(app))
    assert "Password set. Enter a code to sign in." in text(page)
    assert enter(half, device.code()).headers["Location"] == "/console/sign-in"  # after the old password
    assert enter(console, device.code()).headers["Location"] == "/console"
    assert is_signed_in(console)


def test_the_page_on_which_the_session_ended_follows_the_code(
    acme: Enterprise, app: Flask, signed_in: Console, later: Later
) -> None:
    device, _ = set_up(signed_in)
    later(STEP)
    console, wanted = Console(app), f"/console/enterprises/{acme.made['id']}/users"
    console.get("/console/sign-in")
    form = {"csrf_token": console._token, "email": EMAIL, "password": PASSWORD}

    asked = console.send("POST", f"/console/sign-in?next={wanted}", data=form).headers["Location"]
    console.get(asked)

    assert asked == f"{CODE}?next={wanted}"
    assert console.post(asked, code=device.code()).headers["Location"] == wanted


def test_the_second_factor_is_turned_off(app: Flask, signed_in: Console) -> None:
    _, codes = set_up(signed_in)
    half = enter_password(app)
    signed_in.get(f"{MANAGE}/turn-off")

    page = signed_in.follow(f"{MANAGE}/turn-off")

    assert "Second factor turned off." in page
    assert actions(app)[0] == "admin.mfa_disabled"
    assert sign_in(Console(app), EMAIL).headers["Location"] == "/console"
    assert enter(half, codes[0]).headers["Location"] == "/console/sign-in"


def test_a_new_app_ends_the_sessions_that_began_without_it(app: Flask, signed_in: Console) -> None:
    elsewhere = Console(app)
    sign_in(elsewhere, EMAIL)
    before = is_signed_in(elsewhere)

    set_up(signed_in)

    assert (before, is_signed_in(elsewhere), is_signed_in(signed_in)) == (True, False, True)


def test_another_app_replaces_the_first_one(app: Flask, signed_in: Console, later: Later) -> None:
    first, codes = set_up(signed_in)
    later(STEP)
    second, _ = set_up(signed_in)
    later(STEP)

    enter(enter_password(app), first.code(), 400)
    enter(enter_password(app), codes[0], 400)
    assert enter(enter_password(app), second.code())


def test_what_needs_a_second_factor_says_so_without_one(signed_in: Console) -> None:
    assert signed_in.send("GET", MANAGE).headers["Location"] == SET_UP
    signed_in.get(SET_UP)
    assert "This account has no second factor." in signed_in.post(f"{MANAGE}/recovery-codes", 403).text
    assert "This account has no second factor." in signed_in.post(f"{MANAGE}/turn-off", 403).text


def test_a_reset_removes_the_second_factor_and_ends_sessions(app: Flask, signed_in: Console, cli: Cli) -> None:
    set_up(signed_in)

    reset = cli("admin", "reset-mfa", "OP@example.com")

    assert reset["email"] == EMAIL
    assert not is_signed_in(signed_in)
    assert sign_in(Console(app), EMAIL).headers["Location"] == "/console"
    assert "admin.mfa_reset" in actions(app)


@pytest.mark.parametrize(("email", "said"), [(EMAIL, "has no second factor"), ("nobody@example.com", "does not exist")])
def test_only_a_second_factor_that_exists_is_reset(app: Flask, signed_in: Console, email: str, said: str) -> None:
    refused = app.test_cli_runner().invoke(args=["admin", "reset-mfa", email])

    assert refused.exit_code == 1
    assert said in refused.stderr


def test_an_operator_resets_the_second_factor_of_others_in_the_console(
    acme: Enterprise, app: Flask, signed_in: Console
) -> None:
    other = account(app, "other@example.com")
    administrator = account(app, "admin@acme.example", "--enterprise", "Acme")
    for console in (signed_in, other, administrator):
        set_up(console)
    ids = {each["email"]: each["id"] for each in run_command(app, "admin", "list")}

    listed = text(signed_in.get("/console/accounts"))
    own = signed_in.post(f"/console/accounts/{ids[EMAIL]}/reset-second-factor", 409).text
    for path in (f"/console/accounts/{ids['other@example.com']}", of_administrator(acme, ids["admin@acme.example"])):
        asked = signed_in.get(f"{path}/reset-second-factor")
        page = signed_in.follow(f"{path}/reset-second-factor")
        assert "Make sure that the owner of the account asks for this." in text(asked)
        assert " reset." in text(page)
        assert "has no second factor" in text(signed_in.post(f"{path}/reset-second-factor", 400).text)

    assert "Reset second factor of other@example.com" in listed
    assert "Reset second factor of op@example.com" not in listed
    assert "You cannot reset your own second factor." in text(own)
    assert [is_signed_in(console) for console in (signed_in, other, administrator)] == [True, False, False]
    assert sign_in(Console(app), "other@example.com").headers["Location"] == "/console"
    assert actions(app).count("admin.mfa_reset") == 2


def of_administrator(enterprise: Enterprise, account_id: str) -> str:
    """Return the path of the pages of an account of the enterprise."""
    return f"/console/enterprises/{enterprise.made['id']}/administrators/{account_id}"


def test_an_administrator_resets_only_accounts_of_the_enterprise(
    acme: Enterprise, app: Flask, signed_in: Console
) -> None:
    administrator = account(app, "admin@acme.example", "--enterprise", "Acme")
    colleague = account(app, "b@acme.example", "--enterprise", "Acme")
    set_up(colleague)
    set_up(signed_in)
    ids = {each["email"]: each["id"] for each in run_command(app, "admin", "list")}

    administrator.post(of_administrator(acme, ids[EMAIL]) + "/reset-second-factor", 404)
    administrator.post(f"/console/accounts/{ids[EMAIL]}/reset-second-factor", 404)
    administrator.post(of_administrator(acme, ids["b@acme.example"]) + "/reset-second-factor")

    assert (is_signed_in(signed_in), is_signed_in(colleague)) == (True, False)


@pytest.mark.parametrize(
    ("required", "operator_is_led", "administrator_is_led"),
    [("none", False, False), ("operators", True, False), ("all", True, True)],
)
def test_a_required_second_factor_is_set_up_before_anything_else(
    make_app: MakeApp, required: str, operator_is_led: bool, administrator_is_led: bool
) -> None:
    app = make_app(REQUIRE_MFA=required)
    run_command(app, "enterprise", "create", "Acme")
    operator, administrator = account(app), account(app, "admin@acme.example", "--enterprise", "Acme")

    for console, is_led in ((operator, operator_is_led), (administrator, administrator_is_led)):
        assert (console.send("GET", "/console/account").headers.get("Location") == SET_UP) is is_led


def test_an_account_without_a_required_second_factor_can_only_set_it_up(make_app: MakeApp) -> None:
    app = make_app(REQUIRE_MFA="operators")
    enterprise = run_command(app, "enterprise", "create", "Acme")["id"]
    console = account(app)
    allowed = {"console_second_factor.set_up", "console_second_factor.enable", "console_own_account.sign_out"}

    led = [
        (method, rule.endpoint)
        for method in ("GET", "POST")
        for rule in console_rules(app, method)
        if rule.endpoint not in allowed
        and console.send(
            method, path_of(rule, enterprise_id=enterprise), data={"csrf_token": console._token}
        ).headers.get("Location")
        != SET_UP
    ]

    assert led == []
    assert "requires a second factor" in text(console.get(SET_UP))
    assert "Cancel" not in text(console.get(SET_UP))
    set_up(console)
    assert is_signed_in(console)
    assert "Turn off" not in text(console.get(MANAGE))
    assert "requires a second factor" in console.post(f"{MANAGE}/turn-off", 403).text


def test_an_app_outlives_its_secret_key_only_beside_a_new_one(make_app: MakeApp, later: Later) -> None:
    old = make_app()
    device, codes = set_up(account(old))
    later(STEP)
    both, new = make_app(SECRET_KEY=f"{'n' * 40},{SECRET_KEY}"), make_app(SECRET_KEY="n" * 40)
    console = enter_password(both)

    enter(console, device.code())
    later(STEP)
    refused = enter(enter_password(new), device.code(), 400)

    assert "Set up the app again before its codes stop working." in text(console.get(MANAGE))
    assert "a secret key that this service no longer has" in text(refused.text)
    assert enter(enter_password(new), codes[0])
