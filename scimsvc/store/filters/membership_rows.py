"""The members of groups and the groups of users as elements that filters compare, with folded texts."""

from typing import Any

from sqlalchemy import ColumnElement, func, literal, select

from scimsvc.models import Group, GroupMember, User
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.groups import GROUPS
from scimsvc.protocol.users import USERS
from scimsvc.store.filters.search_functions import Expression, SearchFunctions

#: A FROM clause, and the element and the position in its rows.
ElementRows = tuple[Any, Expression, Expression]
_OF_GROUP = (GroupMember.enterprise_id == Group.enterprise_id, GroupMember.group_id == Group.id)
_OF_USER = (GroupMember.enterprise_id == User.enterprise_id, GroupMember.user_id == User.id)


def member_rows(functions: SearchFunctions, base: str) -> ElementRows:
    """Return the members of the row of ``Group`` of the enclosing statement. ``base`` is the Tenant URL."""
    name = func.coalesce(*(functions.member(User.search.expression, (each,)) for each in ("displayName", "userName")))
    element = functions.object(
        {
            "value": GroupMember.user_id.expression,
            "$ref": literal(f"{base}{USERS.endpoint}/") + GroupMember.user_id,
            "type": literal(fold(USERS.name)),
            "display": name,
        }
    )
    rows = (
        select(element.label("element"), GroupMember.position.label("position"))
        .join(User, (User.enterprise_id == GroupMember.enterprise_id) & (User.id == GroupMember.user_id))
        .where(*_OF_GROUP)
        .correlate(Group)
        .subquery()
    )
    return rows, rows.c.element, rows.c.position


def group_rows(functions: SearchFunctions, base: str) -> ElementRows:
    """Return the groups of the row of ``User`` of the enclosing statement. ``base`` is the Tenant URL."""
    element = functions.object(
        {
            "value": Group.id.expression,
            "$ref": literal(f"{base}{GROUPS.endpoint}/") + Group.id,
            "display": Group.name_key.expression,
            "type": literal("direct"),
        }
    )
    rows = (
        select(element.label("element"), Group.id.label("position"))
        .select_from(GroupMember)
        .join(Group, (Group.enterprise_id == GroupMember.enterprise_id) & (Group.id == GroupMember.group_id))
        .where(*_OF_USER)
        .correlate(User)
        .subquery()
    )
    return rows, rows.c.element, rows.c.position


def groups_with(user_id: str, enterprise_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that a row of ``Group`` has the member ``user_id``."""
    ids = select(GroupMember.group_id).where(
        GroupMember.enterprise_id == enterprise_id, GroupMember.user_id == fold(user_id)
    )
    return Group.id.in_(ids)


def users_in(group_id: str, enterprise_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that a row of ``User`` is a member of the group ``group_id``."""
    ids = select(GroupMember.user_id).where(
        GroupMember.enterprise_id == enterprise_id, GroupMember.group_id == fold(group_id)
    )
    return User.id.in_(ids)
