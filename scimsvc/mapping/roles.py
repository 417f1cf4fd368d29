"""An enterprise's roles, their aliases, and the view of them that the mapping decides by."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from scimsvc import schemas
from scimsvc.errors import Conflict, InvalidInput, NoSuchThing
from scimsvc.mapping.holders import change_holders
from scimsvc.mapping.resolve import EnterpriseRoles
from scimsvc.mapping.resolve import Role as MappedRole
from scimsvc.models import Enterprise, Role, RoleName
from scimsvc.protocol.attributes import fold
from scimsvc.schemas.entity_tags import check_if_match
from scimsvc.schemas.validation import validated, validated_changes
from scimsvc.store import queries
from scimsvc.store.fast.prepared import Prepared
from scimsvc.store.retries import retried
from scimsvc.store.tenancy import Tenant, reading_in, writing_in


def read_enterprise_roles(connection: Connection, enterprise_id: str, enterprise: str) -> EnterpriseRoles:
    """Return the enterprise's roles as ``mapping.resolve_role`` wants them."""
    by_name: dict[str, MappedRole] = {}
    default = None
    for row in _ROLES_BY_NAME.rows(connection, {"enterprise_id": enterprise_id}):
        by_name[row.name_key] = MappedRole(row.id, row.name, row.restrict_editing)
        if row.is_default:
            default = by_name[row.name_key]
    assert default is not None, enterprise_id
    return EnterpriseRoles(enterprise, default, by_name)


def find_role(connection: Connection, enterprise_id: str, name: str) -> MappedRole | None:
    """Return the role that ``name`` names, by name or alias, without regard to case."""
    row = _ROLE_BY_NAME.row(connection, {"enterprise_id": enterprise_id, "key": fold(name)})
    return MappedRole(row.id, row.name, row.restrict_editing) if row is not None else None


_ROLES_BY_NAME = Prepared(queries.ROLES_BY_NAME)
_ROLE_BY_NAME = Prepared(queries.ROLE_BY_NAME)


def role_names(connection: Connection, enterprise_id: str) -> list[str]:
    """Return the names of the enterprise's roles, in order, without their aliases."""
    return [row.name for row in connection.execute(queries.ROLES, {"enterprise_id": enterprise_id})]


def list_roles(enterprise: str) -> list[dict[str, Any]]:
    """Return every role of the enterprise with its aliases and the number of its users."""
    with reading_in(enterprise) as tenant:
        return _list(tenant)


def list_role_names(enterprise: str) -> list[dict[str, Any]]:
    """Return the name of every role, and whether it is the default; nothing is counted."""
    with reading_in(enterprise) as tenant:
        rows = tenant.connection.execute(queries.ROLES, tenant.own)
        return [{"name": row.name, "is_default": row.is_default} for row in rows]


def _list(tenant: Tenant) -> list[dict[str, Any]]:
    aliases: dict[str, list[str]] = {}
    for row in tenant.connection.execute(queries.ROLE_NAMES, tenant.own):
        if row.is_alias:
            aliases.setdefault(row.role_id, []).append(row.name)
    users = {row.role_id: row.users for row in tenant.connection.execute(queries.USERS_BY_ROLE, tenant.own)}
    return [
        {
            "id": row.id,
            "name": row.name,
            "aliases": aliases.get(row.id, []),
            "restrict_editing": row.restrict_editing,
            "is_default": row.is_default,
            "users": users.get(row.id, 0) + (users.get(None, 0) if row.is_default else 0),
        }
        for row in tenant.connection.execute(queries.ROLES, tenant.own)
    ]


def get_role(tenant: Tenant, reference: str, *, field: str | None = None) -> Any:
    """Return the row of the role with the id, or without regard to case the name or alias, ``reference``.

    Raises ``NoSuchThing``, or ``InvalidInput`` where it is the value of a ``field``.
    """
    rows = {row.id: row for row in tenant.connection.execute(queries.ROLES, tenant.own)}
    if reference in rows:
        return rows[reference]
    for name in tenant.connection.execute(queries.ROLE_NAMES, tenant.own):
        if name.name_key == fold(reference):
            return rows[name.role_id]
    names = ", ".join(row.name for row in rows.values())
    detail = f"there is no role {reference!r} in {tenant.row.name}; there are {names}"
    if field is not None:
        raise InvalidInput(detail, {field: [detail]})
    raise NoSuchThing(detail, what="role")


def show_role(enterprise: str, reference: str) -> dict[str, Any]:
    """Return the role with the id, name or alias ``reference``; raises ``NoSuchThing``."""
    with reading_in(enterprise) as tenant:
        return _shown(tenant, get_role(tenant, reference).id)


@retried
def add_role(enterprise: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Make a role of the members of ``schemas.RoleSchema`` and return it; raises ``InvalidInput`` or ``Conflict``."""
    fields = validated(schemas.ROLE, given)
    with writing_in(enterprise) as tenant:
        restricts = fields["restrict_editing"]
        role_id = insert_role(tenant.connection, tenant.id, fields["name"], restrict_editing=restricts)
        for alias in fields["aliases"]:
            _insert_name(tenant.connection, tenant.id, role_id, alias, is_alias=True)
        if fields.get("is_default"):
            make_default(tenant, role_id)
        return _shown(tenant, role_id)


@retried
def update_role(
    enterprise: str,
    reference: str,
    changes: Mapping[str, Any],
    *,
    add_aliases: Sequence[str] = (),
    remove_aliases: Sequence[str] = (),
    if_match: str | None = None,
) -> dict[str, Any]:
    """Change the members that are given and return the role, which keeps its users.

    ``aliases`` among them takes the place of all that it has; ``add_aliases`` and ``remove_aliases`` change some.
    Raises ``InvalidInput``, ``NoSuchThing``, ``Conflict`` or ``OutOfDate``.
    """
    fields = validated_changes(schemas.ROLE, changes)
    added = validated_changes(schemas.ROLE, {"aliases": list(add_aliases)})["aliases"]
    with writing_in(enterprise) as tenant:
        role = get_role(tenant, reference)
        shown = _shown(tenant, role.id)
        check_if_match(shown, if_match)
        wanted = {fold(alias) for alias in fields.get("aliases", shown["aliases"])}
        for alias in [*remove_aliases, *(each for each in shown["aliases"] if fold(each) not in wanted)]:
            _remove_alias(tenant, role, alias)
        name = fields.get("name", role.name)
        if name != role.name:
            _rename(tenant, role, name)
        held = {fold(alias) for alias in _shown(tenant, role.id)["aliases"]}
        for alias in [*added, *(each for each in fields.get("aliases", ()) if fold(each) not in held)]:
            _insert_name(tenant.connection, tenant.id, role.id, alias, is_alias=True)
        restricts = fields.get("restrict_editing", role.restrict_editing)
        if restricts != role.restrict_editing:
            own = (Role.enterprise_id == tenant.id, Role.id == role.id)
            tenant.connection.execute(update(Role).where(*own).values(restrict_editing=restricts))
        if name != role.name or (restricts and not role.restrict_editing):
            sides = {"old_name": role.name, "new_name": name, "restricts": restricts}
            change_holders(tenant, role.id, on_default=role.is_default, **sides)
        if fields.get("is_default"):
            make_default(tenant, role.id)
        return _shown(tenant, role.id)


def make_default(tenant: Tenant, reference: str) -> None:
    """Make the role with the id, name or alias ``reference`` the default; users on the default role change with it."""
    role = get_role(tenant, reference)
    if role.is_default:
        return
    own = Role.enterprise_id == tenant.id
    before = tenant.connection.execute(select(Role.name).where(own, Role.is_default)).scalar_one()
    tenant.connection.execute(update(Role).where(own, Role.is_default).values(is_default=False))
    tenant.connection.execute(update(Role).where(own, Role.id == role.id).values(is_default=True))
    _bump_role_revision(tenant)
    sides = {"old_name": before, "new_name": role.name, "restricts": role.restrict_editing}
    change_holders(tenant, None, on_default=True, **sides)


def preview_role(enterprise: str, name: str) -> dict[str, Any]:
    """Return who has, and who would get, the role that the provider's value ``name`` names.

    ``role`` is the role that it names today, or None; ``users`` is how many have it; ``waiting`` are the last people
    who were refused because the value named none, and who get the role once a role or an alias is called so;
    ``on_default`` is how many are on the default role, and would get this one were it made the default.
    """
    with reading_in(enterprise) as tenant:
        roles = read_enterprise_roles(tenant.connection, tenant.id, tenant.row.name)
        role = roles.find(name)
        own = tenant.own | {"key": fold(name), "limit": _MOST_WAITING}
        refused = tenant.connection.execute(queries.REFUSED_FOR_ROLE, own).all()
        waiting = {(row.email or row.user_id): row for row in reversed(refused)}
        return {
            "name": name,
            "role": role.name if role else None,
            "users": _shown(tenant, role.id)["users"] if role else 0,
            "waiting": [
                {"email": row.email, "user_id": row.user_id, "time": row.time} for row in reversed(waiting.values())
            ],
            "on_default": tenant.connection.execute(queries.USERS_ON_DEFAULT, tenant.own).scalar_one(),
        }


_MOST_WAITING = 1000


@retried
def remove_role(enterprise: str, reference: str, *, if_match: str | None = None) -> dict[str, Any]:
    """Remove a role that nobody has, and return what it was; raises ``NoSuchThing`` or ``Conflict``."""
    with writing_in(enterprise) as tenant:
        role = get_role(tenant, reference)
        check_if_match(_shown(tenant, role.id), if_match)
        if role.is_default:
            raise Conflict(f"{role.name!r} is the default role; make another one the default first")
        shown = _shown(tenant, role.id)
        if shown["users"]:
            users = "1 user has" if shown["users"] == 1 else f"{shown['users']} users have"
            raise Conflict(f"{users} the role {role.name!r}; give them another one first")
        tenant.connection.execute(delete(Role).where(Role.enterprise_id == tenant.id, Role.id == role.id))
        return shown


def insert_role(
    connection: Connection,
    enterprise_id: str,
    name: str,
    *,
    is_default: bool = False,
    restrict_editing: bool = False,
) -> str:
    """Insert a role with its name and return its id; raises ``Conflict``."""
    role_id = str(uuid.uuid4())
    values = {"name": name, "is_default": is_default, "restrict_editing": restrict_editing}
    connection.execute(insert(Role).values(enterprise_id=enterprise_id, id=role_id, **values))
    _insert_name(connection, enterprise_id, role_id, name, is_alias=False)
    return role_id


def _insert_name(connection: Connection, enterprise_id: str, role_id: str, name: str, *, is_alias: bool) -> None:
    values = {"name_key": fold(name), "role_id": role_id, "name": name, "is_alias": is_alias}
    try:
        with connection.begin_nested():
            connection.execute(insert(RoleName).values(enterprise_id=enterprise_id, **values))
    except IntegrityError:
        taken = connection.execute(
            queries.ROLE_OF_NAME, {"enterprise_id": enterprise_id, "key": fold(name)}
        ).scalar_one()
        detail = f"{name!r} is a name or alias of the role {taken!r} already"
        raise Conflict(detail, {"aliases" if is_alias else "name": [detail]}) from None


def _rename(tenant: Tenant, role: Any, name: str) -> None:
    connection = tenant.connection
    own = (RoleName.enterprise_id == tenant.id, RoleName.role_id == role.id)
    # Of the names that go, an alias that becomes the name is one.
    replaced = (~RoleName.is_alias) | (RoleName.name_key == fold(name))
    connection.execute(delete(RoleName).where(*own, replaced))
    _insert_name(connection, tenant.id, role.id, name, is_alias=False)
    connection.execute(update(Role).where(Role.enterprise_id == tenant.id, Role.id == role.id).values(name=name))
    if role.is_default:
        _bump_role_revision(tenant)


def _bump_role_revision(tenant: Tenant) -> None:
    revision = Enterprise.role_revision + 1
    tenant.connection.execute(update(Enterprise).where(Enterprise.id == tenant.id).values(role_revision=revision))


def _remove_alias(tenant: Tenant, role: Any, alias: str) -> None:
    removed = tenant.connection.execute(
        delete(RoleName).where(
            RoleName.enterprise_id == tenant.id,
            RoleName.role_id == role.id,
            RoleName.name_key == fold(alias),
            RoleName.is_alias,
        )
    )
    if removed.rowcount == 0:
        raise NoSuchThing(f"the role {role.name!r} has no alias {alias!r}")


def _shown(tenant: Tenant, role_id: str) -> dict[str, Any]:
    return next(role for role in _list(tenant) if role["id"] == role_id)
