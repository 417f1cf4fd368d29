"""Read the groups of users, and let a user leave all groups before the user is deleted."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, case, func, literal_column, null, select, update

from scimsvc.models import Enterprise, Group, GroupMember, User
from scimsvc.store.engine.statements import Query
from scimsvc.store.id_lists import DIALECTS, ids_parameter, listed_ids


class UserGroup(NamedTuple):
    """A group of a user."""

    user_id: str
    group_id: str
    name: str


class LeftGroup(NamedTuple):
    """A group that a user has left."""

    group_id: str
    name: str


_ENTERPRISE_ID = bindparam("enterprise_id", type_=GroupMember.enterprise_id.type)
_USER_ID = bindparam("user_id", type_=GroupMember.user_id.type)
_OF_GROUP = and_(Group.enterprise_id == GroupMember.enterprise_id, Group.id == GroupMember.group_id)
_MEMBERSHIPS = select(GroupMember.user_id, GroupMember.group_id, Group.name).where(
    GroupMember.enterprise_id == _ENTERPRISE_ID
)
GROUPS_OF_USER = Query(
    _MEMBERSHIPS.join(Group, _OF_GROUP).where(GroupMember.user_id == _USER_ID).order_by(GroupMember.group_id), UserGroup
)
#: The groups of users on one page, about 3 MiB of an answer.
MOST_ON_PAGE = 20_000


def _groups_of_users(dialect: str) -> Query[UserGroup]:
    listed = listed_ids(dialect)
    rows = listed.rows.join(GroupMember, GroupMember.user_id == listed.id).join(Group, _OF_GROUP)
    statement = _MEMBERSHIPS.select_from(rows).order_by(listed.position, GroupMember.group_id)
    return Query(statement.limit(bindparam("limit")), UserGroup)


GROUPS_OF_USERS = {dialect: _groups_of_users(dialect) for dialect in DIALECTS}


#: Literally, because a separator as a parameter cannot be prepared.
_COMMA: Any = literal_column("','")
#: The documents of a user's groups for statements that read the user and the enterprise: no statement of its own, and
#: no work in enterprises without groups.
GROUP_DOCUMENTS = case(
    (
        Enterprise.has_groups,
        select(func.aggregate_strings(Group.document, _COMMA))
        .select_from(GroupMember)
        .join(Group, _OF_GROUP)
        .where(GroupMember.enterprise_id == User.enterprise_id, GroupMember.user_id == User.id)
        .scalar_subquery(),
    ),
    else_=null(),
).label("group_documents")


def list_groups_of_users(connection: Connection, enterprise_id: str, user_ids: Sequence[str]) -> list[UserGroup]:
    """Return all groups of the users, in the order of the users and of the IDs of groups."""
    found: list[UserGroup] = []
    while user_ids:
        groups, complete = list_groups_of_page(connection, enterprise_id, user_ids)
        found += groups
        user_ids = user_ids[complete:]
    return found


def list_groups_of_page(
    connection: Connection, enterprise_id: str, user_ids: Sequence[str]
) -> tuple[list[UserGroup], int]:
    """Return the groups of the first users that fit on a page, in order, and the number of these users, at least one.

    Thousands of users who are in thousands of groups would need gigabytes.
    """
    parameters = {"enterprise_id": enterprise_id}
    if len(user_ids) > 1:
        listed = parameters | {"ids": ids_parameter(user_ids), "limit": MOST_ON_PAGE + 1}
        found = GROUPS_OF_USERS[connection.dialect.name].all(connection, listed)
        if len(found) <= MOST_ON_PAGE:
            return found, len(user_ids)
        complete = user_ids.index(found[-1].user_id)  # the groups of this user may have been cut
        if complete:
            return [group for group in found if group.user_id != found[-1].user_id], complete
    return GROUPS_OF_USER.all(connection, parameters | {"user_id": user_ids[0]}), 1


class _GroupId(NamedTuple):
    id: str


#: An UPDATE needs other names of parameters than the columns.
_IN_ENTERPRISE = bindparam("in_enterprise", type_=GroupMember.enterprise_id.type)
_OF_USER = select(GroupMember.group_id).where(
    GroupMember.enterprise_id == _IN_ENTERPRISE, GroupMember.user_id == _USER_ID
)
_LEFT = (Group.enterprise_id == _IN_ENTERPRISE, Group.id.in_(_OF_USER))
#: In order, so that two deletions do not wait for each other.
LOCK_GROUPS_OF_USER = Query(select(Group.id).where(*_LEFT).order_by(Group.id).with_for_update(), _GroupId)
LEAVE = Query(
    update(Group)
    .where(*_LEFT)
    .values(members=Group.members - 1, version=Group.version + 1, modified_at=bindparam("at"))
    .returning(Group.id.label("group_id"), Group.name),
    LeftGroup,
)


def leave_groups(connection: Connection, enterprise_id: str, user_id: str, *, at: str) -> list[LeftGroup]:
    """Count a locked user out of all groups, as new versions of them, and return the groups in the order of their IDs.

    Delete the user in the same transaction. This deletes the memberships.

    The memberships are read again after the groups are locked, because PostgreSQL reads them once for a statement, and
    the change of a group that it waits for may remove the user.
    """
    parameters = {"in_enterprise": enterprise_id, "user_id": user_id}
    if not LOCK_GROUPS_OF_USER.all(connection, parameters):
        return []
    return sorted(LEAVE.all(connection, parameters | {"at": at}))
