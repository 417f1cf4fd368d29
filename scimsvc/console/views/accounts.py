"""The blueprints of accounts: sign in and out, and set a password with a one-time link."""

from flask import Response, redirect, request

from scimsvc.auth.throttling import wrong_passwords
from scimsvc.console.begin_session import begin_session
from scimsvc.console.browsers import known_browser, remember_browser
from scimsvc.console.forms import redisplay_on_error, text
from scimsvc.console.half_sign_in import ask_for_code
from scimsvc.console.pages import (
    Answer,
    admin,
    console_blueprint,
    go,
    open_blueprint,
    page,
    safe_next,
    signed_in_session,
)
from scimsvc.console.sign_out import signed_out
from scimsvc.enterprises import admins, own_password, sessions
from scimsvc.enterprises.admin_records import refused_sign_in_recorder
from scimsvc.enterprises.own_password import Browser, NewPassword, WrongPassword
from scimsvc.enterprises.password_strength import SHORTEST_PASSWORD
from scimsvc.enterprises.sign_in import sign_in as sign_in_with_password
from scimsvc.enterprises.single_sign_on import find_sign_in_ways
from scimsvc.errors import InvalidInput, TooManyAttempts
from scimsvc.web.client_address import counted_address
from scimsvc.web.hooks import after_response
from scimsvc.web.state import request_state

accounts = open_blueprint("accounts")
own_account = console_blueprint("own_account")

#: The endpoint of ``open_session``.
SIGN_IN_ENDPOINT = "console_accounts.open_session"
_PASSWORD_FORM = "console_own_account.change_password"  # noqa: S105  # not a secret


@accounts.get("/sign-in")
def sign_in() -> Answer:
    """Show the sign-in form."""
    return page("sign_in.html", next=request.args.get("next", ""))


@accounts.post("/sign-in")
@redisplay_on_error(sign_in)
def open_session() -> Answer:
    """Sign in, and continue with the page on which the session ended."""
    email = text("email")
    account = sign_in_with_password(
        email,
        request.form.get("password", ""),
        address=counted_address(),
        browser=known_browser(email),
        wrong_passwords=wrong_passwords.current,
    )
    if account.has_second_factor:
        return ask_for_code(account)
    begin_session(account)
    return remember_browser(redirect(safe_next(request.args.get("next")), 303), account.email)


@accounts.after_request
def record_refusal(response: Response) -> Response:
    """Record a refused sign-in after the response is sent."""
    state = request_state()
    if request.endpoint == SIGN_IN_ENDPOINT and isinstance(state.refusal, (InvalidInput, TooManyAttempts)):
        reason = (
            "too many attempts" if isinstance(state.refusal, TooManyAttempts) else "unknown account or wrong password"
        )
        after_response(state, response, refused_sign_in_recorder(state.app, text("email"), reason=reason))
    return response


@accounts.get("/password/<link>")
def choose_password(link: str) -> Answer:
    """Show the form for a new password."""
    return page("password.html", account=admins.show_link(link), shortest=SHORTEST_PASSWORD)


@accounts.post("/password/<link>")
@redisplay_on_error(choose_password)
def set_password(link: str) -> Answer:
    """Set the password, and sign in, or ask for the second factor."""
    form = request.form
    account = admins.set_password(link, form.get("password", ""), form.get("repeated", ""))
    if account.has_second_factor:
        return ask_for_code(account, "Password set. Enter a code to sign in.")
    begin_session(account)
    return remember_browser(go("console_enterprises.start", "Password set. You are signed in."), account.email)


@own_account.get("/account")
def show() -> Answer:
    """Show the account, and its sessions."""
    this = signed_in_session().id
    return page(
        "account.html",
        shortest=SHORTEST_PASSWORD,
        sessions=sorted(sessions.list_sessions(admin().id), key=lambda session: session["id"] != this),
        this_session=this,
        ways=find_sign_in_ways(admin()),
        hours=sessions.LONGEST_SESSION.seconds // 3600,
        minutes=sessions.IDLE.seconds // 60,
    )


@own_account.post("/account/password")
@redisplay_on_error(show)
def change_password() -> Answer:
    """Change the password, end the other sessions, and continue with a new session."""
    fields = NewPassword(*(request.form.get(name, "") for name in NewPassword._fields))
    browser = Browser(counted_address(), known_browser(admin().email))
    account = own_password.change_password(admin(), fields, browser, wrong_passwords.current)
    begin_session(account)
    return remember_browser(go(".show", "Password changed. Your other sessions have ended."), account.email)


@own_account.after_request
def record_wrong_password(response: Response) -> Response:
    """Record a wrong current password after the response is sent, like a refused sign-in."""
    state = request_state()
    if request.endpoint == _PASSWORD_FORM and isinstance(state.refusal, (WrongPassword, TooManyAttempts)):
        recorder = refused_sign_in_recorder(state.app, admin().email, reason="wrong current password")
        after_response(state, response, recorder)
    return response


@own_account.post("/sign-out")
def sign_out() -> Answer:
    """End this session."""
    sessions.sign_out(signed_in_session())
    return signed_out("Signed out.")


@own_account.post("/sign-out-everywhere")
def sign_out_everywhere() -> Answer:
    """End all sessions of the account, including this one."""
    sessions.sign_out_everywhere(admin().id)
    return signed_out("Signed out everywhere.")
