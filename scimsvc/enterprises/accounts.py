"""Manage the accounts of a reach: one enterprise, or the installation (``enterprise_id`` None), whose accounts see all.

The caller checks that the signed-in account may manage the reach. Each function finds only accounts of this reach.
"""

import re
from typing import Any

from scimsvc import schemas
from scimsvc.activity.audit import audited, changed
from scimsvc.enterprises.admin_records import record_account
from scimsvc.enterprises.admins import Admin, insert_account, represent_account, with_link
from scimsvc.enterprises.second_factor import reset_of_account
from scimsvc.errors import Conflict, InvalidInput, NoSuchThing, QuotaReached
from scimsvc.protocol.attributes import fold
from scimsvc.schemas.validation import validated
from scimsvc.store import admins as store
from scimsvc.store.admins import AccountsOfEnterprise, AdminExists, AdminRow
from scimsvc.store.engine.transactions import Connection, reading, writing
from scimsvc.vocabulary import ADMINISTRATOR, AUDITOR, ID_PATTERN, OPERATOR, Action

#: The accounts that can be invited to a reach. Commands can create more.
MOST_ACCOUNTS = 200


def roles_of(enterprise_id: str | None) -> tuple[str, str]:
    """Return the roles of a reach."""
    return (OPERATOR if enterprise_id is None else ADMINISTRATOR), AUDITOR


def list_accounts(enterprise_id: str | None) -> list[dict[str, Any]]:
    """Return the accounts of the reach, sorted by e-mail address."""
    with reading() as connection:
        return [represent_account(row) for row in store.list_admins_of(connection, enterprise_id)]


def count_accounts() -> list[AccountsOfEnterprise]:
    """Return the number of accounts of each enterprise, sorted by name."""
    with reading() as connection:
        return store.count_admins(connection)


def show_account(enterprise_id: str | None, account_id: str) -> dict[str, Any]:
    """Return an account of the reach; raises ``NoSuchThing``."""
    with reading() as connection:
        return represent_account(_get(connection, enterprise_id, account_id))


@audited
def invite(enterprise_id: str | None, email: str, role: str) -> dict[str, Any]:
    """Create an account with the role, and return it with a one-time ``link``.

    Raises ``InvalidInput`` or ``QuotaReached``.
    """
    address = validated(schemas.ADMIN, {"email": email})["email"]
    _check_role(enterprise_id, role)
    with writing() as connection:
        if len(store.list_admins_of(connection, enterprise_id)) >= MOST_ACCOUNTS:
            raise QuotaReached(f"At most {MOST_ACCOUNTS} accounts can be invited. Remove an account first.")
        try:
            account_id = insert_account(connection, address, enterprise_id, is_auditor=role == AUDITOR)
        except AdminExists:
            message = "An account with this e-mail address already exists"
            raise InvalidInput(f"{message}.", {"email": [message]}) from None
        return with_link(connection, account_id)


@audited
def change_role(admin: Admin, enterprise_id: str | None, account_id: str, role: str) -> dict[str, Any]:
    """Set the role of an account and return the account. It takes effect with the next request of the account.

    Raises ``InvalidInput``, ``NoSuchThing``, or ``Conflict`` for the own account.
    """
    _check_role(enterprise_id, role)
    with writing() as connection:
        row = _get(connection, enterprise_id, account_id)
        if row.id == admin.id:
            raise Conflict("You cannot change your own role. Ask another administrator or operator.")
        if role != OPERATOR:
            _refuse_last_operator(connection, row)
        store.update_admin_role(connection, row.id, role)
        record_change = changed({"role": row.role}, {"role": role})
        if record_change is not None:
            record_account(connection, Action.ADMIN_ROLE_CHANGED, row, record_change)
        return represent_account(row._replace(role=role))


@audited
def reset(admin: Admin, enterprise_id: str | None, account_id: str, *, end_now: bool) -> dict[str, Any]:
    """Create another one-time link for an account, and return it with the account.

    With ``end_now``, the password and all sessions end at once; otherwise the password is valid until the link is used.
    Raises ``NoSuchThing``, or ``Conflict`` for the own account, because a stolen session could set another password.
    """
    with writing() as connection:
        row = _get(connection, enterprise_id, account_id)
        if row.id == admin.id:
            raise Conflict("You cannot reset your own account. Change your password on the page of your account.")
        if end_now:
            _refuse_last_operator(connection, row)
            store.end_admin_password(connection, row.id)
        return with_link(connection, row.id, has_ended=end_now)


@audited
def reset_second_factor(admin: Admin, enterprise_id: str | None, account_id: str) -> dict[str, Any]:
    """Delete the second factor of an account, end its sessions, and return the account.

    Raises ``NoSuchThing``, ``InvalidInput`` without a second factor, or ``Conflict`` for the own account.
    """
    with writing() as connection:
        row = _get(connection, enterprise_id, account_id)
        if row.id == admin.id:
            raise Conflict("You cannot reset your own second factor. Set up another app on the page of your account.")
        reset_of_account(connection, row)
        return represent_account(row)


@audited
def remove(admin: Admin, enterprise_id: str | None, account_id: str, typed_email: str) -> dict[str, Any]:
    """Delete an account with its sessions, and return its last state.

    ``typed_email`` confirms the removal of the own account. Raises ``NoSuchThing``, ``InvalidInput``, or ``Conflict``
    for the last operator with a password.
    """
    with writing() as connection:
        row = _get(connection, enterprise_id, account_id)
        if row.id == admin.id and fold(typed_email) != row.email_key:
            message = "Type your e-mail address to remove your own account"
            raise InvalidInput(f"{message}.", {"typed_name": [message]})
        _refuse_last_operator(connection, row)
        store.delete_admin(connection, row.id)
        account = represent_account(row)
        record_account(connection, Action.ADMIN_REMOVED, row)
        return account


def _refuse_last_operator(connection: Connection, row: AdminRow) -> None:
    """Raise ``Conflict`` if the account is an operator's and no other operator could sign in.

    The lock ensures that two operators cannot remove each other at the same time.
    """
    if row.role != OPERATOR:
        return
    others = [each for each in store.lock_operators(connection) if each.id != row.id]
    if not any(each.password_hash is not None for each in others):
        raise Conflict(
            "This is the last operator with a password. Invite another operator, and wait until the password is set."
        )


def _check_role(enterprise_id: str | None, role: str) -> None:
    roles = roles_of(enterprise_id)
    if role not in roles:
        message = f"Choose {' or '.join(roles)}"
        raise InvalidInput(f"{message}.", {"role": [message]})


def _get(connection: Connection, enterprise_id: str | None, account_id: str) -> AdminRow:
    is_id = re.fullmatch(ID_PATTERN, account_id) is not None
    row = store.find_admin(connection, account_id) if is_id else None
    if row is None or row.enterprise_id != enterprise_id:
        raise NoSuchThing("This account does not exist, or you do not have access.", what="account")
    return row
