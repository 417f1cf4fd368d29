"""The groups that give roles. An entry waits for its group, is bound to its ID when it exists, and then follows it."""

from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, exists, insert, null, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from scimsvc.models import Group, Role, RoleGroup
from scimsvc.protocol.attributes import fold
from scimsvc.store.engine.statements import Query, Write


class RoleGroupRow(NamedTuple):
    """A group that gives a role: the reference of the administrator, and the group itself if it exists."""

    role_id: str
    reference_key: str
    reference: str
    group_id: str | None
    #: The present displayName and externalId of the group.
    name: str | None
    external_id: str | None


class NamedGroup(NamedTuple):
    """A group that a reference means."""

    id: str
    name: str


class GroupTaken(Exception):
    """The group, or a reference to it, already belongs to another role."""


class _RoleId(NamedTuple):
    role_id: str


class _GroupRole(NamedTuple):
    id: str
    name: str


_ENTERPRISE_ID = bindparam("enterprise_id", type_=RoleGroup.enterprise_id.type)
_IN_ENTERPRISE = RoleGroup.enterprise_id == _ENTERPRISE_ID
#: An UPDATE needs other names of parameters than the columns.
_OF_ENTERPRISE = bindparam("of_enterprise", type_=RoleGroup.enterprise_id.type)
_GROUP_ID = bindparam("group_id", type_=RoleGroup.group_id.type)
_KEY = bindparam("key", type_=RoleGroup.reference_key.type)
ROLE_GROUPS = Query(
    select(
        RoleGroup.role_id, RoleGroup.reference_key, RoleGroup.reference, RoleGroup.group_id, Group.name,
        Group.external_id,
    )
    .outerjoin(Group, (Group.enterprise_id == RoleGroup.enterprise_id) & (Group.id == RoleGroup.group_id))
    .where(_IN_ENTERPRISE)
    .order_by(RoleGroup.reference_key),
    RoleGroupRow,
)  # fmt: skip
#: Names in the order of the roles.
GROUP_ROLES = Query(
    select(Role.id, Role.name)
    .where(
        Role.enterprise_id == _ENTERPRISE_ID,
        exists().where(RoleGroup.enterprise_id == Role.enterprise_id, RoleGroup.role_id == Role.id),
    )
    .order_by(Role.position),
    _GroupRole,
)
ROLE_OF_GROUP = Query(select(RoleGroup.role_id).where(_IN_ENTERPRISE, RoleGroup.group_id == _GROUP_ID), _RoleId)
GROUPS_MEANT = Query(
    select(Group.id, Group.name)
    .where(
        Group.enterprise_id == _ENTERPRISE_ID,
        or_(Group.name_key == _KEY, Group.external_id == bindparam("reference"), Group.id == bindparam("reference")),
    )
    .order_by(Group.id)
    .limit(2),
    NamedGroup,
)
_INSERT = Write(insert(RoleGroup))
_DELETE = Write(delete(RoleGroup).where(_IN_ENTERPRISE, RoleGroup.reference_key == _KEY))
_UNBIND = Write(
    update(RoleGroup)
    .where(RoleGroup.enterprise_id == _OF_ENTERPRISE, RoleGroup.group_id == bindparam("of_group"))
    .values(group_id=null()),
    columns=[],
)


def _bind() -> Any:
    """Bind the waiting entry that means a group; of several, that of the first role. A group gives only one role."""
    waiting = aliased(RoleGroup)
    first = (
        select(waiting.reference_key)
        .join(Role, (Role.enterprise_id == waiting.enterprise_id) & (Role.id == waiting.role_id))
        .where(
            waiting.enterprise_id == _OF_ENTERPRISE,
            waiting.group_id.is_(None),
            or_(
                waiting.reference_key == _KEY,
                waiting.reference == bindparam("external_id", type_=RoleGroup.reference.type),
            ),
        )
        .order_by(Role.position)
        .limit(1)
        .scalar_subquery()
    )
    return (
        update(RoleGroup)
        .where(RoleGroup.enterprise_id == _OF_ENTERPRISE, RoleGroup.reference_key == first)
        .values(group_id=bindparam("to_group", type_=RoleGroup.group_id.type))
    )


_BIND = Write(_bind(), columns=[])


def list_role_groups(connection: Connection, enterprise_id: str) -> list[RoleGroupRow]:
    """Return the groups that give roles, in the order of their references."""
    return ROLE_GROUPS.all(connection, {"enterprise_id": enterprise_id})


def list_group_roles(connection: Connection, enterprise_id: str) -> list[tuple[str, str]]:
    """Return the IDs and names of the roles that groups give, in the order of the roles."""
    return [(row.id, row.name) for row in GROUP_ROLES.all(connection, {"enterprise_id": enterprise_id})]


def find_role_of_group(connection: Connection, enterprise_id: str, group_id: str) -> str | None:
    """Return the ID of the role that the group gives; None without one."""
    row = ROLE_OF_GROUP.first(connection, {"enterprise_id": enterprise_id, "group_id": group_id})
    return row.role_id if row is not None else None


def list_groups_meant(connection: Connection, enterprise_id: str, reference: str) -> list[NamedGroup]:
    """Return the group with this displayName, externalId or ID, or two of them if the reference is ambiguous."""
    parameters = {"enterprise_id": enterprise_id, "key": fold(reference), "reference": reference}
    return GROUPS_MEANT.all(connection, parameters)


def insert_role_group(
    connection: Connection, enterprise_id: str, role_id: str, reference: str, group_id: str | None
) -> None:
    """Let the group with the ID, or a later one that ``reference`` means, give the role. Raises ``GroupTaken``."""
    row = {"role_id": role_id, "reference_key": fold(reference), "reference": reference, "group_id": group_id}
    try:
        with connection.begin_nested():
            _INSERT.run(connection, {"enterprise_id": enterprise_id, **row})
    except IntegrityError:
        raise GroupTaken from None


def delete_role_group(connection: Connection, enterprise_id: str, reference_key: str) -> None:
    """Let the group no longer give its role."""
    _DELETE.run(connection, {"enterprise_id": enterprise_id, "key": reference_key})


def bind_group(connection: Connection, enterprise_id: str, group_id: str, name: str, external_id: str | None) -> bool:
    """Bind the entry that waits for a group with this name or externalId. Return whether there was one."""
    parameters = {"of_enterprise": enterprise_id, "to_group": group_id, "key": fold(name)}
    return _BIND.run(connection, {**parameters, "external_id": external_id}) > 0


def unbind_group(connection: Connection, enterprise_id: str, group_id: str) -> None:
    """Let the entry of a group that is deleted wait for another group."""
    _UNBIND.run(connection, {"of_enterprise": enterprise_id, "of_group": group_id})
