"""Single sign-on to existing accounts: by a linked identity, or the first time by a verified e-mail address.

The provider's name for a person, the subject, is linked to an account once. From then on only the subject counts,
because e-mail addresses change and are given to others. No account is created.
"""

from typing import Any, NamedTuple

from scimsvc import clock
from scimsvc.activity.audit import Difference, audited
from scimsvc.auth.tokens import digest_secret
from scimsvc.enterprises.admin_records import record_account
from scimsvc.enterprises.admins import Admin, signed_in
from scimsvc.enterprises.local_sign_in import usable_password_hash
from scimsvc.enterprises.sessions import CONFIRMED, Session, confirm_session
from scimsvc.errors import Conflict, LinkEnded, NoSuchThing, NotAllowed
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.json_text import is_storable
from scimsvc.store import admins as store
from scimsvc.store import identities
from scimsvc.store.admins import AdminRow
from scimsvc.store.engine.transactions import Connection, reading, writing
from scimsvc.store.identities import IdentityRow, IdentityTaken
from scimsvc.vocabulary import Action
from scimsvc.web.state import Actor, app_settings


class Identity(NamedTuple):
    """A person whom the provider signed in."""

    issuer: str
    subject: str
    email: str | None
    #: Whether the provider states that the address belongs to the person.
    is_verified: bool
    #: When the person signed in at the provider, in seconds since 1970, if the provider says so.
    signed_in_at: int | None = None
    #: Whether the person used a second factor at the provider.
    has_second_factor: bool = False


class NoAccount(NotAllowed):
    """No account belongs to the identity."""

    def __init__(self, detail: str, email: str | None) -> None:
        super().__init__(detail)
        self.email = email


METHOD = {"method": "single sign-on"}


@audited
def sign_in_with_identity(identity: Identity) -> Admin:
    """Return the account of ``identity``. Link them if the verified address of the identity is that of an account.

    An account that ``needs_code`` is not signed in yet. Raises ``NoAccount`` if no account matches.
    """
    with writing() as connection:
        row = _find_account(connection, identity)
        _record_sign_in(connection, row, identity)
        return signed_in(row)


def needs_code(admin: Admin, identity: Identity) -> bool:
    """Return whether the account must enter a code of its own second factor, because none was used at the provider."""
    return admin.has_second_factor and not identity.has_second_factor


def _record_sign_in(connection: Connection, row: AdminRow, identity: Identity) -> None:
    admin = signed_in(row)
    if not needs_code(admin, identity):
        store.update_admin_sign_in(connection, row.id, at=clock.timestamp(clock.now()))
        record_account(connection, Action.ADMIN_SIGNED_IN, row, Difference(after=METHOD), actor=admin.actor)


def _find_account(connection: Connection, identity: Identity) -> AdminRow:
    linked = identities.find_identity(connection, identity.issuer, identity.subject)
    if linked is not None:
        row = store.find_admin(connection, linked.admin_id)
        assert row is not None, "the identities of a removed account are deleted"
        return row
    if not identity.is_verified:  # the answer is the same with and without an account
        raise NoAccount(_NOT_VERIFIED, identity.email)
    row = _find_by_address(connection, identity)
    if row is None:
        raise NoAccount(_NO_ACCOUNT, identity.email)
    if identities.find_identity_of(connection, row.id) is not None:
        raise NoAccount(_OTHER_IDENTITY, identity.email)
    _insert(connection, row, identity, signed_in(row).actor)
    return row


def _find_by_address(connection: Connection, identity: Identity) -> AdminRow | None:
    address = identity.email
    return store.find_admin_by_email(connection, fold(address)) if address and is_storable(address) else None


_NO_ACCOUNT = (
    "No account of this service belongs to your identity at the provider. Ask the operator of this service for an "
    "invitation, and open its link to connect your identity."
)
_NOT_VERIFIED = (
    "No account is linked to your identity at the provider, and the provider does not confirm that your e-mail address "
    "is verified. Sign in with your password and link single sign-on on the page of your account, or ask the operator "
    "of this service for a one-time link."
)
_OTHER_IDENTITY = (
    "The account with your e-mail address is linked to another identity at the provider. "
    "Ask the operator of this service for a one-time link to replace it."
)
_LINKED_ELSEWHERE = (
    "Your identity at the provider is linked to another account. Unlink it there first, on the page of the account."
)


@audited
def link_identity(admin: Admin, identity: Identity) -> None:
    """Link ``identity`` to the account that is signed in, in place of an earlier identity.

    Raises ``Conflict`` if the identity is linked to another account.
    """
    with writing() as connection:
        row = store.find_admin(connection, admin.id)
        if row is None:
            raise NoSuchThing("This account was removed.")
        _replace(connection, row, identity, admin.actor)


@audited
def accept_link(link_digest: str, identity: Identity) -> Admin:
    """Use up a one-time link: link ``identity`` to the account of the link, and return the account.

    The account's sessions end, and its password stays. Raises ``NoSuchThing`` if the link was used or has expired, or
    ``Conflict`` if the identity is linked to another account.
    """
    with writing() as connection:
        now = clock.timestamp(clock.now())
        row = store.find_admin_by_link(connection, link_digest, now=now)
        used = store.use_admin_link(connection, row) if row is not None else None
        if used is None:
            raise LinkEnded
        admin = signed_in(used)
        _replace(connection, used, identity, admin.actor)
        _record_sign_in(connection, used, identity)
        return admin


@audited
def unlink_identity(admin: Admin) -> None:
    """Unlink the identity of the account that is signed in.

    Raises ``Conflict`` if the account could not sign in afterwards, or ``NoSuchThing`` if it has no identity.
    """
    with writing() as connection:
        row = store.find_admin(connection, admin.id)
        if usable_password_hash(row) is None or row is None:
            raise Conflict("You could not sign in any more. Only accounts with a password can unlink single sign-on.")
        _delete(connection, row)


def confirm_with_identity(session: Session, identity: Identity) -> dict[str, Any]:
    """Confirm the ``session`` because its owner has signed in at the provider again.

    Return members of the session's new cookie. Raises ``NotAllowed`` if ``identity`` is not that of the account, or if
    its sign-in at the provider is not recent.
    """
    with reading() as connection:
        linked = identities.find_identity(connection, identity.issuer, identity.subject)
    if linked is None or linked.admin_id != session.admin.id:
        raise NotAllowed("You signed in at the provider with another identity than that of this account. Try again.")
    now = clock.now().timestamp()
    if identity.signed_in_at is not None and now - identity.signed_in_at > CONFIRMED.total_seconds():
        raise NotAllowed("The provider did not ask you to sign in again. Sign out there, and try again.")
    return confirm_session(session, [])


class SignInWays(NamedTuple):
    """How an account can sign in."""

    #: Its identity at the present provider.
    identity: IdentityRow | None
    has_password: bool


def find_sign_in_ways(admin: Admin) -> SignInWays:
    """Return how the account can sign in."""
    provider = app_settings().provider
    if provider is None:
        return SignInWays(None, has_password=True)
    with reading() as connection:
        identity = identities.find_identity_of(connection, admin.id)
        row = store.find_admin(connection, admin.id)
    is_present = identity is not None and identity.issuer == provider.issuer
    return SignInWays(identity if is_present else None, has_password=usable_password_hash(row) is not None)


def digest_link(link: str) -> str:
    """Return the digest of a one-time link."""
    return digest_secret(link)


def _replace(connection: Connection, row: AdminRow, identity: Identity, actor: Actor) -> None:
    present = identities.find_identity_of(connection, row.id)
    if present is not None and (present.issuer, present.subject) == (identity.issuer, identity.subject):
        return
    if present is not None:
        _delete(connection, row, actor)
    _insert(connection, row, identity, actor)


def _insert(connection: Connection, row: AdminRow, identity: Identity, actor: Actor) -> None:
    email = identity.email if identity.email and is_storable(identity.email) else None
    linked_at = clock.timestamp(clock.now())
    try:
        identities.insert_identity(connection, IdentityRow(identity.issuer, identity.subject, row.id, email, linked_at))
    except IdentityTaken:
        raise Conflict(_LINKED_ELSEWHERE) from None
    record_account(connection, Action.ADMIN_IDENTITY_LINKED, row, Difference(after=_members(identity)), actor=actor)


def _delete(connection: Connection, row: AdminRow, actor: Actor | None = None) -> None:
    present = identities.find_identity_of(connection, row.id)
    if present is None:
        raise NoSuchThing("This account has no single sign-on.")
    identities.delete_identity(connection, row.id)
    difference = Difference(before=_members(present))
    record_account(connection, Action.ADMIN_IDENTITY_UNLINKED, row, difference, actor=actor)


def _members(identity: Identity | IdentityRow) -> dict[str, Any]:
    return {"issuer": identity.issuer, "subject": identity.subject, "email": identity.email}
