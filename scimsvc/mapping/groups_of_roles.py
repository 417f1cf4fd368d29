"""The groups that give roles: change them, and apply the change to the members of these groups."""

from collections.abc import Iterable, Sequence
from typing import Any

from scimsvc import clock
from scimsvc.errors import Conflict, NoSuchThing
from scimsvc.protocol.attributes import fold
from scimsvc.store.role_groups import (
    GroupTaken,
    RoleGroupRow,
    delete_role_group,
    insert_role_group,
    list_groups_meant,
    list_role_groups,
)
from scimsvc.store.role_recomputation import Candidates, DefaultRole, recompute_roles
from scimsvc.store.roles import list_roles
from scimsvc.store.tenancy import Tenant


def list_groups_by_role(tenant: Tenant) -> dict[str, list[str]]:
    """Return the groups of each role by role ID: their displayNames, or the references of groups that do not exist."""
    groups: dict[str, list[str]] = {}
    for row in list_role_groups(tenant.connection, tenant.id):
        groups.setdefault(row.role_id, []).append(_shown(row))
    return groups


def change_groups(
    tenant: Tenant, role_id: str, *, only: Sequence[str] | None, add: Sequence[str], remove: Sequence[str]
) -> None:
    """Change the groups that give the role: ``only`` these if it is not None, then more and fewer.

    A group is named by its displayName, externalId or ID, also before it exists. Raises ``NoSuchThing`` for a group
    that does not give the role, and ``Conflict`` if it gives another role or if the name is ambiguous.
    """
    rows = [row for row in list_role_groups(tenant.connection, tenant.id) if row.role_id == role_id]
    surplus = [] if only is None else [row for row in rows if not any(_means(row, each) for each in only)]
    dropped = {row.reference_key: row for row in [*surplus, *(_get(tenant, rows, each) for each in remove)]}
    for key in dropped:
        delete_role_group(tenant.connection, tenant.id, key)
    kept = [row for row in rows if row.reference_key not in dropped]
    wanted = {fold(each): each for each in [*(only or ()), *add]}
    new = [each for each in wanted.values() if not any(_means(row, each) for row in kept)]
    bound = [_insert(tenant, role_id, each) for each in new]
    recompute_members(tenant, [*bound, *(row.group_id for row in dropped.values())])


def recompute_members(tenant: Tenant, group_ids: Iterable[str | None]) -> None:
    """Compute the roles of the members of the groups again. None, the ID of a group that does not exist, is ignored."""
    candidates = Candidates.of_groups(each for each in group_ids if each is not None)
    if candidates:
        row = tenant.row
        default = DefaultRole(row.default_role_id, row.default_role, restricts=row.default_restricts)
        recompute_roles(tenant.connection, tenant.id, candidates, default, at=clock.timestamp(clock.now()))


def list_group_ids(tenant: Tenant, role_id: str) -> list[str | None]:
    """Return the IDs of the groups that give the role."""
    return [row.group_id for row in list_role_groups(tenant.connection, tenant.id) if row.role_id == role_id]


def drop_groups(tenant: Tenant, role_id: str) -> None:
    """Let no group give the role any more."""
    change_groups(tenant, role_id, only=(), add=(), remove=())


def _shown(row: RoleGroupRow) -> str:
    return row.reference if row.name is None else row.name


def _means(row: RoleGroupRow, text: str) -> bool:
    """Return whether ``text`` means the group of ``row``."""
    names = {row.reference_key} | ({fold(row.name)} if row.name is not None else set())
    return fold(text) in names or text in (row.external_id, row.group_id)


def _get(tenant: Tenant, rows: Iterable[RoleGroupRow], text: str) -> RoleGroupRow:
    row = next((row for row in rows if _means(row, text)), None)
    if row is None:
        raise NoSuchThing(f"Group {text!r} does not give this role in {tenant.row.name}. Check the groups of the role.")
    return row


def _insert(tenant: Tenant, role_id: str, text: str) -> str | None:
    """Let the group that ``text`` means give the role, and return its ID, or None if it does not exist yet."""
    groups = list_groups_meant(tenant.connection, tenant.id, text)
    if len(groups) > 1:
        problem = f"Several groups in {tenant.row.name} are meant by {text!r}"
        raise Conflict(f"{problem}. Use the externalId or the ID of the group.", {"groups": [problem]})
    group_id = groups[0].id if groups else None
    try:
        insert_role_group(tenant.connection, tenant.id, role_id, text, group_id)
    except GroupTaken:
        other = _holder(tenant, text, group_id)
        problem = f"Group {text!r} already gives the role {other!r}"
        raise Conflict(
            f"{problem}. A group gives one role. Remove it from that role first.", {"groups": [problem]}
        ) from None
    return group_id


def _holder(tenant: Tenant, text: str, group_id: str | None) -> str:
    """Return the name of the role that the group gives."""
    names: dict[str, Any] = {role.id: role.name for role in list_roles(tenant.connection, tenant.id)}
    rows = list_role_groups(tenant.connection, tenant.id)
    found = (row for row in rows if row.reference_key == fold(text) or (group_id and row.group_id == group_id))
    return next((names[row.role_id] for row in found), "")
