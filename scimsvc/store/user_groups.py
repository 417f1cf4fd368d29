"""Read the groups of users, and let a user leave all groups before the user is deleted."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, case, func, literal_column, null, select, update

from scimsvc.models import Enterprise, Group, GroupMember, User
from scimsvc.store.engine.statements import Query
from scimsvc.store.id_lists import DIALECTS, ids_parameter, is_one_of, listed_ids


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
_MEMBERSHIPS = (
    select(GroupMember.user_id, GroupMember.group_id, Group.name)
    .join(Group, (Group.enterprise_id == GroupMember.enterprise_id) & (Group.id == GroupMember.group_id))
    .where(GroupMember.enterprise_id == _ENTERPRISE_ID)
)
GROUPS_OF_USER = Query(_MEMBERSHIPS.where(GroupMember.user_id == _USER_ID).order_by(GroupMember.group_id), UserGroup)


def _groups_of_users(dialect: str) -> Query[UserGroup]:
    condition = is_one_of(GroupMember.user_id, select(listed_ids(dialect).id), dialect)
    return Query(_MEMBERSHIPS.where(condition).order_by(GroupMember.user_id, GroupMember.group_id), UserGroup)


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
        .join(Group, and_(Group.enterprise_id == GroupMember.enterprise_id, Group.id == GroupMember.group_id))
        .where(GroupMember.enterprise_id == User.enterprise_id, GroupMember.user_id == User.id)
        .scalar_subquery(),
    ),
    else_=null(),
).label("group_documents")


def list_groups_of_users(connection: Connection, enterprise_id: str, user_ids: Sequence[str]) -> list[UserGroup]:
    """Return the groups of the users, in the order of the IDs of users and groups."""
    if len(user_ids) == 1:
        return GROUPS_OF_USER.all(connection, {"enterprise_id": enterprise_id, "user_id": user_ids[0]})
    parameters = {"enterprise_id": enterprise_id, "ids": ids_parameter(user_ids)}
    return GROUPS_OF_USERS[connection.dialect.name].all(connection, parameters)


class _GroupId(NamedTuple):
    id: str


_OF_USER = select(GroupMember.group_id).where(
    GroupMember.enterprise_id == _ENTERPRISE_ID, GroupMember.user_id == _USER_ID
)
_LEFT = (Group.enterprise_id == _ENTERPRISE_ID, Group.id.in_(_OF_USER))
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
    parameters = {"enterprise_id": enterprise_id, "user_id": user_id}
    if not LOCK_GROUPS_OF_USER.all(connection, parameters):
        return []
    return sorted(LEAVE.all(connection, parameters | {"at": at}))
