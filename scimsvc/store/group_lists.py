"""Read groups and their members for the commands, the enterprise API and the console."""

from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, cast, or_, select, tuple_

from scimsvc.models import Group, GroupMember, Role, RoleGroup, Searchable, User
from scimsvc.protocol.attributes import fold
from scimsvc.store.engine.statements import Query
from scimsvc.store.filters.search_functions import SEARCH_FUNCTIONS
from scimsvc.store.id_lists import DIALECTS
from scimsvc.store.role_changes import work_address
from scimsvc.store.tenancy import Tenant


class GroupRow(NamedTuple):
    """A group."""

    id: str
    name: str
    external_id: str | None
    members: int
    created_at: str
    modified_at: str
    version: int
    name_key: str
    #: The name of the role that the group gives.
    role: str | None


class GroupMemberRow(NamedTuple):
    """A member of a group, in the order of joining by ``position``."""

    position: int
    id: str
    email: str
    user_name: str
    active: bool


class GroupFilter(NamedTuple):
    """Conditions for groups. None means no condition. ``name`` ignores case.

    ``search`` is part of the name, ignoring case, or of the external ID.
    """

    name: str | None = None
    external_id: str | None = None
    search: str | None = None


_ENTERPRISE_ID = bindparam("enterprise_id", type_=Group.enterprise_id.type)
_ROLE = (
    select(Role.name)
    .join(RoleGroup, and_(RoleGroup.enterprise_id == Role.enterprise_id, RoleGroup.role_id == Role.id))
    .where(RoleGroup.enterprise_id == Group.enterprise_id, RoleGroup.group_id == Group.id)
    .scalar_subquery()
    .label("role")
)
_COLUMNS = (getattr(Group, name) for name in GroupRow._fields if name != "role")
_GROUPS = select(*_COLUMNS, _ROLE).where(Group.enterprise_id == _ENTERPRISE_ID)
#: Three, because a group whose name is the ID of another one may come first, and two of a name show that it is not
#: unique.
GROUPS_BY_REFERENCE = Query(
    _GROUPS.where(
        or_(
            Group.id == bindparam("id", type_=Group.id.type),
            Group.name_key == bindparam("key", type_=Group.name_key.type),
        )
    ).limit(3),
    GroupRow,
)


def list_referenced_groups(tenant: Tenant, reference: str) -> list[GroupRow]:
    """Return the group with the ID ``reference``, or else at most three with this name, ignoring case."""
    rows = GROUPS_BY_REFERENCE.all(
        tenant.connection, {"enterprise_id": tenant.id, "id": reference, "key": fold(reference)}
    )
    return [row for row in rows if row.id == reference] or rows


def list_group_rows(
    tenant: Tenant, condition: GroupFilter, *, after: tuple[str, str] | None, limit: int | None
) -> list[GroupRow]:
    """Return at most ``limit`` groups in the order of folded names and IDs, after the name and the ID ``after``."""
    statement = _GROUPS.order_by(Group.name_key, Group.id).limit(limit)
    if condition.name is not None:
        statement = statement.where(Group.name_key == fold(condition.name))
    if condition.external_id is not None:
        statement = statement.where(Group.external_id == condition.external_id)
    if condition.search is not None:
        named = Group.name_key.contains(fold(condition.search), autoescape=True)
        statement = statement.where(or_(named, Group.external_id.contains(condition.search, autoescape=True)))
    if after is not None:
        statement = statement.where(tuple_(Group.name_key, Group.id) > after)
    return Query(statement, GroupRow, dynamic=True).all(tenant.connection, {"enterprise_id": tenant.id})


def _members(dialect: str) -> Query[GroupMemberRow]:
    functions = SEARCH_FUNCTIONS[dialect]
    document: Any = User.document.expression if dialect == "sqlite" else cast(User.document, Searchable)
    statement = (
        select(
            GroupMember.position,
            GroupMember.user_id.label("id"),
            work_address(functions, document).label("email"),
            functions.member(document, ("userName",)).label("user_name"),
            User.active,
        )
        .select_from(GroupMember)
        .join(User, and_(User.enterprise_id == GroupMember.enterprise_id, User.id == GroupMember.user_id))
        .where(
            GroupMember.enterprise_id == _ENTERPRISE_ID,
            GroupMember.group_id == bindparam("group_id", type_=GroupMember.group_id.type),
            GroupMember.position > bindparam("after", type_=GroupMember.position.type),
        )
        .order_by(GroupMember.position)
        .limit(bindparam("limit"))
    )
    return Query(statement, GroupMemberRow)


MEMBERS = {dialect: _members(dialect) for dialect in DIALECTS}


def list_member_rows(tenant: Tenant, group_id: str, *, after: int, limit: int) -> list[GroupMemberRow]:
    """Return at most ``limit`` members of the group after the position ``after``, in the order of joining."""
    query = MEMBERS[tenant.connection.dialect.name]
    parameters = {"enterprise_id": tenant.id, "group_id": group_id, "after": after, "limit": limit}
    return query.all(tenant.connection, parameters)
