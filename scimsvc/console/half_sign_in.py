"""The record of a right password in the browser, until the code of the second factor is entered.

It is in the signed cookie of the session for five minutes, and opens only the page that asks for the code.
"""

from datetime import timedelta

from flask import flash, request, session, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response as BaseResponse

from scimsvc import clock
from scimsvc.enterprises.admins import Admin
from scimsvc.enterprises.second_factor_sign_in import HalfSignIn, is_current

LIFETIME = timedelta(minutes=5)
_MEMBER = "password_was_right"


def ask_for_code(account: Admin, message: str | None = None, *, next_page: str | None = None) -> BaseResponse:
    """Record that the first factor of the account was right, and lead to the page that asks for a code.

    ``next_page`` is the page after the sign-in, by default the one in the query.
    """
    if message:
        flash(message, "good")
    session[_MEMBER] = [int(clock.now().timestamp()), account.id, account.epoch, account.email]
    return redirect(url_for("console_code.ask", next=next_page or request.args.get("next") or None), 303)


def find_half_sign_in() -> HalfSignIn | None:
    """Return the sign-in whose password was right, or None if the password must be entered again."""
    record = session.get(_MEMBER)
    if record is None or not 0 <= clock.now().timestamp() - record[0] < LIFETIME.total_seconds():
        return None
    half = HalfSignIn(*record[1:])
    return half if is_current(half) else None
