"""The blueprints of the second factor: enter a code at the sign-in, and set up or turn off an authenticator app."""

from urllib.parse import urlsplit

from flask import Response, flash, redirect, request, url_for
from markupsafe import Markup

from scimsvc.auth.throttling import wrong_passwords
from scimsvc.console.begin_session import begin_session
from scimsvc.console.browsers import known_browser, remember_browser
from scimsvc.console.forms import redisplay_on_error, text
from scimsvc.console.half_sign_in import LIFETIME, find_half_sign_in
from scimsvc.console.pages import (
    Answer,
    admin,
    confirmation,
    console_blueprint,
    go,
    open_blueprint,
    page,
    safe_next,
    signed_in_session,
)
from scimsvc.console.shown_once import go_and_show, shown_once
from scimsvc.enterprises import second_factor as services
from scimsvc.enterprises.admin_records import refused_sign_in_recorder
from scimsvc.enterprises.second_factor_sign_in import sign_in_with_code
from scimsvc.errors import InvalidInput, TooManyAttempts
from scimsvc.web.client_address import counted_address
from scimsvc.web.hooks import after_response
from scimsvc.web.state import request_state
from scimsvc.web.urls import public_root

code_of_sign_in = open_blueprint("code")
second_factor = console_blueprint("second_factor")

#: The endpoint of ``check``.
CODE_ENDPOINT = "console_code.check"


@code_of_sign_in.get("/sign-in/code")
def ask() -> Answer:
    """Ask for a code after the right password."""
    half = find_half_sign_in()
    if half is None:
        return _begin_again()
    return page("sign_in_code.html", email=half.email, next=request.args.get("next", ""))


@code_of_sign_in.post("/sign-in/code")
@redisplay_on_error(ask)
def check() -> Answer:
    """Sign in with a code, and continue with the page on which the session ended."""
    half = find_half_sign_in()
    if half is None:
        return _begin_again()
    account = sign_in_with_code(
        half,
        text("code") or text("recovery_code"),
        address=counted_address(),
        browser=known_browser(half.email),
        wrong_passwords=wrong_passwords.current,
    )
    if account is None:
        return _begin_again()
    begin_session(account)
    return remember_browser(redirect(safe_next(request.args.get("next")), 303), account.email)


@code_of_sign_in.after_request
def record_refusal(response: Response) -> Response:
    """Record a refused code after the response is sent."""
    state = request_state()
    if request.endpoint == CODE_ENDPOINT and isinstance(state.refusal, (InvalidInput, TooManyAttempts)):
        half = find_half_sign_in()
        reason = "too many attempts" if isinstance(state.refusal, TooManyAttempts) else "wrong code"
        if half is not None:
            after_response(state, response, refused_sign_in_recorder(state.app, half.email, reason=reason))
    return response


def _begin_again() -> Answer:
    flash(f"Enter your password again. A code must follow it within {LIFETIME.seconds // 60} minutes.", "info")
    return redirect(url_for("console_accounts.sign_in", next=request.args.get("next") or None), 303)


@second_factor.get("/account/second-factor")
def show() -> Answer:
    """Show the second factor of the account."""
    status = services.find_status(admin())
    if status is None:
        return redirect(url_for("console_second_factor.set_up"))
    return page("second_factor.html", status=status, is_required=services.is_required(admin()))


@second_factor.get("/account/second-factor/set-up")
def set_up() -> Answer:
    """Show the QR code of a new authenticator app, or again that of the refused form."""
    host = urlsplit(public_root(request_state())).hostname or ""
    offer = services.offer_second_factor(admin(), text("salt"), issuer=f"scimsvc {host}")
    can_cancel = not services.must_set_up(admin())
    return page("second_factor_set_up.html", offer=offer, qr_code=_qr_code(offer.uri), can_cancel=can_cancel)


@second_factor.post("/account/second-factor/set-up")
@redisplay_on_error(set_up)
def enable() -> Answer:
    """Set up the authenticator app, and show the recovery codes once."""
    codes = services.enable_second_factor(admin(), text("salt"), text("code"), session_id=signed_in_session().id)
    return _go_to_codes("Second factor set up", codes)


@second_factor.post("/account/second-factor/recovery-codes")
def renew_codes() -> Answer:
    """Replace the recovery codes, and show the new ones once."""
    return _go_to_codes("New recovery codes", services.renew_recovery_codes(admin()))


def _go_to_codes(title: str, codes: list[str]) -> Answer:
    return go_and_show("console_second_factor.show_codes", {"title": title, "codes": codes})


@second_factor.get("/account/second-factor/recovery-codes/new")
def show_codes() -> Answer:
    """Show the new recovery codes once."""
    shown = shown_once()
    return page("recovery_codes.html", title=shown.get("title", "Recovery codes"), codes=shown.get("codes"))


@second_factor.get("/account/second-factor/turn-off")
def ask_to_turn_off() -> Answer:
    """Ask for confirmation."""
    return confirmation(
        "Turn off the second factor",
        "Your password is then enough to sign in. The app and the recovery codes stop working.",
        action="Turn off second factor",
        back=url_for("console_second_factor.show"),
    )


@second_factor.post("/account/second-factor/turn-off")
@redisplay_on_error(ask_to_turn_off)
def turn_off() -> Answer:
    """Turn off the second factor."""
    services.disable_second_factor(admin())
    return go("console_own_account.show", "Second factor turned off.")


def _qr_code(content: str) -> Markup:
    """Return a QR code as an SVG element without inline style, which the console's policy forbids."""
    import segno  # only this page draws

    drawing = segno.make(content, error="m", micro=False)
    svg = drawing.svg_inline(omitsize=True, dark="#000", light="#fff", svgclass="qr", lineclass=None, title="QR code")
    return Markup(svg)  # noqa: S704  # built by segno from numbers and the title
