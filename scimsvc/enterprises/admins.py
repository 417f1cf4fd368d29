"""The console's accounts: made by the operator, given a password by a one-time link, signed in and out.

An operator sees every enterprise, an administrator of an enterprise that one alone. Sessions are kept by the browser,
signed; what ends them all at once is the epoch in the account's row.
"""

import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from werkzeug.security import check_password_hash, generate_password_hash

from scimsvc import clock, schemas
from scimsvc.auth.throttling import WrongPasswords
from scimsvc.auth.tokens import digest_secret, new_link
from scimsvc.enterprises.enterprises import show_enterprise
from scimsvc.errors import Conflict, InvalidInput, NoSuchThing
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.json_text import is_storable
from scimsvc.schemas.validation import validated
from scimsvc.store import admins as store
from scimsvc.store.admins import AdminExists, AdminRow, NewAdmin
from scimsvc.store.engine.retries import retried
from scimsvc.store.engine.transactions import Connection, reading, writing
from scimsvc.store.tenancy import get_enterprise

#: How long a one-time link is good.
LINK_LIFETIME = timedelta(hours=24)
#: The account that ``offer_first_link`` creates. No one receives mail at this domain (RFC 2606).
FIRST_OPERATOR = "operator@example.com"
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1000
#: How long a session lasts without a request, and at all.
IDLE = timedelta(minutes=30)
LONGEST_SESSION = timedelta(hours=12)
#: Sessions note their last use no more often than this, so that not every answer sets a cookie.
NOTED_EVERY = timedelta(minutes=1)

#: What the password of an unknown account is compared with, so that it takes as long as a wrong one.
_NOBODYS_HASH = (
    "scrypt:32768:8:1$Ej3E98IRGTZtx7nt$ed862ff5faa68c7fd90aa0b0447ddd7116859051d66c90ca67ba269df7a17465"
    "fbfb435200e8f45093388f9247c2afd2f1fece480c7fa637d8255d3e518cb1bd"
)


@dataclass(frozen=True, slots=True)
class Admin:
    """Who is signed in."""

    id: str
    email: str
    enterprise_id: str | None
    epoch: int

    @property
    def is_operator(self) -> bool:
        """Whether every enterprise may be seen, and not one alone."""
        return self.enterprise_id is None


@retried
def create_admin(email: str, *, enterprise: str | None = None) -> dict[str, Any]:
    """Create an account, an operator's unless an ``enterprise`` is named, and return it with its one-time ``link``.

    Raises ``InvalidInput``, ``NoSuchThing``, or ``Conflict`` if there is an account with this address.
    """
    address = validated(schemas.ADMIN, {"email": email})["email"]
    with writing() as connection:
        enterprise_id = get_enterprise(connection, enterprise).id if enterprise is not None else None
        try:
            admin_id = _insert_admin(connection, address, enterprise_id)
        except AdminExists:
            raise Conflict(
                f"there is an account {address!r} already; scimsvc admin link makes another one-time link for it"
            ) from None
        return _with_link(connection, admin_id)


@retried
def offer_first_link() -> dict[str, Any] | None:
    """Return an operator's account with a new one-time ``link``, or None if an operator has a password.

    The oldest operator's account is reused, so that repeated calls do not add accounts. The first call creates one.
    """
    with writing() as connection:
        accounts = store.list_admins(connection)
        operators = sorted((row for row in accounts if row.enterprise_id is None), key=lambda row: row.created_at)
        if any(row.password_hash is not None for row in operators):
            return None
        if operators:
            return _with_link(connection, operators[0].id)
        if any(row.email_key == FIRST_OPERATOR for row in accounts):  # the account of an enterprise's administrator
            return None
        return _with_link(connection, _insert_admin(connection, FIRST_OPERATOR, None))


@retried
def renew_link(email: str) -> dict[str, Any]:
    """Return the account with another one-time ``link``, which ends the one before; raises ``NoSuchThing``.

    The password, if there is one, stays good until the link is used.
    """
    with writing() as connection:
        return _with_link(connection, _get_admin(connection, email).id)


def list_admins() -> list[dict[str, Any]]:
    """Return every account, by e-mail address."""
    with reading() as connection:
        return [_represent(row) for row in store.list_admins(connection)]


@retried
def remove_admin(email: str) -> dict[str, Any]:
    """Remove the account with its sessions, and return what it was; raises ``NoSuchThing``."""
    with writing() as connection:
        row = _get_admin(connection, email)
        store.delete_admin(connection, row.id)
        return _represent(row)


def show_link(link: str) -> dict[str, Any]:
    """Return the account whose password the ``link`` sets; raises ``NoSuchThing`` for one that is used up."""
    with reading() as connection:
        return _represent(_get_linked(connection, link))


@retried
def set_password(link: str, password: str, repeated: str) -> Admin:
    """Give the account of the ``link`` its password, end the link and older sessions, and return the account.

    Raises ``InvalidInput``, or ``NoSuchThing`` for a link that is used up.
    """
    with reading() as connection:
        _refuse_weak_password(_get_linked(connection, link), password, repeated)
    password_hash = generate_password_hash(_normal(password), method="scrypt")  # before the lock, as it takes a while
    with writing() as connection:
        row = store.update_admin_password(connection, _get_linked(connection, link), password_hash)
        if row is None:
            raise NoSuchThing(_USED_UP, what="link")
        return _admin(row)


@retried
def sign_in(email: str, password: str, *, address: str, wrong_passwords: WrongPasswords) -> Admin:
    """Return the account; raises ``InvalidInput``, the same for an unknown account as for a wrong password.

    Raises ``TooManyAttempts`` while too many wrong passwords came from ``address`` or for the account.
    """
    key = fold(email.strip())
    wrong_passwords.check(address, key)
    with reading() as connection:
        row = store.find_admin_by_email(connection, key) if is_storable(key) else None
    password_hash = (row.password_hash if row else None) or _NOBODYS_HASH
    is_right = check_password_hash(password_hash, _normal(password[:LONGEST_PASSWORD]))
    if row is None or row.password_hash is None or not is_right:
        wrong_passwords.note(address, key)
        raise InvalidInput("the e-mail address is unknown or the password is wrong")
    with writing() as connection:
        store.update_admin_sign_in(connection, row.id, at=clock.timestamp(clock.now()))
    return _admin(row)


@retried
def sign_out_everywhere(admin: Admin) -> None:
    """End every session of the account."""
    with writing() as connection:
        store.end_sessions(connection, admin.id)


def begin_session(admin: Admin) -> dict[str, Any]:
    """Return what a session of the account holds."""
    now = int(clock.now().timestamp())
    return {"admin": admin.id, "epoch": admin.epoch, "since": now, "seen": now}


def resume_session(session: Mapping[str, Any]) -> Admin | None:
    """Return who is signed in by the ``session``; None where it has ended, or never began."""
    now = clock.now().timestamp()
    since, seen = session.get("since", 0), session.get("seen", 0)
    if now - since >= LONGEST_SESSION.total_seconds() or now - seen >= IDLE.total_seconds():
        return None
    with reading() as connection:
        row = store.find_admin(connection, session.get("admin"))
    return _admin(row) if row is not None and row.epoch == session.get("epoch") else None


def note_use(session: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is to be changed in the ``session``, as it is used now."""
    now = int(clock.now().timestamp())
    return {"seen": now} if now - session["seen"] >= NOTED_EVERY.total_seconds() else {}


def refuse_unless_operator(admin: Admin) -> None:
    """Raise ``NoSuchThing`` for an enterprise's administrator, to whom the operator's pages do not exist."""
    if not admin.is_operator:
        raise NoSuchThing("there is no such page", what="page")


def enter_enterprise(admin: Admin, enterprise_id: str) -> dict[str, Any]:
    """Return the enterprise; raises ``NoSuchThing``, the same for one that ``admin`` may not see as for none."""
    enterprise = show_enterprise(enterprise_id) if admin.enterprise_id in (None, enterprise_id) else None
    if enterprise is None or enterprise["id"] != enterprise_id:  # which could be its name
        raise NoSuchThing("there is no such enterprise", what="enterprise")
    return enterprise


def _insert_admin(connection: Connection, address: str, enterprise_id: str | None) -> str:
    """Insert an account without a password and return its ID; raises ``AdminExists``."""
    admin = NewAdmin(
        id=str(uuid.uuid4()),
        email=address,
        email_key=fold(address),
        enterprise_id=enterprise_id,
        created_at=clock.timestamp(clock.now()),
    )
    store.insert_admin(connection, admin)
    return admin.id


def _with_link(connection: Connection, admin_id: str) -> dict[str, Any]:
    link, expires_at = new_link(), clock.timestamp(clock.now() + LINK_LIFETIME)
    row = store.update_admin_link(connection, admin_id, digest=digest_secret(link), expires_at=expires_at)
    return {"id": row.id, "email": row.email, "enterprise": row.enterprise, "link": link, "link_expires_at": expires_at}


def _get_linked(connection: Connection, link: str) -> AdminRow:
    row = store.find_admin_by_link(connection, digest_secret(link), now=clock.timestamp(clock.now()))
    if row is None:
        raise NoSuchThing(_USED_UP, what="link")
    return row


_USED_UP = "the link was used or has expired; ask for another one"


def _refuse_weak_password(row: AdminRow, password: str, repeated: str) -> None:
    wrong: dict[str, list[str]] = {}
    if len(password) < SHORTEST_PASSWORD:
        wrong["password"] = [f"must have at least {SHORTEST_PASSWORD} characters"]
    elif len(password) > LONGEST_PASSWORD:
        wrong["password"] = [f"must have at most {LONGEST_PASSWORD} characters"]
    elif fold(password) == row.email_key:
        wrong["password"] = ["must not be the e-mail address"]
    elif password != repeated:
        wrong["repeated"] = ["is not the same as the password above"]
    if wrong:
        [(field, [message])] = wrong.items()
        raise InvalidInput(f"{field}: {message}", wrong)


def _normal(password: str) -> str:
    """Return the same text for what looks the same, however a keyboard composes it (NIST SP 800-63B §3.1.1.2)."""
    return unicodedata.normalize("NFKC", password.encode("utf-8", "replace").decode())


def _get_admin(connection: Connection, email: str) -> AdminRow:
    row = store.find_admin_by_email(connection, fold(email))
    if row is None:
        raise NoSuchThing(f"there is no account {email!r}; scimsvc admin list shows those that there are")
    return row


def _admin(row: AdminRow) -> Admin:
    return Admin(row.id, row.email, row.enterprise_id, row.epoch)


def _represent(row: AdminRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "email": row.email,
        "enterprise": row.enterprise,
        "has_password": row.password_hash is not None,
        "link_expires_at": row.link_expires_at,
        "created_at": row.created_at,
        "signed_in_at": row.signed_in_at,
    }
