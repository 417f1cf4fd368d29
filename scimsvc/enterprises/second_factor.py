"""The second factor of console accounts: an authenticator app, and recovery codes for a lost device.

An account sets it up and turns it off. The setting ``SCIMSVC_REQUIRE_MFA`` makes it necessary. An operator of the shell
or of the console can reset it (``reset_second_factor``). ``second_factor_sign_in`` checks the codes of a sign-in.
"""

from typing import Any, NamedTuple

from scimsvc import clock
from scimsvc.activity.audit import Difference, audited
from scimsvc.enterprises.admin_records import record_account
from scimsvc.enterprises.admins import Admin
from scimsvc.enterprises.authenticators import (
    RECOVERY_CODES,
    derive_secret,
    digest_recovery_code,
    matching_step,
    new_recovery_codes,
    new_salt,
    normal_code,
    provisioning_uri,
)
from scimsvc.errors import InvalidInput, NoSuchThing, NotAllowed
from scimsvc.protocol.attributes import fold
from scimsvc.settings.keys import key_id
from scimsvc.settings.values import ALL_ACCOUNTS, OPERATORS
from scimsvc.store import second_factors as store
from scimsvc.store.admins import AdminRow, end_sessions, find_admin, find_admin_by_email
from scimsvc.store.engine.transactions import Connection, reading, writing
from scimsvc.store.second_factors import SecondFactorRow
from scimsvc.store.sessions import delete_sessions
from scimsvc.vocabulary import Action
from scimsvc.web.state import app_settings

_SALT_LENGTH = len(new_salt())


class Offer(NamedTuple):
    """An authenticator app to set up: its salt, its secret in groups of four characters, and its QR code's content."""

    salt: str
    secret: str
    uri: str


class Status(NamedTuple):
    """The second factor of an account."""

    enabled_at: str
    recovery_codes: int
    #: Whether it depends on a secret key that is not the newest.
    needs_renewal: bool


def offer_second_factor(admin: Admin, salt: str, *, issuer: str) -> Offer:
    """Return an authenticator app that ``admin`` can set up, with this ``salt`` if it is valid. Stores nothing."""
    salt = salt if _is_salt(salt) else new_salt()
    secret = derive_secret(app_settings().secret_keys[0], admin.id, salt)
    groups = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    return Offer(salt, groups, provisioning_uri(secret, admin.email, issuer))


def _is_salt(text: str) -> bool:
    return len(text) == _SALT_LENGTH and set(text) <= set("0123456789abcdef")


@audited
def enable_second_factor(admin: Admin, salt: str, code: str, *, session_id: str) -> list[str]:
    """Set up the authenticator app with this ``salt``, and return its recovery codes. It replaces a previous app.

    All sessions of the account end except ``session_id``, because they began without this app. Raises
    ``InvalidInput`` if ``code`` is not a current code of the app.
    """
    newest, now = app_settings().secret_keys[0], clock.now()
    step = matching_step(derive_secret(newest, admin.id, salt), normal_code(code), now) if _is_salt(salt) else None
    if step is None:
        reason = "The code is wrong. Check the time of your device, and enter the code that the app shows now"
        raise InvalidInput(f"{reason}.", {"code": [reason]})
    codes = new_recovery_codes()
    factor = SecondFactorRow(admin.id, salt, key_id(newest), clock.timestamp(now), step, 0)
    with writing() as connection:
        row = _get_account(connection, admin)
        store.replace_second_factor(connection, factor, map(digest_recovery_code, codes))
        delete_sessions(connection, admin.id, except_id=session_id)
        record_account(connection, Action.ADMIN_MFA_ENABLED, row)
    return codes


@audited
def renew_recovery_codes(admin: Admin) -> list[str]:
    """Return new recovery codes in place of the previous ones. Raises ``NotAllowed`` without a second factor."""
    codes = new_recovery_codes()
    with writing() as connection:
        row = _get_account(connection, admin)
        if row.second_factor_key_id is None:
            raise NotAllowed(_NOT_SET_UP)
        store.replace_recovery_codes(connection, admin.id, map(digest_recovery_code, codes))
        record_account(
            connection, Action.ADMIN_RECOVERY_CODES_CREATED, row, Difference(after={"codes": RECOVERY_CODES})
        )
    return codes


@audited
def disable_second_factor(admin: Admin) -> None:
    """Delete the second factor of the account. Raises ``NotAllowed`` if the account has none, or needs one."""
    if is_required(admin):
        raise NotAllowed("The operator of this service requires a second factor. Set up another app instead.")
    with writing() as connection:
        row = _get_account(connection, admin)
        if not store.delete_second_factor(connection, admin.id):
            raise NotAllowed(_NOT_SET_UP)
        record_account(connection, Action.ADMIN_MFA_DISABLED, row)


_NOT_SET_UP = "This account has no second factor. Set one up first."


@audited
def reset_second_factor(email: str) -> dict[str, Any]:
    """Delete the second factor of an account and end its sessions, and return its ``id`` and ``email``.

    The password is enough to sign in until a second factor is set up again. Raises ``NoSuchThing``, or ``InvalidInput``
    without a second factor.
    """
    with writing() as connection:
        row = find_admin_by_email(connection, fold(email))
        if row is None:
            raise NoSuchThing(f"Account {email!r} does not exist. List the accounts with 'scimsvc admin list'.")
        reset_of_account(connection, row)
        return {"id": row.id, "email": row.email}


def reset_of_account(connection: Connection, row: AdminRow) -> None:
    """Delete the second factor of the account, and end its sessions. Raises ``InvalidInput`` without one."""
    if not store.delete_second_factor(connection, row.id):
        raise InvalidInput(f"Account {row.email!r} has no second factor.")
    end_sessions(connection, row.id)
    record_account(connection, Action.ADMIN_MFA_RESET, row)


def find_status(admin: Admin) -> Status | None:
    """Return the second factor of the account, or None without one."""
    with reading() as connection:
        factor = store.find_second_factor(connection, admin.id)
        if factor is None:
            return None
        codes = store.count_recovery_codes(connection, admin.id)
    return Status(factor.enabled_at, codes, factor.key_id != key_id(app_settings().secret_keys[0]))


def is_required(admin: Admin) -> bool:
    """Return whether the account needs a second factor (``SCIMSVC_REQUIRE_MFA``)."""
    required = app_settings().require_mfa
    return required == ALL_ACCOUNTS or (required == OPERATORS and admin.enterprise_id is None)


def must_set_up(admin: Admin) -> bool:
    """Return whether the account can do nothing else before it has set up a second factor."""
    return not admin.has_second_factor and is_required(admin)


def _get_account(connection: Connection, admin: Admin) -> AdminRow:
    row = find_admin(connection, admin.id)
    if row is None:
        raise InvalidInput("This account was removed.")
    return row
