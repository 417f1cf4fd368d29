"""Sessions of the console: begun by signing in, and kept in the database until they end.

The browser has a random ID, of which the database stores only a digest. A session ends when its row is deleted, when
the epoch of its account increases, half an hour after its last request, and at the latest after twelve hours.
"""

import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from scimsvc import clock
from scimsvc.activity.audit import Difference, audited
from scimsvc.auth.attempts import Limit, give_back
from scimsvc.auth.lanes import LANE, lane_of_account
from scimsvc.auth.tokens import digest_secret
from scimsvc.enterprises.admin_records import record_account
from scimsvc.enterprises.admins import Admin, refuse_unless_all_enterprises, refuse_unless_operator, signed_in
from scimsvc.errors import InvalidInput, NoSuchThing
from scimsvc.store import sessions as store
from scimsvc.store.admins import end_sessions as next_epoch
from scimsvc.store.admins import find_admin
from scimsvc.store.engine.outages import DATABASE_ERRORS
from scimsvc.store.engine.retries import retried
from scimsvc.store.engine.transactions import Connection, reading, writing
from scimsvc.store.sessions import IDLE, LONGEST_SESSION, AdminMissing, NewSession, SessionOfAdmin, SessionRow
from scimsvc.vocabulary import Action

__all__ = ["IDLE", "LONGEST_SESSION"]

#: How long after a sign-in or a confirmation the password is not asked for again.
CONFIRMED = timedelta(minutes=10)
#: The last use of a session is written at most this often, so that most requests write nothing.
NOTED_EVERY = timedelta(minutes=1)
#: The sessions of an account. A further one ends the session that was not used for the longest time.
MOST_SESSIONS = 20
#: The sessions that an operator sees at once.
MOST_LISTED = 200
LONGEST_USER_AGENT = 200
#: The member of a session's cookie that has its random ID.
ID = "id"


class Client(NamedTuple):
    """The browser that begins a session."""

    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Session:
    """The session of a request, and its account."""

    id: str
    admin: Admin
    seen_at: datetime
    confirmed_at: datetime

    @property
    def is_confirmed(self) -> bool:
        """Whether the password was entered recently."""
        return timedelta(0) <= clock.now() - self.confirmed_at < CONFIRMED


@retried
def begin_session(admin: Admin, client: Client, *, previous: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Begin a session of the account, and return the content of its cookie. End the session of the cookie ``previous``.

    Raises ``InvalidInput`` if the account was removed.
    """
    now = clock.now()
    secret, at = _new_secret(), clock.timestamp(now)
    session = NewSession(
        id=_digest(secret),
        admin_id=admin.id,
        epoch=admin.epoch,
        started_at=at,
        seen_at=at,
        confirmed_at=at,
        address=client.address,
        user_agent="".join(filter(str.isprintable, client.user_agent))[:LONGEST_USER_AGENT],
    )
    try:
        with writing() as connection:
            if previous is not None and ID in previous:
                store.delete_session(connection, _digest(previous[ID]))
            _end_surplus(connection, admin, now)
            store.insert_session(connection, session)
    except AdminMissing:
        raise InvalidInput("This account was removed. Ask the operator of this service for another one.") from None
    return {ID: secret, LANE: lane_of_account(admin.id, admin.enterprise_id)}


def _end_surplus(connection: Connection, admin: Admin, now: datetime) -> None:
    store.delete_ended_sessions(connection, admin.id, epoch=admin.epoch, now=now)
    for row in store.list_sessions(connection, admin.id, now=now)[MOST_SESSIONS - 1 :]:
        store.delete_session(connection, row.id)


def resume_session(cookie: Mapping[str, Any]) -> Session | None:
    """Return the session of the ``cookie``, or None if no session was begun or it has ended."""
    if ID not in cookie:
        return None
    row = store.read_session(_digest(cookie[ID]), now=clock.now())
    return _session(row) if row is not None else None


def needs_note(session: Session) -> bool:
    """Return whether it is time to note that the session is used."""
    return clock.now() - session.seen_at >= NOTED_EVERY


def note_use(session: Session) -> None:
    """Note that the session is used now. If the database cannot be written, only this is lost."""
    with suppress(*DATABASE_ERRORS):
        _note_use(session)


@retried
def _note_use(session: Session) -> None:
    with writing() as connection:
        store.update_session_use(connection, session.id, at=clock.timestamp(clock.now()))


@audited
def confirm_session(session: Session, limits: list[Limit]) -> dict[str, Any]:
    """Note that the right password was entered, give back the attempt, and return members of the session's new cookie.

    The session has a new ID from now on. Raises ``InvalidInput`` if it has ended.
    """
    secret = _new_secret()
    with writing() as connection:
        row = store.find_session(connection, session.id, now=clock.now())
        at = clock.timestamp(clock.now())
        if row is None or not store.renew_session(connection, session.id, new_id=_digest(secret), at=at):
            raise InvalidInput("Your session has ended. Sign in again.")
        record_account(connection, Action.ADMIN_CONFIRMED, row.admin)
        give_back(connection, limits)
    return {ID: secret}


# Listing and ending sessions.


def list_sessions(admin_id: str) -> list[dict[str, Any]]:
    """Return the sessions of an account, the one that was used last first."""
    with reading() as connection:
        return [_represent(row) for row in store.list_sessions(connection, admin_id, now=clock.now())]


def list_all_sessions(admin: Admin) -> list[dict[str, Any]]:
    """Return the newest sessions of all accounts, each with its ``account`` and ``enterprise``.

    Raises ``NoSuchThing`` for accounts of one enterprise.
    """
    refuse_unless_all_enterprises(admin)
    with reading() as connection:
        rows = store.list_all_sessions(connection, now=clock.now(), limit=MOST_LISTED)
    return [_represent(row.session) | {"account": row.admin.email, "enterprise": row.admin.enterprise} for row in rows]


@audited
def sign_out(session: Session) -> None:
    """End the session."""
    with writing() as connection:
        store.delete_session(connection, session.id)
        _record(connection, Action.ADMIN_SIGNED_OUT, session.admin.id)


@audited
def sign_out_everywhere(admin_id: str) -> None:
    """End every session of the account."""
    with writing() as connection:
        next_epoch(connection, admin_id)
        store.delete_sessions(connection, admin_id)
        _record(connection, Action.ADMIN_SIGNED_OUT_EVERYWHERE, admin_id)


def end_any_session(admin: Admin, session_id: str) -> str:
    """End a session of any account as an operator, and return the address of the account. Raises ``NoSuchThing``."""
    refuse_unless_operator(admin)
    return end_session(None, session_id)


@audited
def end_session(admin_id: str | None, session_id: str) -> str:
    """End a session of the account, or of any account for None, and return the address of the account.

    Raises the same ``NoSuchThing`` for a session that has ended as for one of another account.
    """
    with writing() as connection:
        row = store.find_session(connection, session_id, now=clock.now())
        if row is None or admin_id not in (None, row.admin.id):
            raise NoSuchThing("This session has ended already. Reload the page of sessions.")
        store.delete_session(connection, session_id)
        _record(connection, Action.ADMIN_SESSIONS_ENDED, row.admin.id, 1)
        return row.admin.email


@audited
def end_sessions(admin_id: str, *, except_id: str = "") -> int:
    """End the sessions of an account, except one, and return their number."""
    with writing() as connection:
        rows = store.list_sessions(connection, admin_id, now=clock.now())
        number = sum(row.id != except_id for row in rows)
        store.delete_sessions(connection, admin_id, except_id=except_id)
        _record(connection, Action.ADMIN_SESSIONS_ENDED, admin_id, number)
        return number


def _record(connection: Connection, action: Action, admin_id: str, number: int | None = None) -> None:
    row = find_admin(connection, admin_id)
    if row is not None:  # the account was not removed meanwhile
        difference = Difference(after={"sessions": number}) if number is not None else Difference()
        record_account(connection, action, row, difference)


def _session(row: SessionOfAdmin) -> Session:
    return Session(
        row.session.id,
        signed_in(row.admin),
        clock.parse_timestamp(row.session.seen_at),
        clock.parse_timestamp(row.session.confirmed_at),
    )


def _represent(row: SessionRow) -> dict[str, Any]:
    members = ("id", "started_at", "seen_at", "address", "user_agent")
    return {name: getattr(row, name) for name in members}


def _new_secret() -> str:
    return secrets.token_urlsafe(32)


#: Digits of a stored digest. 128 bits are enough, because a browser would have to find the text of a given digest.
_DIGITS = 32


def _digest(secret: str) -> str:
    return digest_secret(secret)[:_DIGITS]
