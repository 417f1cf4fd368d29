"""Write the change feed: each change of a user is added in its own transaction (contract section 8)."""

from collections.abc import Sequence
from typing import NamedTuple

from scimsvc.protocol.json_text import write_names
from scimsvc.store import feed
from scimsvc.store.engine.transactions import Connection
from scimsvc.store.feed import ChangeRow
from scimsvc.vocabulary import DISABLED, ENABLED, TAKEN_OVER, UPDATED


class UserChange(NamedTuple):
    """A change of one user. The ``old_`` members are None for a new user."""

    type: str
    user_id: str
    email: str
    changed: Sequence[str]
    role: str
    active: bool
    old_role: str | None = None
    old_active: bool | None = None
    #: The origin of a change outside SCIM, such as ``vocabulary.BY_ADMINISTRATOR``; None for SCIM.
    origin: str | None = None


def change_type(*, taken_over: bool, active: bool, was_active: bool) -> str:
    """Return the type of a change of an existing user. A change of ``active`` takes precedence."""
    if active != was_active:
        return ENABLED if active else DISABLED
    return TAKEN_OVER if taken_over else UPDATED


def record_change(connection: Connection, enterprise_id: str, change: UserChange, *, at: str) -> None:
    """Add ``change`` with the time ``at`` to the feed."""
    feed.hold_feed(connection, enterprise_id)
    feed.insert_change(connection, enterprise_id, change_row(change, at=at))


def record_changes(connection: Connection, enterprise_id: str, changes: Sequence[UserChange], *, at: str) -> None:
    """Add ``changes`` in order, all with the time ``at``, to the feed."""
    if changes:
        feed.hold_feed(connection, enterprise_id)
        feed.insert_changes(connection, enterprise_id, [change_row(change, at=at) for change in changes])


def change_row(change: UserChange, *, at: str) -> ChangeRow:
    """Return the row of ``change`` with the time ``at``."""
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
