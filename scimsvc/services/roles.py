"""An enterprise's roles, their aliases, and the view of them that the mapping decides by."""

import uuid
from typing import Any

from sqlalchemy import Connection, delete, insert, update
from sqlalchemy.exc import IntegrityError

from scimsvc import schemas
from scimsvc.mapping import EnterpriseRoles
from scimsvc.mapping import Role as MappedRole
from scimsvc.models import Enterprise, Role, RoleName
from scimsvc.protocol.attributes import fold
from scimsvc.services.errors import Conflict, NoSuchThing
from scimsvc.services.input import validated
from scimsvc.services.tenancy import Tenant, reading_in, writing_in
from scimsvc.store import queries


def read_enterprise_roles(connection: Connection, enterprise_id: str, enterprise: str) -> EnterpriseRoles:
    """Return the enterprise's roles as ``mapping.resolve_role`` wants them."""
    by_name: dict[str, MappedRole] = {}
    default = None
    for row in connection.execute(queries.ROLES_BY_NAME, {"enterprise_id": enterprise_id}):
        by_name[row.name_key] = MappedRole(row.id, row.name, row.restrict_editing)
        if row.is_default:
            default = by_name[row.name_key]
    assert default is not None, enterprise_id
    return EnterpriseRoles(enterprise, default, by_name)


def role_names(connection: Connection, enterprise_id: str) -> list[str]:
    """Return the names of the enterprise's roles, in order, without their aliases."""
    return [row.name for row in connection.execute(queries.ROLES, {"enterprise_id": enterprise_id})]


def list_roles(enterprise: str) -> list[dict[str, Any]]:
    """Return every role of the enterprise with its aliases and the number of its users."""
    with reading_in(enterprise) as tenant:
        return _list(tenant)


def _list(tenant: Tenant) -> list[dict[str, Any]]:
    aliases: dict[str, list[str]] = {}
    for row in tenant.connection.execute(queries.ROLE_NAMES, tenant.own):
        if row.is_alias:
            aliases.setdefault(row.role_id, []).append(row.name)
    return [
        {
            "id": row.id,
            "name": row.name,
            "aliases": aliases.get(row.id, []),
            "restrict_editing": row.restrict_editing,
            "is_default": row.is_default,
            "users": row.users,
        }
        for row in tenant.connection.execute(queries.ROLES, tenant.own)
    ]


def get_role(tenant: Tenant, reference: str) -> Any:
    """Return the row of the role with the id, or without regard to case the name or alias, ``reference``."""
    ids = {row.name_key: row.role_id for row in tenant.connection.execute(queries.ROLE_NAMES, tenant.own)}
    wanted = ids.get(fold(reference), reference)
    for row in tenant.connection.execute(queries.ROLES, tenant.own):
        if row.id == wanted:
            return row
    names = ", ".join(role_names(tenant.connection, tenant.id))
    raise NoSuchThing(f"there is no role {reference!r} in {tenant.row.name}; there are {names}")


def add_role(enterprise: str, name: str, *, aliases: list[str], restrict_editing: bool = False) -> dict[str, Any]:
    """Make a role and return it; raises ``InvalidInput`` or ``Conflict``."""
    given = validated(schemas.ROLE, name=name, aliases=aliases)
    with writing_in(enterprise) as tenant:
        role_id = insert_role(tenant.connection, tenant.id, given["name"], restrict_editing=restrict_editing)
        for alias in given["aliases"]:
            _insert_name(tenant.connection, tenant.id, role_id, alias, is_alias=True)
        return _shown(tenant, role_id)


def update_role(
    enterprise: str,
    reference: str,
    *,
    rename: str | None = None,
    add_aliases: list[str] | None = None,
    remove_aliases: list[str] | None = None,
    restrict_editing: bool | None = None,
) -> dict[str, Any]:
    """Change what is given and return the role, which keeps its users; raises ``NoSuchThing`` or ``Conflict``."""
    given = validated(schemas.ROLE, name=rename, aliases=add_aliases)
    with writing_in(enterprise) as tenant:
        role = get_role(tenant, reference)
        for alias in remove_aliases or []:
            _remove_alias(tenant, role, alias)
        if "name" in given:
            _rename(tenant, role, given["name"])
        for alias in given.get("aliases", []):
            _insert_name(tenant.connection, tenant.id, role.id, alias, is_alias=True)
        if restrict_editing is not None:
            own = (Role.enterprise_id == tenant.id, Role.id == role.id)
            tenant.connection.execute(update(Role).where(*own).values(restrict_editing=restrict_editing))
        return _shown(tenant, role.id)


def remove_role(enterprise: str, reference: str) -> dict[str, Any]:
    """Remove a role that nobody has, and return what it was; raises ``NoSuchThing`` or ``Conflict``."""
    with writing_in(enterprise) as tenant:
        role = get_role(tenant, reference)
        if role.is_default:
            raise Conflict(f"{role.name!r} is the default role; make another one the default first")
        if role.users:
            users = "1 user has" if role.users == 1 else f"{role.users} users have"
            raise Conflict(f"{users} the role {role.name!r}; give them another one first")
        shown = _shown(tenant, role.id)
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
        raise Conflict(f"{name!r} is a name or alias of the role {taken!r} already") from None


def _rename(tenant: Tenant, role: Any, name: str) -> None:
    connection = tenant.connection
    own = (RoleName.enterprise_id == tenant.id, RoleName.role_id == role.id)
    # Of the names that go, an alias that becomes the name is one.
    replaced = (~RoleName.is_alias) | (RoleName.name_key == fold(name))
    connection.execute(delete(RoleName).where(*own, replaced))
    _insert_name(connection, tenant.id, role.id, name, is_alias=False)
    connection.execute(update(Role).where(Role.enterprise_id == tenant.id, Role.id == role.id).values(name=name))
    if role.is_default:
        revision = Enterprise.role_revision + 1
        connection.execute(update(Enterprise).where(Enterprise.id == tenant.id).values(role_revision=revision))


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
