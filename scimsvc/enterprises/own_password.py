"""Change the password of the account that is signed in."""

from typing import NamedTuple

from scimsvc.activity.audit import audited
from scimsvc.auth.attempts import Limit, give_back
from scimsvc.auth.throttling import WrongPasswords
from scimsvc.enterprises.admin_records import record_account
from scimsvc.enterprises.admins import Admin, signed_in
from scimsvc.enterprises.local_sign_in import refuse_password
from scimsvc.enterprises.password_strength import refuse_weak_password
from scimsvc.enterprises.passwords import hash_password, is_right_password, turn
from scimsvc.errors import InvalidInput
from scimsvc.store import admins as store
from scimsvc.store.admins import AdminRow
from scimsvc.store.engine.transactions import reading, writing
from scimsvc.vocabulary import Action


class Browser(NamedTuple):
    """The browser of a request: its address, and the account that signed in there before, if any."""

    address: str
    known: str | None


class WrongPassword(InvalidInput):
    """The current password is wrong."""


class NewPassword(NamedTuple):
    """The fields of the form."""

    current: str
    password: str
    repeated: str


def change_password(admin: Admin, fields: NewPassword, browser: Browser, wrong_passwords: WrongPasswords) -> Admin:
    """Change the password of the account, end its sessions and its link, and return the account for a new session.

    Raises ``InvalidInput``, ``WrongPassword``, ``TooManyAttempts`` after too many wrong passwords, or
    ``NotAllowed`` if the account may not have a password.
    """
    with reading() as connection:
        row = store.find_admin(connection, admin.id)
    if row is None:
        raise InvalidInput(_CHANGED)
    refuse_password(row)
    refuse_weak_password(fields.password, fields.repeated, [row.email, row.enterprise or ""])
    if fields.password == fields.current:
        message = "Choose another password than the current one"
        raise InvalidInput(f"{message}.", {"password": [message]})
    with turn():
        limits = wrong_passwords.take(browser.address, row.email_key, browser.known)
        if not is_right_password(fields.current, row.password_hash):
            message = "This is not your current password"
            raise WrongPassword(f"{message}.", {"current": [message]})
    return _change(row, hash_password(fields.password), limits)


_CHANGED = "The account was changed meanwhile. Sign in again, then change the password."


@audited
def _change(row: AdminRow, password_hash: str, limits: list[Limit]) -> Admin:
    with writing() as connection:
        changed = store.change_admin_password(connection, row, password_hash)
        if changed is None:
            raise InvalidInput(_CHANGED)
        record_account(connection, Action.ADMIN_PASSWORD_CHANGED, changed)
        give_back(connection, limits)
        return signed_in(changed)
