"""The provisioning log: one entry for every SCIM write, done or refused (contract section 9).

What was done is logged in its own transaction, so that there is neither a change without an entry nor an entry
without a change. A refusal is logged after the rollback; where it cannot be logged it is answered all the same.
"""

import itertools
import json
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from scimsvc import clock
from scimsvc.auth.errors import Claims
from scimsvc.models import LogEntry, User
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.errors import ScimError
from scimsvc.protocol.json_text import is_storable, write_names
from scimsvc.protocol.reasons import Reason
from scimsvc.scim.request import ScimRequest
from scimsvc.store import queries
from scimsvc.store.fast.prepared import Prepared
from scimsvc.store.global_settings import read_global_settings
from scimsvc.store.paging import Page
from scimsvc.store.retries import retried
from scimsvc.store.tenancy import Tenant, reading_in
from scimsvc.store.transactions import reading, writing
from scimsvc.vocabulary import AUTHENTICATE, OK, REFUSED

_log = logging.getLogger("scimsvc")
INSERT_ENTRY = Prepared(insert(LogEntry))
_sequence = itertools.count()
_SEQUENCE_BITS = 0xFFFFFFFF


def success_parameters(request: ScimRequest, *, status: int, at: datetime) -> dict[str, Any]:
    """Return the parameters of ``INSERT_ENTRY`` for a write that is done, in whose transaction it is to be logged."""
    return _entry(request, at, OK, status)


def record_refusal(request: ScimRequest, error: ScimError) -> None:
    """Log that the write was refused with ``error``; a log that cannot be written is worth no more than a warning."""
    value = request.attempt.role_value if error.reason is Reason.UNKNOWN_ROLE else None
    refusal = {"scim_type": error.scim_type, "detail": error.detail, "cause": error.reason}
    about = {"role_value": value, "role_key": fold(value) if value else None}
    entry = _entry(request, clock.now(), REFUSED, error.status) | refusal | about
    _insert_whatever_happens(entry, request.request_id)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is known of a request that was refused before anything was tried; ``started`` by ``time.perf_counter``."""

    status: int
    detail: str
    cause: Reason
    request_id: str
    started: float


class Allowance:
    """Lets so many entries an hour through for each client, so that a broken one does not fill the log."""

    MOST = 20
    WINDOW = timedelta(hours=1)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hours: dict[tuple[str, str], tuple[datetime, int]] = {}

    def may_log(self, enterprise_id: str, client_id: str) -> bool:
        """Count one entry, and tell whether it may be written."""
        now, key = clock.now(), (enterprise_id, client_id)
        with self._lock:
            since, count = self._hours.get(key, (now, 0))
            if not timedelta(0) <= now - since < self.WINDOW:
                since, count = now, 0
            self._hours[key] = (since, count + 1)
        return count < self.MOST


def record_refused_client(allowance: Allowance, enterprise_id: str, client_id: str, refusal: Refusal) -> None:
    """Log that a client of the enterprise was refused, where ``allowance`` lets it."""
    if not allowance.may_log(enterprise_id, client_id):
        return
    now = clock.now()
    entry = _EMPTY | {
        "enterprise_id": enterprise_id,
        "id": entry_id(now),
        "time": clock.timestamp(now),
        "operation": AUTHENTICATE,
        "outcome": REFUSED,
        "status": refusal.status,
        "detail": refusal.detail,
        "cause": refusal.cause,
        "client_id": client_id,
        "request_id": refusal.request_id,
        "duration_ms": round((time.perf_counter() - refusal.started) * 1000, 1),
    }
    _insert_whatever_happens(entry, refusal.request_id)


def record_refused_token(allowance: Allowance, claims: Claims, refusal: Refusal) -> None:
    """Log that a token was refused which this service issued, to the client that it was issued to."""
    try:
        with reading() as connection:
            own = {"enterprise_id": claims.enterprise_id, "id": claims.token_id}
            row = queries.BEARER.row(connection, own)
    except (DBAPIError, PoolTimeout):
        return  # the database cannot be read, and the refusal's entry could not be written either
    if row is not None:
        record_refused_client(allowance, claims.enterprise_id, row.client_id, refusal)


def _entry(request: ScimRequest, at: datetime, outcome: str, status: int) -> dict[str, Any]:
    attempt, notes = request.attempt, request.notes
    email = attempt.email if attempt.email and is_storable(attempt.email) else None
    return {
        "enterprise_id": request.caller.enterprise_id,
        "id": entry_id(at),
        "time": clock.timestamp(at),
        "operation": attempt.operation,
        "user_id": attempt.user_id,
        "email": email,
        "email_key": fold(email) if email else None,
        "outcome": outcome,
        "status": status,
        "scim_type": None,
        "detail": None,
        "effect": attempt.effect if outcome == OK else None,
        "cause": None,
        "role_value": None,
        "role_key": None,
        "changed": write_names(attempt.changed) if outcome == OK else "[]",
        "tolerances": write_names(notes.tolerances),
        "ignored": write_names(notes.ignored),
        "client_id": request.caller.client_id,
        "request_id": request.request_id,
        "duration_ms": request.duration_ms,
    }


_EMPTY = {
    "user_id": None, "email": None, "email_key": None, "scim_type": None, "effect": None,
    "role_value": None, "role_key": None,
    "changed": "[]", "tolerances": "[]", "ignored": "[]",
}  # fmt: skip


def entry_id(at: datetime) -> str:
    """Return a new id, which begins with its time and follows those that this process gave before."""
    return f"{_milliseconds(at):012x}{next(_sequence) & _SEQUENCE_BITS:08x}{random.getrandbits(48):012x}"  # no secret


def first_id(at: datetime) -> str:
    """Return what the ids of entries from ``at`` on follow."""
    return f"{max(0, _milliseconds(at)):012x}"


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _insert_whatever_happens(entry: dict[str, Any], request_id: str) -> None:
    try:
        with writing() as connection:
            INSERT_ENTRY.run(connection, entry)
    except (DBAPIError, PoolTimeout) as error:
        cause = getattr(error, "orig", None) or error
        _log.warning("a refusal cannot be logged: %s (request %s)", type(cause).__name__, request_id)


# Reading.


def list_entries(
    enterprise: str,
    *,
    outcome: str | None = None,
    operation: str | None = None,
    email: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: str | None = None,
    after: str | None = None,
    oldest_first: bool = False,
    limit: int,
    shown: Callable[[Any], dict[str, Any]] | None = None,
) -> Page:
    """Return the newest entries that meet the conditions, newest first; ``Page.next`` is the last one's id.

    An ``email`` is that of an entry or of the user that it is about, without regard to case. ``before`` and ``after``
    are ids: those of entries older and newer than the one. With ``oldest_first`` the oldest ones are returned.
    ``shown`` makes of a row what is told of it, unless it is what the enterprise API tells.
    """
    with reading_in(enterprise) as tenant:
        order = LogEntry.id if oldest_first else LogEntry.id.desc()
        statement = select(LogEntry).where(LogEntry.enterprise_id == tenant.id).order_by(order)
        if outcome is not None:
            # A literal, so that the database sees that the index of refusals serves.
            statement = statement.where(text("outcome = 'refused'" if outcome == REFUSED else "outcome = 'ok'"))
        if outcome == REFUSED and email is None:
            statement = queries.by_refusals(statement)
        if operation is not None:
            statement = statement.where(LogEntry.operation == operation)
        if email is not None:
            statement = statement.where(LogEntry.id.in_(_about(tenant, fold(email))))
        if since is not None:
            statement = statement.where(LogEntry.id >= first_id(since))
        if until is not None:
            statement = statement.where(LogEntry.id < f"{_milliseconds(until) + 1:012x}")
        if before is not None:
            statement = statement.where(LogEntry.id < before)
        if after is not None:
            statement = statement.where(LogEntry.id > after)
        return Page.of(
            tenant.connection.execute(statement.limit(limit + 1)).all(),
            limit,
            shown or shown_entry,
            key=lambda row: row.id,
        )


def _about(tenant: Tenant, email_key: str) -> Any:
    """Return the ids of entries with an address, and of those about the user who has it: two looks into indexes."""
    of_tenant = LogEntry.enterprise_id == tenant.id
    user = select(User.id).where(User.enterprise_id == tenant.id, User.email_key == email_key)
    by_address = select(LogEntry.id).where(of_tenant, LogEntry.email_key == email_key)
    return by_address.union(select(LogEntry.id).where(of_tenant, LogEntry.user_id.in_(user)))


def shown_entry(row: Any) -> dict[str, Any]:
    """Return an entry as the enterprise API and the commands show it."""
    return {
        "id": row.id,
        "time": row.time,
        "operation": row.operation,
        "user_id": row.user_id,
        "email": row.email,
        "outcome": row.outcome,
        "status": row.status,
        "scim_type": row.scim_type,
        "detail": row.detail,
        "changed": json.loads(row.changed),
        "tolerances": json.loads(row.tolerances),
        "ignored": json.loads(row.ignored),
        "client_id": row.client_id,
        "request_id": row.request_id,
        "duration_ms": row.duration_ms,
    }


def follow_entries(
    enterprise: str, *, since: datetime, wait: Callable[[], bool], **conditions: Any
) -> Iterator[dict[str, Any]]:
    """Yield entries from ``since`` on, oldest first, as they come, until ``wait`` says that it is enough.

    An entry may be committed later than one with a later time: the last seconds are looked at again each time.
    """
    shown: dict[str, datetime] = {}
    while True:
        now = clock.now()
        for entry in _entries_since(enterprise, since, conditions):
            if entry["id"] not in shown:
                shown[entry["id"]] = now
                yield entry
        since = max(since, now - _COMMITTED_WITHIN)
        shown = {each: at for each, at in shown.items() if now - at < 2 * _COMMITTED_WITHIN}
        if not wait():
            return


def _entries_since(enterprise: str, since: datetime, conditions: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    after: str | None = None
    while True:
        page = list_entries(enterprise, since=since, after=after, oldest_first=True, limit=_READ_AT_ONCE, **conditions)
        yield from page.items
        if page.next is None:
            return
        after = page.next


_READ_AT_ONCE = 1000
_COMMITTED_WITHIN = timedelta(seconds=30)


# Pruning.


def prune_log(older_than: timedelta | None = None) -> Iterator[int]:
    """Delete entries older than ``older_than``, or than ``log_days``, and yield how many went in each transaction.

    The transactions are small: others write between them, and whoever stops asking stops the pruning.
    """
    end = _end(older_than)
    with reading() as connection:
        enterprise_ids = [row.id for row in connection.execute(queries.ENTERPRISES)]
    for enterprise_id in enterprise_ids:
        while count := _prune_some(enterprise_id, end):
            yield count


def count_prunable_entries(older_than: timedelta | None = None) -> int:
    """Return how many entries ``prune_log`` would delete."""
    with reading() as connection:
        count = select(func.count()).select_from(LogEntry).where(LogEntry.id < _end(older_than))
        return int(connection.execute(count).scalar_one())


def _end(older_than: timedelta | None) -> str:
    """Return what the ids of younger entries follow."""
    if older_than is None:
        with reading() as connection:
            older_than = timedelta(days=read_global_settings(connection)["log_days"])
    return first_id(clock.now() - older_than)


@retried
def _prune_some(enterprise_id: str, end: str) -> int:
    own = LogEntry.enterprise_id == enterprise_id
    with writing() as connection:
        oldest = select(LogEntry.id).where(own, LogEntry.id < end).order_by(LogEntry.id).limit(_PRUNED_AT_ONCE)
        ids = connection.execute(oldest).scalars().all()
        if not ids:
            return 0
        connection.execute(delete(LogEntry).where(own, LogEntry.id <= ids[-1]))
        return len(ids)


_PRUNED_AT_ONCE = 1000
