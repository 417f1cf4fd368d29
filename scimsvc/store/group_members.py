"""Read and change the members of groups.

A change adds, removes or replaces members with one statement for thousands of IDs. Its cost depends on the number of
these IDs, not on the size of the group: rows are found by index, and the group's row counts its members. Use it only
on a group that the transaction has locked.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    cast,
    delete,
    exists,
    func,
    insert,
    literal_column,
    select,
)
from sqlalchemy.orm import aliased

from scimsvc.models import GroupMember, Searchable, User
from scimsvc.protocol.limits import MAX_KEY_LENGTH
from scimsvc.store.engine.statements import Query
from scimsvc.store.engine.transactions import reading
from scimsvc.store.filters.search_functions import SEARCH_FUNCTIONS
from scimsvc.store.id_lists import DIALECTS, ids_parameter, in_chunks, is_one_of, listed_ids


class UnknownMembers(Exception):
    """IDs that are not IDs of users of the enterprise."""

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__(ids)
        self.ids = ids


class MemberCounts(Protocol):
    """A locked group."""

    @property
    def id(self) -> str:
        """The ID of the group."""

    @property
    def members(self) -> int:
        """The number of members."""

    @property
    def joined(self) -> int:
        """The position of the newest member."""


class MemberRow(NamedTuple):
    """A member of a group, in the order of joining by ``position``."""

    position: int
    user_id: str
    #: The displayName of the user, or else the userName.
    display: str | None


class GroupMemberRow(NamedTuple):
    """A member of one of several groups."""

    group_id: str
    user_id: str
    #: The displayName of the user, or else the userName.
    display: str | None


class _UserId(NamedTuple):
    user_id: str


_ENTERPRISE_ID = bindparam("in_enterprise", type_=GroupMember.enterprise_id.type)
_GROUP_ID = bindparam("of_group", type_=GroupMember.group_id.type)
_OF_GROUP = (GroupMember.enterprise_id == _ENTERPRISE_ID, GroupMember.group_id == _GROUP_ID)
_OF_ENTERPRISE = User.enterprise_id == _ENTERPRISE_ID


def _of_member(user_id: ColumnElement[str], column: Any) -> ColumnElement[Any]:
    """Return a ``column`` of the row of the member ``user_id``, or null.

    A planner that knows nothing about a group may read all of its members by the primary key. A range of one ID instead
    of an equality makes the index by user the better one in any case. The subquery for a value is not joined.
    """
    return (
        select(column)
        .select_from(_MEMBER)
        .where(_MEMBER.enterprise_id == _ENTERPRISE_ID, _MEMBER.user_id == user_id)
        .where(_MEMBER.group_id >= _GROUP_ID, _MEMBER.group_id <= _GROUP_ID)
        .scalar_subquery()
    )


_MEMBER = aliased(GroupMember, name="member")


def _add(dialect: str) -> Query[_UserId]:
    """Insert those of the IDs that are users and not yet members.

    PostgreSQL first locks the users, so that one who is being deleted is awaited, and then not found.
    """
    listed = listed_ids(dialect)
    new = (
        select(User.id.label("user_id"), listed.position.label("number"))
        .select_from(listed.rows.join(User, User.id == listed.id))
        .where(_OF_ENTERPRISE, _of_member(listed.id, _MEMBER.position).is_(None))
        .with_for_update(read=True, key_share=True, of=User)
        .cte("new")
    )
    position = bindparam("after", type_=GroupMember.position.type) + func.row_number().over(order_by=new.c.number)
    rows = select(_ENTERPRISE_ID, _GROUP_ID, position, new.c.user_id)
    columns = ["enterprise_id", "group_id", "position", "user_id"]
    return Query(insert(GroupMember).from_select(columns, rows).returning(GroupMember.user_id), _UserId)


def _remove(dialect: str) -> Query[_UserId]:
    listed = listed_ids(dialect)
    if dialect == "sqlite":
        positions = select(_of_member(listed.id, _MEMBER.position)).select_from(listed.rows)
        statement = delete(GroupMember).where(*_OF_GROUP, GroupMember.position.in_(positions))
    else:
        # By the places of rows. For a key, PostgreSQL may read the whole group.
        places = select(_of_member(listed.id, literal_column("member.ctid"))).select_from(listed.rows)
        is_place = is_one_of(literal_column("group_members.ctid"), places, dialect)
        statement = delete(GroupMember).where(GroupMember.enterprise_id == _ENTERPRISE_ID, is_place)
    return Query(statement.returning(GroupMember.user_id), _UserId)


def _remove_others(dialect: str) -> Query[_UserId]:
    listed = listed_ids(dialect)
    statement = delete(GroupMember).where(*_OF_GROUP, GroupMember.user_id.not_in(select(listed.id)))
    return Query(statement.returning(GroupMember.user_id), _UserId)


def _unknown(dialect: str) -> Query[_UserId]:
    listed = listed_ids(dialect)
    known = exists().where(_OF_ENTERPRISE, User.id == listed.id)
    return Query(select(listed.id.label("user_id")).select_from(listed.rows).where(~known), _UserId)


ADD = {dialect: _add(dialect) for dialect in DIALECTS}
REMOVE = {dialect: _remove(dialect) for dialect in DIALECTS}
REMOVE_OTHERS = {dialect: _remove_others(dialect) for dialect in DIALECTS}
UNKNOWN = {dialect: _unknown(dialect) for dialect in DIALECTS}
REMOVE_ALL = Query(delete(GroupMember).where(*_OF_GROUP).returning(GroupMember.user_id), _UserId)


class GroupMembers:
    """The members of a locked group, and what a transaction has changed about them.

    ``added`` and ``removed`` are the differences to the members at the beginning. Store the counts in the group's row
    with ``groups.update_group``.
    """

    def __init__(self, connection: Connection, enterprise_id: str, group: MemberCounts) -> None:
        self._connection = connection
        self._dialect = connection.dialect.name
        self._key = {"in_enterprise": enterprise_id, "of_group": group.id}
        self.count = group.members
        self.joined = group.joined
        #: Whether a row was inserted or deleted, although the difference may be nothing in the end.
        self.is_changed = False
        self._added: dict[str, None] = {}
        self._removed: dict[str, None] = {}

    @property
    def added(self) -> list[str]:
        """The IDs of the users who joined, in order."""
        return list(self._added)

    @property
    def removed(self) -> list[str]:
        """The IDs of the users who left."""
        return list(self._removed)

    def add(self, user_ids: Iterable[str]) -> None:
        """Add those users who are not members yet, after the present members.

        Raises ``UnknownMembers`` for IDs that are not users of the enterprise. Then roll back.
        """
        for ids in in_chunks(user_ids):
            parameters = {**self._key, "ids": ids_parameter(ids)}
            rows = ADD[self._dialect].all(self._connection, {**parameters, "after": self.joined})
            new = {row.user_id for row in rows}
            self.joined += len(new)
            self.count += len(new)
            self._note([each for each in ids if each in new], self._added, self._removed)
            unknown = UNKNOWN[self._dialect].all(self._connection, parameters) if len(new) < len(ids) else []
            if unknown:
                raise UnknownMembers([row.user_id for row in unknown])

    def remove(self, user_ids: Iterable[str]) -> None:
        """Remove those of the users who are members. Other IDs are ignored."""
        for ids in in_chunks(user_ids):
            self._note_removal(REMOVE, {"ids": ids_parameter(ids)}, ids)

    def remove_all(self) -> None:
        """Remove all members. The cost depends on the size of the group."""
        rows = REMOVE_ALL.all(self._connection, self._key)
        self._count_removed([row.user_id for row in rows])

    def replace(self, user_ids: Iterable[str]) -> None:
        """Make the users the only members: remove the others, and add those who are missing.

        Raises ``UnknownMembers``. The cost depends on the size of the group.
        """
        ids = list(dict.fromkeys(user_ids))
        self._note_removal(REMOVE_OTHERS, {"ids": ids_parameter(ids)}, ())
        self.add(ids)

    def _note_removal(self, queries: dict[str, Query[_UserId]], parameters: dict[str, str], ids: Sequence[str]) -> None:
        rows = queries[self._dialect].all(self._connection, {**self._key, **parameters})
        gone = {row.user_id for row in rows}
        self._count_removed([each for each in ids if each in gone] or sorted(gone))

    def _count_removed(self, ids: Sequence[str]) -> None:
        self.count -= len(ids)
        self._note(ids, self._removed, self._added)

    def _note(self, ids: Sequence[str], side: dict[str, None], other: dict[str, None]) -> None:
        """Add ``ids`` to one side of the difference, unless the other side has them."""
        self.is_changed = self.is_changed or bool(ids)
        for each in ids:
            if each in other:
                del other[each]
            else:
                side[each] = None


# Read members.

#: The characters of a name that are answered with a member. A userName has at most as many, and a displayName may have
#: thousands. Literally, because it is a part of prepared statements.
_LONGEST_DISPLAY: Any = literal_column(str(MAX_KEY_LENGTH))


def _members(dialect: str) -> Query[MemberRow]:
    statement = (
        _with_document(dialect, GroupMember.position)
        .where(*_OF_GROUP, GroupMember.position > bindparam("after", type_=GroupMember.position.type))
        .order_by(GroupMember.position)
        .limit(bindparam("limit"))
    )
    read, display = _with_display(statement, dialect)
    return Query(select(read.c.position, read.c.user_id, display).order_by(read.c.position), MemberRow)


def _members_of_groups(dialect: str) -> Query[GroupMemberRow]:
    statement = _with_document(dialect, GroupMember.group_id, GroupMember.position).where(
        GroupMember.enterprise_id == _ENTERPRISE_ID, GroupMember.group_id.in_(select(listed_ids(dialect).id))
    )
    read, display = _with_display(statement, dialect)
    columns = select(read.c.group_id, read.c.user_id, display)
    return Query(columns.order_by(read.c.group_id, read.c.position), GroupMemberRow)


def _with_document(dialect: str, *columns: Any) -> Select[Any]:
    """Return the statement that reads ``columns`` of memberships, the users and their documents."""
    document: Any = User.document if dialect == "sqlite" else cast(User.document, Searchable)
    of_user = (User.enterprise_id == GroupMember.enterprise_id) & (User.id == GroupMember.user_id)
    return select(*columns, GroupMember.user_id, document.label("document")).join(User, of_user)


def _with_display(statement: Select[Any], dialect: str) -> tuple[Any, ColumnElement[str]]:
    """Return ``statement`` as a subquery, and the name of the user in its rows."""
    # OFFSET prevents PostgreSQL from parsing the document for each member that is read from it.
    read = statement.offset(0).subquery()
    functions = SEARCH_FUNCTIONS[dialect]
    names = (functions.member(read.c.document, (name,)) for name in ("displayName", "userName"))
    return read, func.substr(func.coalesce(*names), 1, _LONGEST_DISPLAY).label("display")


MEMBERS = {dialect: _members(dialect) for dialect in DIALECTS}
MEMBERS_OF_GROUPS = {dialect: _members_of_groups(dialect) for dialect in DIALECTS}
_EVERYONE = 2**62


def list_members(
    enterprise_id: str, group_id: str, *, after: int = 0, limit: int | None = None, connection: Connection | None = None
) -> list[MemberRow]:
    """Return the members of the group after the position ``after``, in the order of joining.

    Reads with ``connection``, or else outside of a transaction. Without ``limit``, return all of them.
    """
    parameters: dict[str, Any] = {
        "in_enterprise": enterprise_id,
        "of_group": group_id,
        "after": after,
        "limit": _EVERYONE if limit is None else limit,
    }
    if connection is not None:
        return MEMBERS[connection.dialect.name].all(connection, parameters)
    with reading() as own:
        return MEMBERS[own.dialect.name].all(own, parameters)


def list_members_of_groups(
    connection: Connection, enterprise_id: str, group_ids: Sequence[str]
) -> list[GroupMemberRow]:
    """Return the members of several groups, in the order of the IDs of the groups and of joining."""
    parameters = {"in_enterprise": enterprise_id, "ids": ids_parameter(group_ids)}
    return MEMBERS_OF_GROUPS[connection.dialect.name].all(connection, parameters)
