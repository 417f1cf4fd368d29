"""Write the provisioning log: one entry for every SCIM write, successful or refused (contract section 9).

A successful write is logged in its own transaction, so that changes and entries always correspond. A refusal is logged
after the rollback. If this fails, the response to the client stays the same.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from scimsvc import clock
from scimsvc.activity.feed_writing import GroupChange, UserChange, change_row, record_group_changes
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.json_text import is_storable, with_storable_characters, write_json, write_names
from scimsvc.protocol.reasons import Reason
from scimsvc.store.engine.outages import DATABASE_ERRORS
from scimsvc.store.engine.transactions import Connection, writing
from scimsvc.store.log import LogRow, insert_entry, new_entry_id
from scimsvc.store.people import find_person
from scimsvc.store.recording import insert_entry_and_change
from scimsvc.vocabulary import OK, REFUSED

#: The name of an attribute, its old value and its new value.
Difference = tuple[str, str | None, str | None]

_logger = logging.getLogger("scimsvc")


@dataclass(slots=True, kw_only=True)
class LogEntry:
    """The facts about a write that its request collected."""

    enterprise_id: str
    client_id: str
    request_id: str
    operation: str
    status: int
    duration_ms: float
    user_id: str | None = None
    email: str | None = None
    #: Of whom a refused request is about.
    user_name: str | None = None
    external_id: str | None = None
    #: The ID and the displayName of the group.
    group_id: str | None = None
    group: str | None = None
    #: The type of the change in the change feed; None if nothing changed.
    effect: str | None = None
    changed: Iterable[str] = ()
    tolerances: Iterable[str] = ()
    ignored: Iterable[str] = ()
    #: Name, old value and new value of the most important attributes that changed.
    differences: Sequence[Difference] = ()
    #: The error of a refusal, or which values a disabled user kept.
    detail: str | None = None
    # Only for a refusal:
    scim_type: str | None = None
    reason: Reason | None = None
    #: The unknown role value.
    role_value: str | None = None
    #: The ID of the user who has the wanted address or userName.
    holder_id: str | None = None


def record_write(connection: Connection, entry: LogEntry, change: UserChange | None, *, at: datetime) -> None:
    """Log a successful write at the time ``at``, and add its ``change`` to the feed unless it is None.

    Call it last, because it locks the feed until the transaction ends.
    """
    if change is None:
        insert_entry(connection, entry.enterprise_id, _entry_row(entry, OK, at))
        return
    feed_row = change_row(change, at=clock.timestamp(at))
    # The same names in log and feed are written once, and so is the time.
    row = _entry_row(entry, OK, at, feed_row.time, feed_row.changed)
    insert_entry_and_change(connection, entry.enterprise_id, row, feed_row)


def record_group_write(
    connection: Connection, entry: LogEntry, changes: Sequence[GroupChange], *, at: datetime
) -> None:
    """Log a successful write to a group at the time ``at``, and add its ``changes`` to the feed in order."""
    record_group_changes(connection, entry.enterprise_id, changes, at=clock.timestamp(at))
    insert_entry(connection, entry.enterprise_id, _entry_row(entry, OK, at))


def record_refusal(entry: LogEntry) -> None:
    """Log a refused write. A database error causes only a warning."""
    if entry.user_id is not None:  # a path may contain an ID that no user has
        entry.user_id = with_storable_characters(entry.user_id[:_LONGEST_TEXT])
    if entry.group_id is not None:
        entry.group_id = with_storable_characters(entry.group_id[:_LONGEST_TEXT])
    entry.user_name, entry.external_id = _storable(entry.user_name), _storable(entry.external_id)
    now = clock.now()
    try:
        with writing() as connection:
            _name_person(connection, entry)
            insert_entry(connection, entry.enterprise_id, _entry_row(entry, REFUSED, now))
    except DATABASE_ERRORS as error:
        cause = getattr(error, "orig", None) or error
        _logger.warning(
            "cannot add a refused request to the provisioning log: %s (request %s)",
            type(cause).__name__,
            entry.request_id,
        )


def _name_person(connection: Connection, entry: LogEntry) -> None:
    """Complete whom the refused request of ``entry`` is about from the stored user, or from an earlier entry."""
    person = find_person(connection, entry.enterprise_id, entry.user_id) if entry.user_id else None
    if person is not None:
        entry.email = person.email or entry.email
        entry.user_name = person.user_name or entry.user_name
        entry.external_id = person.external_id or entry.external_id


#: The characters that an entry keeps of the ID in a path and of an unknown role value. Names of roles are shorter.
_LONGEST_TEXT = 512


def _entry_row(
    entry: LogEntry, outcome: str, at: datetime, time: str | None = None, changed: str | None = None
) -> LogRow:
    """Return the row of ``entry``. ``time`` and ``changed`` are their texts, if they are known."""
    email = entry.email if entry.email and is_storable(entry.email) else None
    role_value = entry.role_value[:_LONGEST_TEXT] if entry.role_value else None
    return LogRow(
        id=new_entry_id(at),
        time=time or clock.timestamp(at),
        operation=entry.operation,
        user_id=entry.user_id or None,
        email=email,
        email_key=fold(email) if email else None,
        user_name=entry.user_name,
        external_id=entry.external_id,
        group_id=entry.group_id[:_LONGEST_TEXT] if entry.group_id else None,
        group_name=entry.group if entry.group and is_storable(entry.group) else None,
        outcome=outcome,
        status=entry.status,
        scim_type=entry.scim_type,
        detail=entry.detail,
        effect=entry.effect,
        cause=entry.reason,
        role_value=role_value,
        role_key=fold(role_value) if role_value else None,
        holder_id=entry.holder_id,
        changed=changed or write_names(entry.changed),
        tolerances=write_names(entry.tolerances),
        ignored=write_names(entry.ignored) if entry.ignored else "[]",
        differences=write_json(entry.differences) if entry.differences else None,
        client_id=entry.client_id,
        request_id=entry.request_id,
        duration_ms=entry.duration_ms,
        dismissed_at=None,
    )


def _storable(text: str | None) -> str | None:
    return text if text and is_storable(text) else None
