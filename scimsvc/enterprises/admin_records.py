"""Record accounts, sign-ins and refused sign-ins in the audit log.

Strangers cause refused sign-ins, so that their entries are limited: for each account, and for all addresses without an
account. Each recorded entry says how many before it were not recorded.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from flask import Flask

from scimsvc import clock
from scimsvc.activity.audit import NO_MEMBERS, AuditLog, Difference, Target, audited
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.json_text import is_storable
from scimsvc.protocol.users import is_email_address
from scimsvc.store.admins import AdminRow, find_admin_by_email
from scimsvc.store.audit import INSTALLATION
from scimsvc.store.engine.outages import DATABASE_ERRORS
from scimsvc.store.engine.transactions import Connection, reading, writing
from scimsvc.vocabulary import CONSOLE, Action
from scimsvc.web.state import Actor, AppState

_logger = logging.getLogger("scimsvc")

#: The key of addresses without an account.
_UNKNOWN = ""
#: The longest address that is recorded (RFC 5321 §4.5.3.1.3, without the brackets).
_LONGEST_ADDRESS = 254


def record_account(
    connection: Connection,
    action: Action,
    row: AdminRow,
    difference: Difference = NO_MEMBERS,
    *,
    actor: Actor | None = None,
) -> None:
    """Record ``action`` on the account in the audit log of its enterprise, or of the installation for an operator."""
    log = AuditLog(connection, row.enterprise_id or INSTALLATION, row.enterprise)
    log.record(action, Target(row.id, row.email), difference, actor=actor)


@dataclass(slots=True)
class _Hour:
    """The refused sign-ins of one account since a time."""

    since: datetime
    recorded: int = 0
    unrecorded: int = 0


class RefusalAllowance:
    """Limits the entries about refused sign-ins of each account in an hour."""

    MOST = 20
    WINDOW = timedelta(hours=1)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hours: dict[str, _Hour] = {}

    def take(self, key: str) -> int | None:
        """Count one refusal. Return the number of refusals without an entry before it, or None if it gets no entry."""
        now = clock.now()
        with self._lock:
            hour = self._hours.setdefault(key, _Hour(now))
            if not timedelta(0) <= now - hour.since < self.WINDOW:
                hour.since, hour.recorded = now, 0
            if hour.recorded == self.MOST:
                hour.unrecorded += 1
                return None
            hour.recorded += 1
            unrecorded, hour.unrecorded = hour.unrecorded, 0
            return unrecorded


refusal_allowance: AppState[RefusalAllowance] = AppState("recorded sign-in refusals")


def refused_sign_in_recorder(app: Flask, email: str, *, reason: str) -> Callable[[], None]:
    """Return a function that records a refused sign-in, if the allowance of ``app`` permits.

    Call it after the response is sent, because the response time must not show whether the account exists.
    """
    return partial(_record_refused_sign_in, refusal_allowance.of(app), email.strip(), reason)


def _record_refused_sign_in(allowance: RefusalAllowance, email: str, reason: str) -> None:
    """Record a refused sign-in if ``allowance`` permits. A database error causes only a warning."""
    try:
        with reading() as connection:
            row = find_admin_by_email(connection, fold(email)) if is_storable(email) else None
        unrecorded = allowance.take(row.id if row is not None else _UNKNOWN)
        if unrecorded is not None:
            omitted = {"not_recorded": unrecorded} if unrecorded else {}
            _insert_refusal(row, email, Difference(after={"reason": reason} | omitted))
    except DATABASE_ERRORS as error:
        cause = getattr(error, "orig", None) or error
        _logger.warning("cannot add a refused sign-in to the audit log: %s", type(cause).__name__)


@audited
def _insert_refusal(row: AdminRow | None, email: str, difference: Difference) -> None:
    action = Action.ADMIN_SIGN_IN_REFUSED
    with writing() as connection:
        if row is not None:
            record_account(connection, action, row, difference, actor=Actor(CONSOLE, row.email, row.id))
        else:
            name = _address_or_unknown(email)
            actor = Actor(CONSOLE, name, None)
            AuditLog(connection).record(action, Target(None, name), difference, actor=actor)


def _address_or_unknown(text: str) -> str:
    """Return ``text`` if it is an address. People type passwords into the wrong field, and these are not recorded."""
    is_address = len(text) <= _LONGEST_ADDRESS and is_email_address(text) and text.isprintable()
    return text if is_address else "unknown"
