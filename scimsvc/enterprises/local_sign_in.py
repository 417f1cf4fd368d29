"""The accounts that may use passwords. The setting ``SCIMSVC_LOCAL_SIGN_IN`` can restrict them to one operator."""

from scimsvc.errors import NotAllowed
from scimsvc.store.admins import AdminRow
from scimsvc.vocabulary import OPERATOR
from scimsvc.web.state import app_settings


def allows_password(row: AdminRow) -> bool:
    """Return whether the settings allow the account to use a password."""
    return app_settings().local_sign_in.allows(row.email_key, is_operator=row.role == OPERATOR)


def usable_password_hash(row: AdminRow | None) -> str | None:
    """Return the hash of the account's password, or None if there is no password to sign in with."""
    return row.password_hash if row is not None and allows_password(row) else None


def refuse_password(row: AdminRow) -> None:
    """Raise ``NotAllowed`` if the account may not have a password."""
    if not allows_password(row):
        raise NotAllowed("This service does not use passwords. Use single sign-on.")
