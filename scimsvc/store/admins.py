"""The administrators, whose accounts give access to the console."""

from typing import NamedTuple

from sqlalchemy import and_, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from scimsvc.models import Admin, Enterprise, SecondFactor
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.engine.transactions import Connection
from scimsvc.vocabulary import OPERATOR


class AdminRow(NamedTuple):
    """An account, and the name of its enterprise, or None for an account that sees every enterprise."""

    id: str
    email: str
    email_key: str
    enterprise_id: str | None
    enterprise: str | None
    role: str
    password_hash: str | None
    #: Sessions of an earlier epoch are invalid.
    epoch: int
    link_digest: str | None
    link_expires_at: str | None
    created_at: str
    signed_in_at: str | None
    #: The key ID of the secret key that the second factor was set up with, or None without a second factor.
    second_factor_key_id: str | None


class NewAdmin(NamedTuple):
    """An account to insert, without a password."""

    id: str
    email: str
    email_key: str
    enterprise_id: str | None
    role: str
    created_at: str


class AccountsOfEnterprise(NamedTuple):
    """An enterprise, and the number of its accounts."""

    id: str
    name: str
    accounts: int


class AdminExists(Exception):
    """An account with this address exists already, ignoring case."""


_ID = bindparam("admin_id", type_=Admin.id.type)
_THIS = Admin.id == _ID
_KEY_ID = select(SecondFactor.key_id).where(SecondFactor.admin_id == Admin.id).scalar_subquery()
#: The columns of an ``AdminRow``, in order.
ADMIN_COLUMNS = (
    Admin.id,
    Admin.email,
    Admin.email_key,
    Admin.enterprise_id,
    Enterprise.name.label("enterprise"),
    Admin.role,
    Admin.password_hash,
    Admin.epoch,
    Admin.link_digest,
    Admin.link_expires_at,
    Admin.created_at,
    Admin.signed_in_at,
    _KEY_ID.label("second_factor_key_id"),
)
_ADMINS = (
    select(*ADMIN_COLUMNS)
    .select_from(Admin)
    .outerjoin(Enterprise, Enterprise.id == Admin.enterprise_id)
    .order_by(Admin.email_key)
)
_ALL = Query(_ADMINS, AdminRow)
_OF_ENTERPRISE = Query(_ADMINS.where(Admin.enterprise_id == bindparam("enterprise_id")), AdminRow)
_OF_ALL = Query(_ADMINS.where(Admin.enterprise_id.is_(None)), AdminRow)
_OPERATORS = Query(_ADMINS.where(Admin.role == OPERATOR).with_for_update(of=Admin), AdminRow)
_COUNTS = Query(
    select(Enterprise.id, Enterprise.name, func.count(Admin.id).label("accounts"))
    .outerjoin(Admin, Admin.enterprise_id == Enterprise.id)
    .group_by(Enterprise.id, Enterprise.name, Enterprise.name_key)
    .order_by(Enterprise.name_key),
    AccountsOfEnterprise,
)
_BY_ID = Query(_ADMINS.where(_THIS), AdminRow)
_BY_EMAIL = Query(_ADMINS.where(Admin.email_key == bindparam("key")), AdminRow)
_BY_LINK = Query(
    _ADMINS.where(Admin.link_digest == bindparam("digest"), Admin.link_expires_at > bindparam("now")), AdminRow
)
_INSERT = Write(insert(Admin))
_SET_LINK = Write(
    update(Admin)
    .where(_THIS)
    .values(link_digest=bindparam("new_link_digest"), link_expires_at=bindparam("new_link_expires_at"))
)
#: The condition on the link ensures that only the first of two concurrent uses changes a row.
_SET_PASSWORD = Write(
    update(Admin)
    .where(and_(_THIS, Admin.link_digest == bindparam("digest")))
    .values(
        password_hash=bindparam("new_password_hash"),
        link_digest=bindparam("new_link_digest"),
        link_expires_at=bindparam("new_link_expires_at"),
        epoch=Admin.epoch + 1,
    )
)
_USE_LINK = Write(
    update(Admin)
    .where(and_(_THIS, Admin.link_digest == bindparam("digest")))
    .values(
        link_digest=bindparam("new_link_digest"),
        link_expires_at=bindparam("new_link_expires_at"),
        epoch=Admin.epoch + 1,
    )
)
_SET_HASH = Write(
    update(Admin)
    .where(and_(_THIS, Admin.password_hash == bindparam("old_password_hash")))
    .values(password_hash=bindparam("new_password_hash"))
)
_CHANGE_PASSWORD = Write(
    update(Admin)
    .where(and_(_THIS, Admin.password_hash == bindparam("old_password_hash")))
    .values(
        password_hash=bindparam("new_password_hash"),
        link_digest=bindparam("new_link_digest"),
        link_expires_at=bindparam("new_link_expires_at"),
        epoch=Admin.epoch + 1,
    )
)
_END_PASSWORD = Write(
    update(Admin).where(_THIS).values(password_hash=bindparam("new_password_hash"), epoch=Admin.epoch + 1)
)
_SET_ROLE = Write(update(Admin).where(_THIS).values(role=bindparam("new_role")))
_SIGN_IN = Write(update(Admin).where(_THIS).values(signed_in_at=bindparam("new_signed_in_at")))
_NEXT_EPOCH = Write(update(Admin).where(_THIS).values(epoch=Admin.epoch + 1))
_DELETE = Write(delete(Admin).where(_THIS))


def list_admins(connection: Connection) -> list[AdminRow]:
    """Return all accounts by e-mail address."""
    return _ALL.all(connection)


def list_admins_of(connection: Connection, enterprise_id: str | None) -> list[AdminRow]:
    """Return the accounts of an enterprise, or for None those that see every enterprise, by e-mail address."""
    if enterprise_id is None:
        return _OF_ALL.all(connection)
    return _OF_ENTERPRISE.all(connection, {"enterprise_id": enterprise_id})


def count_admins(connection: Connection) -> list[AccountsOfEnterprise]:
    """Return the number of accounts of each enterprise, by name."""
    return _COUNTS.all(connection)


def lock_operators(connection: Connection) -> list[AdminRow]:
    """Lock the accounts of all operators until the end of the transaction, and return them."""
    return _OPERATORS.all(connection)


def find_admin(connection: Connection, admin_id: str | None) -> AdminRow | None:
    """Return the account with the ID."""
    return _BY_ID.first(connection, {"admin_id": admin_id})


def find_admin_by_email(connection: Connection, email_key: str) -> AdminRow | None:
    """Return the account with the folded address."""
    return _BY_EMAIL.first(connection, {"key": email_key})


def find_admin_by_link(connection: Connection, link_digest: str, *, now: str) -> AdminRow | None:
    """Return the account whose one-time link has the digest and has not expired at the time ``now``."""
    return _BY_LINK.first(connection, {"digest": link_digest, "now": now})


def insert_admin(connection: Connection, admin: NewAdmin) -> None:
    """Insert an account. Raises ``AdminExists`` if another account has the address."""
    absent = {"password_hash": None, "link_digest": None, "link_expires_at": None, "signed_in_at": None}
    try:
        _INSERT.run(connection, {**admin._asdict(), **absent, "epoch": 1})
    except IntegrityError:
        raise AdminExists from None


def update_admin_link(connection: Connection, admin_id: str, *, digest: str, expires_at: str) -> AdminRow:
    """Replace the one-time link of the account, and return the account."""
    _SET_LINK.run(connection, {"admin_id": admin_id, "new_link_digest": digest, "new_link_expires_at": expires_at})
    return _BY_ID.one(connection, {"admin_id": admin_id})


def update_admin_password(connection: Connection, admin: AdminRow, password_hash: str) -> AdminRow | None:
    """Set the password, invalidate the link and the sessions of the account, and return the account.

    Returns None if the link of ``admin`` was used after the row was read.
    """
    parameters = {
        "admin_id": admin.id,
        "digest": admin.link_digest,
        "new_password_hash": password_hash,
        "new_link_digest": None,
        "new_link_expires_at": None,
    }
    if _SET_PASSWORD.run(connection, parameters) == 0:
        return None
    return _BY_ID.one(connection, {"admin_id": admin.id})


def use_admin_link(connection: Connection, admin: AdminRow) -> AdminRow | None:
    """Invalidate the link and the sessions of the account without a change of the password, and return the account.

    Returns None if the link of ``admin`` was used after the row was read.
    """
    parameters = {
        "admin_id": admin.id,
        "digest": admin.link_digest,
        "new_link_digest": None,
        "new_link_expires_at": None,
    }
    return _BY_ID.one(connection, {"admin_id": admin.id}) if _USE_LINK.run(connection, parameters) else None


def update_admin_hash(connection: Connection, admin: AdminRow, old_hash: str) -> None:
    """Set the hash of the account's unchanged password to that of ``admin``, unless it is no longer ``old_hash``."""
    parameters = {"admin_id": admin.id, "old_password_hash": old_hash, "new_password_hash": admin.password_hash}
    _SET_HASH.run(connection, parameters)


def change_admin_password(connection: Connection, admin: AdminRow, password_hash: str) -> AdminRow | None:
    """Change the password, invalidate the link and the sessions of the account, and return the account.

    Returns None if the password of ``admin`` was changed after the row was read.
    """
    parameters = {
        "admin_id": admin.id,
        "old_password_hash": admin.password_hash,
        "new_password_hash": password_hash,
        "new_link_digest": None,
        "new_link_expires_at": None,
    }
    if _CHANGE_PASSWORD.run(connection, parameters) == 0:
        return None
    return _BY_ID.one(connection, {"admin_id": admin.id})


def end_admin_password(connection: Connection, admin_id: str) -> None:
    """Remove the password of the account, and invalidate its sessions."""
    _END_PASSWORD.run(connection, {"admin_id": admin_id, "new_password_hash": None})


def update_admin_role(connection: Connection, admin_id: str, role: str) -> None:
    """Set the role of the account."""
    _SET_ROLE.run(connection, {"admin_id": admin_id, "new_role": role})


def update_admin_sign_in(connection: Connection, admin_id: str, *, at: str) -> None:
    """Set the time of the account's last sign-in."""
    _SIGN_IN.run(connection, {"admin_id": admin_id, "new_signed_in_at": at})


def end_sessions(connection: Connection, admin_id: str) -> None:
    """Begin the next epoch of the account, which invalidates all its sessions."""
    _NEXT_EPOCH.run(connection, {"admin_id": admin_id})


def delete_admin(connection: Connection, admin_id: str) -> None:
    """Delete the account."""
    _DELETE.run(connection, {"admin_id": admin_id})
