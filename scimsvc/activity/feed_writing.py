"""The change feed, written: each change of a user is added in the transaction that makes it (contract section 8)."""

from collections.abc import Sequence
from typing import NamedTuple

from scimsvc.protocol.json_text import write_names
from scimsvc.store import feed
from scimsvc.store.engine.transactions import Connection
from scimsvc.store.feed import ChangeRow
from scimsvc.vocabulary import DISABLED, ENABLED, TAKEN_OVER, UPDATED


class UserChange(NamedTuple):
    """What happened to one user. A user who was created or deleted has only one side."""

    type: str
    user_id: str
    email: str
    changed: Sequence[str]
    role: str
    active: bool
    old_role: str | None = None
    old_active: bool | None = None
    #: Who changed the user outside SCIM (``vocabulary.BY_ADMINISTRATOR`` and so on); None where SCIM did.
    origin: str | None = None


def change_type(*, taken_over: bool, active: bool, was_active: bool) -> str:
    """Return the type of a change of a user who exists before and after; whether the user may work comes first."""
    if active != was_active:
        return ENABLED if active else DISABLED
    return TAKEN_OVER if taken_over else UPDATED


def record_change(connection: Connection, enterprise_id: str, change: UserChange, *, at: str) -> None:
    """Add ``change``, timed ``at``, to the feed."""
    feed.hold_feed(connection, enterprise_id)
    feed.insert_change(connection, enterprise_id, change_row(change, at=at))


def record_changes(connection: Connection, enterprise_id: str, changes: Sequence[UserChange], *, at: str) -> None:
    """Add many changes in their order, all timed ``at``."""
    if changes:
        feed.hold_feed(connection, enterprise_id)
        feed.insert_changes(connection, enterprise_id, [change_row(change, at=at) for change in changes])


def change_row(change: UserChange, *, at: str) -> ChangeRow:
    """Return ``change``, timed ``at``, as the feed stores it."""
    return ChangeRow(
        time=at,
        type=change.type,
        user_id=change.user_id,
        email=change.email,
        changed=write_names(change.changed),
        role=change.role,
        active=change.active,
        old_role=change.old_role,
        old_active=change.old_active,
        origin=change.origin,
    )
