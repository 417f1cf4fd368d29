"""The second step of a sign-in: after the right password, a code of the authenticator app or a recovery code.

Between the steps, the browser has a signed record of the first one (``console.half_sign_in``). It opens no page.
"""

from typing import NamedTuple

from scimsvc import clock
from scimsvc.activity.audit import audited
from scimsvc.auth.attempts import Limit, give_back
from scimsvc.auth.throttling import WrongPasswords
from scimsvc.enterprises.admin_records import record_account
from scimsvc.enterprises.admins import Admin, signed_in
from scimsvc.enterprises.authenticators import (
    derive_secret,
    digest_recovery_code,
    is_app_code,
    matching_step,
    normal_code,
)
from scimsvc.errors import InvalidInput
from scimsvc.protocol.attributes import fold
from scimsvc.settings.keys import key_id
from scimsvc.store import second_factors as store
from scimsvc.store.admins import AdminRow, find_admin, update_admin_sign_in
from scimsvc.store.engine.transactions import Connection, reading, writing
from scimsvc.store.second_factors import SecondFactorRow
from scimsvc.vocabulary import Action
from scimsvc.web.state import app_settings

#: The maximum of wrong codes since the last right one. More are only tried by someone else who knows the password. Then
#: codes of the app are refused until a recovery code is used, so that guessing succeeds with 1 in 10,000 at most.
MOST_WRONG_CODES = 30


class HalfSignIn(NamedTuple):
    """A sign-in whose password was right."""

    admin_id: str
    epoch: int
    email: str


class _Outcome(NamedTuple):
    """The account that is signed in, or why the code is refused. Neither if the password must be entered again."""

    account: Admin | None = None
    refusal: str = ""


def is_current(half: HalfSignIn) -> bool:
    """Return whether the account of the sign-in still exists, with the same password, and has a second factor."""
    with reading() as connection:
        return _find_account(connection, half) is not None


def sign_in_with_code(
    half: HalfSignIn, code: str, *, address: str, browser: str | None, wrong_passwords: WrongPasswords
) -> Admin | None:
    """Return the account of the sign-in if ``code`` is a code of its app or a recovery code, and was not used before.

    Returns None if the password must be entered again. Wrong codes count like wrong passwords. Raises ``InvalidInput``,
    or ``TooManyAttempts``.
    """
    limits = wrong_passwords.take(address, fold(half.email), browser)
    outcome = _sign_in(half, normal_code(code), limits)
    if outcome.refusal:
        raise InvalidInput(outcome.refusal)
    return outcome.account


@audited
def _sign_in(half: HalfSignIn, code: str, limits: list[Limit]) -> _Outcome:
    """Sign in if the code is right. The count of wrong codes is kept."""
    with writing() as connection:
        row = _find_account(connection, half)
        factor = store.find_second_factor(connection, half.admin_id)
        if row is None or factor is None:
            return _Outcome()
        is_recovery = not is_app_code(code)
        refusal = _use_recovery_code(connection, factor, code) if is_recovery else _use_code(connection, factor, code)
        if refusal:
            return _Outcome(refusal=refusal)
        _record(connection, row, is_recovery=is_recovery)
        give_back(connection, limits)
        return _Outcome(signed_in(row))


def _find_account(connection: Connection, half: HalfSignIn) -> AdminRow | None:
    row = find_admin(connection, half.admin_id)
    is_current = row is not None and row.epoch == half.epoch and row.second_factor_key_id is not None
    return row if is_current else None


def _use_recovery_code(connection: Connection, factor: SecondFactorRow, code: str) -> str:
    """Use up a recovery code, and return an empty text, or why it is refused."""
    if store.accept_recovery_code(connection, factor.admin_id, digest_recovery_code(code)):
        return ""
    store.count_wrong_code(connection, factor.admin_id)
    return "The recovery code is wrong, or it was used before."


def _use_code(connection: Connection, factor: SecondFactorRow, code: str) -> str:
    """Use up a code of the app, and return an empty text, or why it is refused."""
    if factor.wrong_codes >= MOST_WRONG_CODES:
        return "Too many wrong codes were entered. Use a recovery code, and then choose a new password."
    secret_key = next((key for key in app_settings().secret_keys if key_id(key) == factor.key_id), None)
    if secret_key is None:
        return "Your app was set up with a secret key that this service no longer has. Use a recovery code."
    secret = derive_secret(secret_key, factor.admin_id, factor.salt)
    step = matching_step(secret, code, clock.now())
    if step is not None and store.accept_step(connection, factor.admin_id, step):
        return ""
    store.count_wrong_code(connection, factor.admin_id)
    return "The code is wrong, or it was used before. Enter the next code that the app shows."


def _record(connection: Connection, row: AdminRow, *, is_recovery: bool) -> None:
    actor = signed_in(row).actor
    update_admin_sign_in(connection, row.id, at=clock.timestamp(clock.now()))
    if is_recovery:
        record_account(connection, Action.ADMIN_RECOVERY_CODE_USED, row, actor=actor)
    record_account(connection, Action.ADMIN_SIGNED_IN, row, actor=actor)
