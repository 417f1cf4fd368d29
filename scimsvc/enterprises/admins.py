"""Console accounts: created by the operator, activated by a one-time link, signed in and out.

An operator sees every enterprise, an enterprise's administrator only this one. An auditor sees either, and changes
nothing. Increasing the epoch in the account's row ends all sessions of the account (``enterprises.sessions``).
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from scimsvc import clock, schemas
from scimsvc.activity.audit import Difference, audited
from scimsvc.auth.suspension import describe_suspension
from scimsvc.auth.tokens import digest_secret, new_link
from scimsvc.enterprises.admin_records import record_account
from scimsvc.enterprises.enterprises import show_for_operator
from scimsvc.enterprises.local_sign_in import allows_password, refuse_password
from scimsvc.enterprises.password_strength import refuse_weak_password
from scimsvc.enterprises.passwords import hash_password
from scimsvc.errors import Conflict, EnterpriseSuspended, LinkEnded, NoSuchThing
from scimsvc.protocol.attributes import fold
from scimsvc.schemas.validation import validated
from scimsvc.store import admins as store
from scimsvc.store.admins import AdminExists, AdminRow, NewAdmin
from scimsvc.store.engine.transactions import Connection, reading, writing
from scimsvc.store.tenancy import get_enterprise
from scimsvc.vocabulary import ADMINISTRATOR, AUDITOR, CONSOLE, OPERATOR, Action
from scimsvc.web.state import Actor

#: How long a one-time link is valid.
LINK_LIFETIME = timedelta(hours=24)
#: The account that ``offer_first_link`` creates. No one receives mail at this domain (RFC 2606).
FIRST_OPERATOR = "operator@example.com"


@dataclass(frozen=True, slots=True)
class Admin:
    """The account that is signed in."""

    id: str
    email: str
    enterprise_id: str | None
    role: str
    epoch: int
    #: The key ID of the secret key that the second factor was set up with, or None without a second factor.
    second_factor_key_id: str | None = None

    @property
    def has_second_factor(self) -> bool:
        """Whether the account has an authenticator app."""
        return self.second_factor_key_id is not None

    @property
    def actor(self) -> Actor:
        """The account as the actor of changes."""
        return Actor(CONSOLE, self.email, self.id)

    @property
    def sees_all(self) -> bool:
        """Whether the account sees every enterprise."""
        return self.enterprise_id is None

    @property
    def is_operator(self) -> bool:
        """Whether the account may change everything."""
        return self.role == OPERATOR

    @property
    def may_change(self) -> bool:
        """Whether the account may change what it sees."""
        return self.role != AUDITOR


@audited
def create_admin(email: str, *, enterprise: str | None = None, is_auditor: bool = False) -> dict[str, Any]:
    """Create an account for an ``enterprise``, or for all without one, and return it with a one-time ``link``.

    Raises ``InvalidInput``, ``NoSuchThing`` if the enterprise does not exist, or ``Conflict`` if the address is taken.
    """
    address = validated(schemas.ADMIN, {"email": email})["email"]
    with writing() as connection:
        enterprise_id = get_enterprise(connection, enterprise).id if enterprise is not None else None
        try:
            admin_id = insert_account(connection, address, enterprise_id, is_auditor=is_auditor)
        except AdminExists:
            raise Conflict(
                f"Account {address!r} already exists. Create another one-time link with 'scimsvc admin link'."
            ) from None
        return with_link(connection, admin_id)


@audited
def offer_first_link() -> dict[str, Any] | None:
    """Return an operator's account with a new one-time ``link``, or None if an operator has a password.

    The first call creates the account. Later calls use the oldest operator's account, so that they add none.
    """
    with writing() as connection:
        accounts = store.list_admins(connection)
        operators = sorted((row for row in accounts if row.role == OPERATOR), key=lambda row: row.created_at)
        if any(row.password_hash is not None for row in operators):
            return None
        if operators:
            return with_link(connection, operators[0].id)
        if any(row.email_key == FIRST_OPERATOR for row in accounts):  # another role has the account
            return None
        return with_link(connection, insert_account(connection, FIRST_OPERATOR, None))


@audited
def renew_link(email: str) -> dict[str, Any]:
    """Create a new one-time ``link`` in place of the previous one, and return it with the account.

    The sessions of the account end. A password remains valid until the link is used. Raises ``NoSuchThing``.
    """
    with writing() as connection:
        row = _get_admin(connection, email)
        store.end_sessions(connection, row.id)
        return with_link(connection, row.id)


def list_admins() -> list[dict[str, Any]]:
    """Return every account, sorted by e-mail address."""
    with reading() as connection:
        return [represent_account(row) for row in store.list_admins(connection)]


@audited
def remove_admin(email: str) -> dict[str, Any]:
    """Delete the account with its sessions and return its last state; raises ``NoSuchThing``."""
    with writing() as connection:
        row = _get_admin(connection, email)
        store.delete_admin(connection, row.id)
        account = represent_account(row)
        record_account(connection, Action.ADMIN_REMOVED, row)
        return account


def show_link(link: str) -> dict[str, Any]:
    """Return the account of the ``link``; raises ``LinkEnded`` if the link was used or has expired."""
    with reading() as connection:
        row = _get_linked(connection, link)
    return represent_account(row) | {"may_have_password": allows_password(row)}


@audited
def set_password(link: str, password: str, repeated: str) -> Admin:
    """Set the password of the account of the ``link``, end the link and older sessions, and return the account.

    Raises ``InvalidInput``, ``LinkEnded`` if the link was used or has expired, or ``NotAllowed`` if the account may
    not have a password.
    """
    with reading() as connection:
        row = _get_linked(connection, link)
    refuse_password(row)
    refuse_weak_password(password, repeated, [row.email, row.enterprise or ""])
    password_hash = hash_password(password)  # slow, so before the lock
    with writing() as connection:
        changed = store.update_admin_password(connection, _get_linked(connection, link), password_hash)
        if changed is None:
            raise LinkEnded
        admin = signed_in(changed)
        record_account(connection, Action.ADMIN_PASSWORD_SET, changed, actor=admin.actor)
        return admin


def refuse_unless_operator(admin: Admin) -> None:
    """Raise ``NoSuchThing`` for other roles, so that the operator's pages stay hidden."""
    if not admin.is_operator:
        raise NoSuchThing("This page does not exist, or you do not have access.", what="page")


def refuse_unless_all_enterprises(admin: Admin) -> None:
    """Raise ``NoSuchThing`` for an account of one enterprise, so that the pages about all of them stay hidden."""
    if not admin.sees_all:
        raise NoSuchThing("This page does not exist, or you do not have access.", what="page")


def enter_enterprise(admin: Admin, enterprise_id: str) -> dict[str, Any]:
    """Return the enterprise; raises the same ``NoSuchThing`` if it does not exist and if ``admin`` has no access.

    Raises ``EnterpriseSuspended`` for the accounts of the enterprise while it is suspended.
    """
    enterprise = show_for_operator(enterprise_id) if admin.enterprise_id in (None, enterprise_id) else None
    if enterprise is None or enterprise["id"] != enterprise_id:  # the reference was a name
        raise NoSuchThing("This enterprise does not exist, or you do not have access.", what="enterprise")
    if enterprise["suspended"] and not admin.sees_all:
        raise EnterpriseSuspended(describe_suspension(enterprise["name"], enterprise["suspension"]))
    return enterprise


def insert_account(connection: Connection, address: str, enterprise_id: str | None, *, is_auditor: bool = False) -> str:
    """Insert an account without a password and return its ID; raises ``AdminExists``."""
    role = AUDITOR if is_auditor else OPERATOR if enterprise_id is None else ADMINISTRATOR
    admin = NewAdmin(
        id=str(uuid.uuid4()),
        email=address,
        email_key=fold(address),
        enterprise_id=enterprise_id,
        role=role,
        created_at=clock.timestamp(clock.now()),
    )
    store.insert_admin(connection, admin)
    row = store.find_admin(connection, admin.id)
    assert row is not None
    record_account(connection, Action.ADMIN_CREATED, row, Difference(after={"role": role}))
    return admin.id


def with_link(connection: Connection, admin_id: str, *, has_ended: bool = False) -> dict[str, Any]:
    """Create a one-time link in place of the previous one, and return it with the account."""
    link, expires_at = new_link(), clock.timestamp(clock.now() + LINK_LIFETIME)
    row = store.update_admin_link(connection, admin_id, digest=digest_secret(link), expires_at=expires_at)
    ended = {"password_and_sessions_ended": True} if has_ended else {}
    record_account(connection, Action.ADMIN_LINK_CREATED, row, Difference(after={"expires_at": expires_at} | ended))
    return {
        "id": row.id,
        "email": row.email,
        "enterprise": row.enterprise,
        "role": row.role,
        "link": link,
        "link_expires_at": expires_at,
    }


def _get_linked(connection: Connection, link: str) -> AdminRow:
    row = store.find_admin_by_link(connection, digest_secret(link), now=clock.timestamp(clock.now()))
    if row is None:
        raise LinkEnded
    return row


def _get_admin(connection: Connection, email: str) -> AdminRow:
    row = store.find_admin_by_email(connection, fold(email))
    if row is None:
        raise NoSuchThing(f"Account {email!r} does not exist. List the accounts with 'scimsvc admin list'.")
    return row


def signed_in(row: AdminRow) -> Admin:
    """Return the account of ``row``, which is signed in."""
    return Admin(row.id, row.email, row.enterprise_id, row.role, row.epoch, row.second_factor_key_id)


def represent_account(row: AdminRow) -> dict[str, Any]:
    """Return the account without secrets."""
    return {
        "id": row.id,
        "email": row.email,
        "enterprise": row.enterprise,
        "role": row.role,
        "has_password": row.password_hash is not None,
        "second_factor_key_id": row.second_factor_key_id,
        "link_expires_at": row.link_expires_at,
        "created_at": row.created_at,
        "signed_in_at": row.signed_in_at,
    }
