"""List, add, change and remove the roles and aliases of an enterprise, and read them for the mapping."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from scimsvc import clock, schemas
from scimsvc.activity.audit import AuditLog, Target, audited, changed, created, deleted
from scimsvc.errors import Conflict, InvalidInput, NoSuchThing
from scimsvc.mapping.groups_of_roles import (
    change_groups,
    drop_groups,
    list_group_ids,
    list_groups_by_role,
    recompute_members,
)
from scimsvc.mapping.names_of_roles import change_names, insert_alias, name_conflict
from scimsvc.mapping.resolve import EnterpriseRoles, Role
from scimsvc.protocol.errors import listed
from scimsvc.schemas.entity_tags import check_if_match
from scimsvc.schemas.validation import validated, validated_changes
from scimsvc.store import roles as store
from scimsvc.store.engine.database import LONG_SECONDS, longer_deadline
from scimsvc.store.engine.transactions import Connection
from scimsvc.store.role_changes import RoleChange, apply_role_change
from scimsvc.store.roles import NameTaken, RoleRow
from scimsvc.store.tenancy import Tenant, reading_in, writing_in
from scimsvc.vocabulary import Action
from scimsvc.web.quotas import quotas

# For the mapping.


def read_enterprise_roles(connection: Connection, enterprise_id: str, enterprise: str) -> EnterpriseRoles:
    """Return the roles of ``enterprise`` in the form that ``resolve_role`` takes."""
    by_name: dict[str, Role] = {}
    default = None
    for row in store.list_named_roles(connection, enterprise_id):
        by_name[row.name_key] = Role(row.id, row.name, row.restrict_editing, row.position)
        if row.is_default:
            default = by_name[row.name_key]
    assert default is not None, enterprise_id
    return EnterpriseRoles(enterprise, default, by_name)


def find_role(connection: Connection, enterprise_id: str, name: str) -> Role | None:
    """Return the role with the name or alias ``name``, without regard to case; None if there is none."""
    row = store.find_named_role(connection, enterprise_id, name)
    return Role(row.id, row.name, row.restrict_editing, row.position) if row is not None else None


# Reading.


def list_roles(enterprise: str) -> list[dict[str, Any]]:
    """Return every role of the enterprise in its order, with its aliases and the number of its users."""
    with reading_in(enterprise) as tenant:
        return _list(tenant)


def list_role_names(enterprise: str) -> list[dict[str, Any]]:
    """Return the ID, name and aliases of every role and whether it is the default, without counting users."""
    with reading_in(enterprise) as tenant:
        aliases = _aliases(tenant)
        return [
            {"id": row.id, "name": row.name, "aliases": aliases.get(row.id, []), "is_default": row.is_default}
            for row in store.list_roles(tenant.connection, tenant.id)
        ]


def role_names(connection: Connection, enterprise_id: str) -> list[str]:
    """Return the names of the enterprise's roles, sorted and without aliases."""
    return sorted(row.name for row in store.list_roles(connection, enterprise_id))


def show_role(enterprise: str, reference: str) -> dict[str, Any]:
    """Return the role with the ID, name or alias ``reference``; raises ``NoSuchThing``."""
    with reading_in(enterprise) as tenant:
        return show_in(tenant, get_role(tenant, reference).id)


def get_role(tenant: Tenant, reference: str, *, field: str | None = None) -> RoleRow:
    """Return the row of the role with the ID, name or alias ``reference``; names ignore case.

    Raises ``NoSuchThing``, or ``InvalidInput`` if ``reference`` is the value of an input ``field``.
    """
    rows = {row.id: row for row in store.list_roles(tenant.connection, tenant.id)}
    if reference in rows:
        return rows[reference]
    role = store.find_named_role(tenant.connection, tenant.id, reference)
    if role is not None:
        return rows[role.id]
    problem = f"Role {reference!r} does not exist in {tenant.row.name}"
    detail = f"{problem}. Use one of {listed(row.name for row in rows.values())}."
    if field is not None:
        raise InvalidInput(detail, {field: [problem]})
    raise NoSuchThing(detail, what="role")


def _aliases(tenant: Tenant) -> dict[str, list[str]]:
    aliases: dict[str, list[str]] = {}
    for row in store.list_role_names(tenant.connection, tenant.id):
        if row.is_alias:
            aliases.setdefault(row.role_id, []).append(row.name)
    return aliases


def _list(tenant: Tenant) -> list[dict[str, Any]]:
    aliases = _aliases(tenant)
    users = store.count_users_by_role(tenant.connection, tenant.id)
    groups = list_groups_by_role(tenant)
    return [
        {
            "id": row.id,
            "name": row.name,
            "aliases": aliases.get(row.id, []),
            "groups": groups.get(row.id, []),
            "position": row.position,
            "restrict_editing": row.restrict_editing,
            "is_default": row.is_default,
            "users": users.get(row.id, 0) + (users.get(None, 0) if row.is_default else 0),
        }
        for row in store.list_roles(tenant.connection, tenant.id)
    ]


def show_in(tenant: Tenant, role_id: str) -> dict[str, Any]:
    """Return the role with the ID ``role_id``."""
    return next(role for role in _list(tenant) if role["id"] == role_id)


# Writing.


@audited
def add_role(enterprise: str, members: Mapping[str, Any]) -> dict[str, Any]:
    """Add a role with the members of ``schemas.RoleSchema`` and return it.

    Raises ``InvalidInput``, or ``Conflict`` if a name or alias is already used.
    """
    fields = validated(schemas.ROLE, members)
    with writing_in(enterprise) as tenant:
        quotas.current.claim_aliases(0, len(fields["aliases"]))
        restricts = fields["restrict_editing"]
        role_id = insert_role(tenant.connection, tenant.id, fields["name"], restrict_editing=restricts)
        for alias in fields["aliases"]:
            insert_alias(tenant, role_id, alias)
        if "position" in fields:
            _move(tenant, role_id, fields["position"])
        change_groups(tenant, role_id, only=None, add=fields["groups"], remove=())
        if fields.get("is_default"):
            make_default(tenant, role_id)
        role = show_in(tenant, role_id)
        AuditLog.of(tenant).record(Action.ROLE_CREATED, _target(role), created(role))
        return role


def insert_role(
    connection: Connection, enterprise_id: str, name: str, *, is_default: bool = False, restrict_editing: bool = False
) -> str:
    """Insert a role and return its ID; raises ``Conflict`` if the name is used or the enterprise has too many roles."""
    quotas.current.roles.claim(enterprise_id, connection=connection)
    position = store.get_last_position(connection, enterprise_id) + 1
    role = RoleRow(str(uuid.uuid4()), name, is_default, restrict_editing, position)
    try:
        store.insert_role(connection, enterprise_id, role)
    except NameTaken as error:
        raise name_conflict(name, error.role, "name") from None
    return role.id


@audited
@longer_deadline(LONG_SECONDS)
def update_role(
    enterprise: str,
    reference: str,
    changes: Mapping[str, Any],
    *,
    add_aliases: Sequence[str] = (),
    remove_aliases: Sequence[str] = (),
    add_groups: Sequence[str] = (),
    remove_groups: Sequence[str] = (),
    if_match: str | None = None,
) -> dict[str, Any]:
    """Apply ``changes`` to a role and return it. The role keeps its users.

    ``aliases`` in the changes replaces all aliases. ``add_aliases`` and ``remove_aliases`` change single aliases. The
    same applies to ``groups``. Raises ``InvalidInput``, ``NoSuchThing``, ``Conflict`` or ``OutOfDate``.
    """
    fields = validated_changes(schemas.ROLE, changes)
    with writing_in(enterprise) as tenant:
        role = get_role(tenant, reference)
        before = show_in(tenant, role.id)
        check_if_match(before, if_match)
        change_role(tenant, role.id, fields, add_aliases=add_aliases, remove_aliases=remove_aliases,
                    add_groups=add_groups, remove_groups=remove_groups)  # fmt: skip
        after = show_in(tenant, role.id)
        AuditLog.of(tenant).record(Action.ROLE_UPDATED, _target(after), changed(before, after))
        return after


def change_role(
    tenant: Tenant,
    reference: str,
    changes: Mapping[str, Any],
    *,
    add_aliases: Sequence[str] = (),
    remove_aliases: Sequence[str] = (),
    add_groups: Sequence[str] = (),
    remove_groups: Sequence[str] = (),
) -> None:
    """Change a role as ``update_role`` does, in the transaction of ``tenant``."""
    fields = validated_changes(schemas.ROLE, changes)
    added = validated_changes(schemas.ROLE, {"aliases": list(add_aliases), "groups": list(add_groups)})
    role = get_role(tenant, reference)
    # First, because the names of roles in these changes of users are those from before.
    if "position" in fields:
        _move(tenant, role.id, fields["position"])
    change_groups(tenant, role.id, only=fields.get("groups"), add=added["groups"], remove=remove_groups)
    name = fields.get("name", role.name)
    change_names(tenant, role, name, only=fields.get("aliases"), add=added["aliases"], remove=remove_aliases)
    _change_users(tenant, role, name, restricts=fields.get("restrict_editing", role.restrict_editing))
    if fields.get("is_default"):
        make_default(tenant, role.id)


def _move(tenant: Tenant, role_id: str, position: int) -> None:
    """Move the role to ``position``, or to the end if that is beyond it. The other roles keep their order."""
    role = get_role(tenant, role_id)
    position = min(position, store.get_last_position(tenant.connection, tenant.id))
    if position != role.position:
        store.update_position(tenant.connection, tenant.id, role, position)
        recompute_members(tenant, list_group_ids(tenant, role.id))


def _change_users(tenant: Tenant, role: RoleRow, name: str, *, restricts: bool) -> None:
    """Store whether ``role`` restricts editing, and apply this and its new ``name`` to its users."""
    if restricts != role.restrict_editing:
        store.update_restriction(tenant.connection, tenant.id, role.id, restricts=restricts)
    if name != role.name or (restricts and not role.restrict_editing):
        role_ids = (role.id, None) if role.is_default else (role.id,)
        _apply(tenant, role_ids, RoleChange(role.name, name, restricts))


def make_default(tenant: Tenant, reference: str) -> None:
    """Set the role ``reference`` as the default role. Users on the present default role get the new one."""
    role = get_role(tenant, reference)
    if role.is_default:
        return
    before = store.get_default_role_name(tenant.connection, tenant.id)
    store.update_default_role(tenant.connection, tenant.id, role.id)
    _apply(tenant, (None,), RoleChange(before, role.name, role.restrict_editing))


def _apply(tenant: Tenant, role_ids: Sequence[str | None], change: RoleChange) -> None:
    apply_role_change(tenant.connection, tenant.id, role_ids, change, at=clock.timestamp(clock.now()))


@audited
def remove_role(enterprise: str, reference: str, *, if_match: str | None = None) -> dict[str, Any]:
    """Remove a role that no user has, and return its last state; raises ``NoSuchThing`` or ``Conflict``."""
    with writing_in(enterprise) as tenant:
        row = get_role(tenant, reference)
        role = show_in(tenant, row.id)
        check_if_match(role, if_match)
        if role["is_default"]:
            raise Conflict(f"{role['name']!r} is the default role. Set another default role first.")
        if role["users"]:
            users = "1 user has" if role["users"] == 1 else f"{role['users']} users have"
            raise Conflict(f"{users} the role {role['name']!r}. Assign another role to them first.")
        drop_groups(tenant, row.id)
        store.delete_role(tenant.connection, tenant.id, row)
        AuditLog.of(tenant).record(Action.ROLE_DELETED, _target(role), deleted(role))
        return role


def _target(role: Mapping[str, Any]) -> Target:
    return Target(role["id"], role["name"])
