"""The consequences of a change of a role for its users: their effective values, and entries in the feed.

A role that is renamed, that begins to restrict editing, or that becomes the default changes each of its users.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from scimsvc import clock
from scimsvc.activity.feed_writing import UserChange, record_changes
from scimsvc.mapping.effective_values import effective_values
from scimsvc.protocol.resources import work_address
from scimsvc.store.representations import directory_values, read_document
from scimsvc.store.roles import RoleUser, iterate_role_users
from scimsvc.store.tenancy import Tenant
from scimsvc.store.user_writes import EffectiveValues, update_effective_values
from scimsvc.vocabulary import BY_ROLE, PROVISIONED, UPDATED


@dataclass(frozen=True, slots=True)
class RoleChange:
    """A change of a role: its name before and after, and whether it restricts editing afterwards."""

    old_name: str
    new_name: str
    restricts: bool


def apply_role_change(tenant: Tenant, role_ids: Sequence[str | None], change: RoleChange) -> None:
    """Apply ``change`` to the users who have one of ``role_ids``, where None stands for the default role.

    Under a role that restricts editing, the directory values replace effective values that differ.
    """
    at = clock.timestamp(clock.now())
    for rows in iterate_role_users(tenant.connection, tenant.id, role_ids):
        changed = [pair for pair in (_changed_user(row, change) for row in rows) if pair is not None]
        if changed:
            update_effective_values(tenant.connection, tenant.id, [values for values, _ in changed], at=at)
            record_changes(tenant.connection, tenant.id, [entry for _, entry in changed], at=at)


def _changed_user(row: RoleUser, change: RoleChange) -> tuple[EffectiveValues, UserChange] | None:
    """Return the user's effective values and the entry in the feed, or None if nothing changes for the user."""
    document, before = read_document(row), (row.title, row.organization)
    directory = directory_values(document)
    restricted = change.restricts and row.source == PROVISIONED
    title, organization = effective_values(directory, directory, before, restricted=restricted)
    pairs = zip(("title", "organization"), before, (title, organization), strict=True)
    names = [name for name, old, new in pairs if old != new]
    if change.new_name != change.old_name:
        names.append("roles")
    if not names:
        return None
    entry = UserChange(
        type=UPDATED,
        user_id=row.id,
        email=work_address(document),
        changed=names,
        role=change.new_name,
        active=row.active,
        old_role=change.old_name,
        old_active=row.active,
        origin=BY_ROLE,
    )
    return EffectiveValues(row.id, title, organization), entry
