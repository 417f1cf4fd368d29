"""List, add, change and remove the roles and aliases of an enterprise, and read them for the mapping."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from scimsvc import clock, schemas
from scimsvc.activity.audit import AuditLog, Target, audited, changed, created, deleted
from scimsvc.errors import Conflict, InvalidInput, NoSuchThing
from scimsvc.mapping.resolve import EnterpriseRoles, Role
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.errors import listed
from scimsvc.schemas.entity_tags import check_if_match
from scimsvc.schemas.validation import validated, validated_changes
from scimsvc.store import roles as store
from scimsvc.store.engine.database import LONG_SECONDS, longer_deadline
from scimsvc.store.engine.transactions import Connection
from scimsvc.store.log_reports import list_refused_for_role
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
    """Return the name of every role and whether it is the default, without counting users."""
    with reading_in(enterprise) as tenant:
        rows = store.list_roles(tenant.connection, tenant.id)
        return [{"name": row.name, "is_default": row.is_default} for row in rows]


def role_names(connection: Connection, enterprise_id: str) -> list[str]:
    """Return the names of the enterprise's roles, sorted and without aliases."""
    return sorted(row.name for row in store.list_roles(connection, enterprise_id))


def show_role(enterprise: str, reference: str) -> dict[str, Any]:
    """Return the role with the ID, name or alias ``reference``; raises ``NoSuchThing``."""
    with reading_in(enterprise) as tenant:
        return _show(tenant, get_role(tenant, reference).id)


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


def preview_role(enterprise: str, name: str) -> dict[str, Any]:
    """Return the users who have the role with the name or alias ``name``, and those who would get it.

    - ``role``: the name of this role, or None if ``name`` does not name a role.
    - ``users``: how many users have the role.
    - ``waiting``: the last users whose provisioning was refused because ``name`` was unknown. They get the role after
      ``name`` is added as a role or an alias.
    - ``on_default``: how many users have the default role. They would get this role if it became the default.
    """
    with reading_in(enterprise) as tenant:
        role = find_role(tenant.connection, tenant.id, name)
        refused = list_refused_for_role(tenant.connection, tenant.id, fold(name), limit=_MOST_WAITING)
        waiting = {(row.email or row.user_id): row for row in reversed(refused)}
        return {
            "name": name,
            "role": role.name if role else None,
            "users": _show(tenant, role.id)["users"] if role else 0,
            "waiting": [
                {"email": row.email, "user_id": row.user_id, "time": row.time} for row in reversed(waiting.values())
            ],
            "on_default": store.count_users_on_default(tenant.connection, tenant.id),
        }


_MOST_WAITING = 1000


def _list(tenant: Tenant) -> list[dict[str, Any]]:
    aliases: dict[str, list[str]] = {}
    for row in store.list_role_names(tenant.connection, tenant.id):
        if row.is_alias:
            aliases.setdefault(row.role_id, []).append(row.name)
    users = store.count_users_by_role(tenant.connection, tenant.id)
    return [
        {
            "id": row.id,
            "name": row.name,
            "aliases": aliases.get(row.id, []),
            "position": row.position,
            "restrict_editing": row.restrict_editing,
            "is_default": row.is_default,
            "users": users.get(row.id, 0) + (users.get(None, 0) if row.is_default else 0),
        }
        for row in store.list_roles(tenant.connection, tenant.id)
    ]


def _show(tenant: Tenant, role_id: str) -> dict[str, Any]:
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
            _insert_alias(tenant, role_id, alias)
        if fields.get("is_default"):
            make_default(tenant, role_id)
        if "position" in fields:
            _move(tenant, role_id, fields["position"])
        role = _show(tenant, role_id)
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
        raise _name_conflict(name, error.role, "name") from None
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
    if_match: str | None = None,
) -> dict[str, Any]:
    """Apply ``changes`` to a role and return it. The role keeps its users.

    ``aliases`` in the changes replaces all aliases. ``add_aliases`` and ``remove_aliases`` change single aliases.
    Raises ``InvalidInput``, ``NoSuchThing``, ``Conflict`` or ``OutOfDate``.
    """
    fields = validated_changes(schemas.ROLE, changes)
    added = validated_changes(schemas.ROLE, {"aliases": list(add_aliases)})["aliases"]
    with writing_in(enterprise) as tenant:
        role = get_role(tenant, reference)
        before = _show(tenant, role.id)
        check_if_match(before, if_match)
        wanted = {fold(alias) for alias in fields.get("aliases", before["aliases"])}
        for alias in [*remove_aliases, *(each for each in before["aliases"] if fold(each) not in wanted)]:
            _delete_alias(tenant, role, alias)
        name = fields.get("name", role.name)
        if name != role.name:
            _rename(tenant, role, name)
        present = {fold(alias) for alias in _show(tenant, role.id)["aliases"]}
        new = [*added, *(each for each in fields.get("aliases", ()) if fold(each) not in present)]
        quotas.current.claim_aliases(len(present), len(new))
        for alias in new:
            _insert_alias(tenant, role.id, alias)
        _change_users(tenant, role, name, restricts=fields.get("restrict_editing", role.restrict_editing))
        if fields.get("is_default"):
            make_default(tenant, role.id)
        if "position" in fields:
            _move(tenant, role.id, fields["position"])
        after = _show(tenant, role.id)
        AuditLog.of(tenant).record(Action.ROLE_UPDATED, _target(after), changed(before, after))
        return after


def _move(tenant: Tenant, role_id: str, position: int) -> None:
    """Move the role to ``position``, or to the end if that is beyond it. The other roles keep their order."""
    role = get_role(tenant, role_id)
    position = min(position, store.get_last_position(tenant.connection, tenant.id))
    if position != role.position:
        store.update_position(tenant.connection, tenant.id, role, position)


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
        role = _show(tenant, row.id)
        check_if_match(role, if_match)
        if role["is_default"]:
            raise Conflict(f"{role['name']!r} is the default role. Set another default role first.")
        if role["users"]:
            users = "1 user has" if role["users"] == 1 else f"{role['users']} users have"
            raise Conflict(f"{users} the role {role['name']!r}. Assign another role to them first.")
        store.delete_role(tenant.connection, tenant.id, row)
        AuditLog.of(tenant).record(Action.ROLE_DELETED, _target(role), deleted(role))
        return role


def _target(role: Mapping[str, Any]) -> Target:
    return Target(role["id"], role["name"])


def _rename(tenant: Tenant, role: RoleRow, name: str) -> None:
    try:
        store.update_role_name(tenant.connection, tenant.id, role, name)
    except NameTaken as error:
        raise _name_conflict(name, error.role, "name") from None


def _insert_alias(tenant: Tenant, role_id: str, alias: str) -> None:
    try:
        store.insert_alias(tenant.connection, tenant.id, role_id, alias)
    except NameTaken as error:
        raise _name_conflict(alias, error.role, "aliases") from None


def _delete_alias(tenant: Tenant, role: RoleRow, alias: str) -> None:
    if not store.delete_alias(tenant.connection, tenant.id, role.id, alias):
        raise NoSuchThing(f"Role {role.name!r} has no alias {alias!r}. Check the aliases of the role.")


def _name_conflict(name: str, role: str, field: str) -> Conflict:
    problem = f"{name!r} is already a name or alias of the role {role!r}"
    return Conflict(f"{problem}. Choose another name.", {field: [problem]})
