"""Write the change feed: each change of a user or a group is added in its own transaction (contract section 8)."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from scimsvc.protocol.json_text import write_names
from scimsvc.store import feed
from scimsvc.store.engine.transactions import Connection
from scimsvc.store.feed import ChangeRow
from scimsvc.vocabulary import DISABLED, ENABLED, MEMBERS_ADDED, MEMBERS_REMOVED, TAKEN_OVER, UPDATED


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


class GroupChange(NamedTuple):
    """A change of one group: of its attributes (``changed``), or of its ``members``."""

    type: str
    group_id: str
    group: str
    changed: Sequence[str] = ()
    #: The IDs of the users who joined or left.
    members: Sequence[str] = ()


def change_type(*, taken_over: bool, active: bool, was_active: bool) -> str:
    """Return the type of a change of an existing user. A change of ``active`` takes precedence."""
    if active != was_active:
        return ENABLED if active else DISABLED
    return TAKEN_OVER if taken_over else UPDATED


def record_change(connection: Connection, enterprise_id: str, change: UserChange, *, at: str) -> None:
    """Add ``change`` with the time ``at`` to the feed."""
    feed.insert_changes(connection, enterprise_id, [change_row(change, at=at)])


def record_changes(connection: Connection, enterprise_id: str, changes: Sequence[UserChange], *, at: str) -> None:
    """Add ``changes`` in order, all with the time ``at``, to the feed."""
    if changes:
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


#: The IDs of members in one entry (contract section 8).
MEMBERS_AT_ONCE = 1_000


def membership_changes(
    group_id: str, group: str, *, added: Sequence[str] = (), removed: Sequence[str] = ()
) -> list[GroupChange]:
    """Return the changes of members as entries, those who left first."""
    sides = ((MEMBERS_REMOVED, removed), (MEMBERS_ADDED, added))
    return [GroupChange(type_, group_id, group, members=members) for type_, members in sides if members]


def record_group_changes(
    connection: Connection, enterprise_id: str, changes: Sequence[GroupChange], *, at: str
) -> None:
    """Add ``changes`` in order, all with the time ``at``, to the feed. Many members take several entries."""
    rows = [row for change in changes for row in _group_rows(change, at)]
    if rows:
        feed.insert_changes(connection, enterprise_id, rows)


def _group_rows(change: GroupChange, at: str) -> Iterator[ChangeRow]:
    for start in range(0, max(1, len(change.members)), MEMBERS_AT_ONCE):
        members = change.members[start : start + MEMBERS_AT_ONCE]
        yield ChangeRow(
            time=at,
            type=change.type,
            user_id="",
            email="",
            changed=write_names(change.changed),
            role="",
            active=False,
            old_role=None,
            old_active=None,
            origin=None,
            group_id=change.group_id,
            group_name=change.group,
            members=write_names(members) if members else None,
        )
