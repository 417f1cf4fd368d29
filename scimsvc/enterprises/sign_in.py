"""Sign in to the console with an e-mail address and a password, and confirm the password of a session."""

from typing import Any

from scimsvc import clock
from scimsvc.activity.audit import audited
from scimsvc.auth.attempts import Limit, give_back
from scimsvc.auth.throttling import WrongPasswords
from scimsvc.enterprises.admin_records import record_account
from scimsvc.enterprises.admins import Admin, signed_in
from scimsvc.enterprises.local_sign_in import usable_password_hash
from scimsvc.enterprises.passwords import has_old_cost, is_right_password, renewed_hash, turn
from scimsvc.enterprises.sessions import Session, confirm_session
from scimsvc.errors import InvalidInput
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.json_text import is_storable
from scimsvc.protocol.limits import MAX_KEY_LENGTH
from scimsvc.protocol.users import is_email_address
from scimsvc.store import admins as store
from scimsvc.store.admins import AdminRow
from scimsvc.store.engine.transactions import reading, writing
from scimsvc.vocabulary import Action


def sign_in(email: str, password: str, *, address: str, browser: str | None, wrong_passwords: WrongPasswords) -> Admin:
    """Return the account with this e-mail address and password. It is signed in unless it has a second factor.

    ``browser`` identifies a browser in which the account signed in before. Raises the same ``InvalidInput`` for an
    unknown account as for a wrong password, and ``TooManyAttempts`` after too many wrong passwords.
    """
    key = _account_key(email)
    if key is None:  # refused without counting, because no account can have such an address
        raise InvalidInput(_WRONG)
    with turn():
        limits = wrong_passwords.take(address, key, browser)
        with reading() as connection:
            row = store.find_admin_by_email(connection, key)
        old_hash = usable_password_hash(row)
        is_right = is_right_password(password, old_hash)
        if row is None or old_hash is None or not is_right:
            raise InvalidInput(_WRONG)
        new_hash = renewed_hash(password) if has_old_cost(old_hash) else old_hash
    _note_sign_in(row._replace(password_hash=new_hash), old_hash, limits)
    return signed_in(row)


def confirm(
    session: Session, password: str, *, address: str, browser: str | None, wrong_passwords: WrongPasswords
) -> dict[str, Any]:
    """Confirm the ``session`` with the password of its account, and return members of its new cookie.

    Raises ``InvalidInput`` if the password is wrong, and ``TooManyAttempts`` after too many wrong passwords.
    """
    with turn():
        limits = wrong_passwords.take(address, fold(session.admin.email), browser)
        with reading() as connection:
            row = store.find_admin(connection, session.admin.id)
        is_right = is_right_password(password, usable_password_hash(row))
    if not is_right:
        raise InvalidInput("The password is wrong.", {CONFIRMING_PASSWORD: ["The password is wrong"]})
    return confirm_session(session, limits)


#: The field with the password that confirms a session. No form has a field with this name.
CONFIRMING_PASSWORD = "account_password"  # noqa: S105  # the name of a field
_WRONG = "The e-mail address is unknown, or the password is wrong. Check both and try again."


def _account_key(email: str) -> str | None:
    address = email.strip()
    if len(address) > MAX_KEY_LENGTH or not is_email_address(address) or not is_storable(address):
        return None
    return fold(address)


@audited
def _note_sign_in(row: AdminRow, old_hash: str, limits: list[Limit]) -> None:
    """Record the sign-in. If ``row`` has another hash than ``old_hash``, store it, unless the password has changed."""
    with writing() as connection:
        if row.password_hash != old_hash:
            store.update_admin_hash(connection, row, old_hash)
        if row.second_factor_key_id is None:  # otherwise the code completes the sign-in
            store.update_admin_sign_in(connection, row.id, at=clock.timestamp(clock.now()))
            record_account(connection, Action.ADMIN_SIGNED_IN, row, actor=signed_in(row).actor)
        give_back(connection, limits)
