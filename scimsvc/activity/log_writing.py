"""The provisioning log, written: one entry for every SCIM write, done or refused (contract section 9).

A write that is done is logged in its own transaction, so that there is neither a change without an entry nor an entry
without a change. A refusal is logged after the rollback. If it cannot be logged, it is answered all the same.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from scimsvc import clock
from scimsvc.activity.feed_writing import UserChange, change_row
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.json_text import is_storable, write_names
from scimsvc.protocol.reasons import Reason
from scimsvc.store.engine.outages import DATABASE_ERRORS
from scimsvc.store.engine.transactions import Connection, writing
from scimsvc.store.log import LogRow, insert_entry, new_entry_id
from scimsvc.vocabulary import OK, REFUSED

#: An entry is committed at most this long after the time that it bears, measured with the clock of any process of the
#: deployment. Three statements follow (the user's row, the entry, the commit), each behind a pause of the process.
#: PostgreSQL ends a statement after 30 seconds and a pause after 60 (``extensions``), which makes four and a half
#: minutes. The rest is for clocks that differ.
COMMITTED_WITHIN = timedelta(minutes=5)

_logger = logging.getLogger("scimsvc")


@dataclass(slots=True, kw_only=True)
class LogEntry:
    """A write as its request knows it."""

    enterprise_id: str
    client_id: str
    request_id: str
    operation: str
    status: int
    duration_ms: float
    user_id: str | None = None
    email: str | None = None
    #: What happened to the user, as the change feed calls it; None where nothing did.
    effect: str | None = None
    changed: Iterable[str] = ()
    tolerances: Iterable[str] = ()
    ignored: Iterable[str] = ()
    # Of a refusal only:
    scim_type: str | None = None
    detail: str | None = None
    reason: Reason | None = None
    #: The role value that named no role.
    role_value: str | None = None


def record_write(connection: Connection, entry: LogEntry, change: UserChange | None, *, at: datetime) -> None:
    """Log that a write was done at the time ``at``, and add its change to the feed, which must be held.

    ``change`` is None where nothing changed.
    """
    row = change_row(change, at=clock.timestamp(at)) if change is not None else None
    insert_entry(connection, entry.enterprise_id, _entry_row(entry, OK, at), change=row)


def record_refusal(entry: LogEntry) -> None:
    """Log that a write was refused. An entry that cannot be written causes only a warning."""
    row = _entry_row(entry, REFUSED, clock.now())
    try:
        with writing() as connection:
            insert_entry(connection, entry.enterprise_id, row)
    except DATABASE_ERRORS as error:
        cause = getattr(error, "orig", None) or error
        _logger.warning("a refusal cannot be logged: %s (request %s)", type(cause).__name__, entry.request_id)


def _entry_row(entry: LogEntry, outcome: str, at: datetime) -> LogRow:
    email = entry.email if entry.email and is_storable(entry.email) else None
    return LogRow(
        id=new_entry_id(at),
        time=clock.timestamp(at),
        operation=entry.operation,
        user_id=entry.user_id,
        email=email,
        email_key=fold(email) if email else None,
        outcome=outcome,
        status=entry.status,
        scim_type=entry.scim_type,
        detail=entry.detail,
        effect=entry.effect,
        cause=entry.reason,
        role_value=entry.role_value,
        role_key=fold(entry.role_value) if entry.role_value else None,
        changed=write_names(entry.changed),
        tolerances=write_names(entry.tolerances),
        ignored=write_names(entry.ignored),
        client_id=entry.client_id,
        request_id=entry.request_id,
        duration_ms=entry.duration_ms,
    )
