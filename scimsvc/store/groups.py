"""Read, insert, update and delete groups. ``group_members`` has their members.

A group is locked after its enterprise, and before its members and the change feed.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, insert, null, select, update
from sqlalchemy.exc import IntegrityError

from scimsvc.models import Enterprise, Group
from scimsvc.protocol.attributes import fold
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.engine.transactions import read_rows, writing
from scimsvc.store.group_members import GroupMembers
from scimsvc.store.group_representations import StoredGroup


class GroupNameTaken(Exception):
    """Another group of the enterprise has the displayName, and the enterprise requires unique names."""


class GroupToChange(NamedTuple):
    """A group to change. The first columns are those of ``StoredGroup``."""

    id: str
    document: str
    version: int
    members: int
    created_at: str
    modified_at: str
    name: str
    joined: int


ENTERPRISE_ID = bindparam("enterprise_id", type_=Group.enterprise_id.type)
ID = bindparam("id", type_=Group.id.type)
KEY = bindparam("key", type_=Group.name_key.type)
_IN_ENTERPRISE = Group.enterprise_id == ENTERPRISE_ID
#: The columns of ``StoredGroup``, in order.
REPRESENTED: tuple[Any, ...] = tuple(getattr(Group, name) for name in StoredGroup._fields)
_GROUPS = select(*REPRESENTED).where(_IN_ENTERPRISE)
GROUP = Query(_GROUPS.where(Group.id == ID), StoredGroup)
GROUPS_BY_NAME = Query(_GROUPS.where(Group.name_key == KEY).order_by(Group.id).limit(bindparam("limit")), StoredGroup)
GROUP_FOR_UPDATE = Query(
    select(*REPRESENTED, Group.name, Group.joined).where(_IN_ENTERPRISE, Group.id == ID).with_for_update(),
    GroupToChange,
)


def find_group(enterprise_id: str, group_id: str) -> StoredGroup | None:
    """Return the group with the ID ``group_id``, outside of a transaction."""
    rows = read_rows(GROUP, {"enterprise_id": enterprise_id, "id": group_id})
    return rows[0] if rows else None


def read_group(connection: Connection, enterprise_id: str, group_id: str) -> StoredGroup | None:
    """Return the group with the ID ``group_id``."""
    return GROUP.first(connection, {"enterprise_id": enterprise_id, "id": group_id})


def list_groups_by_name(enterprise_id: str, name: str, *, limit: int) -> list[StoredGroup]:
    """Return at most ``limit`` groups with the displayName ``name``, ignoring case, outside of a transaction."""
    return read_rows(GROUPS_BY_NAME, {"enterprise_id": enterprise_id, "key": fold(name), "limit": limit})


def lock_group(connection: Connection, enterprise_id: str, group_id: str) -> GroupToChange | None:
    """Lock the group until the end of the transaction, and return it. Lock the enterprise first."""
    return GROUP_FOR_UPDATE.first(connection, {"enterprise_id": enterprise_id, "id": group_id})


# Write groups.

#: Parameters of the condition need other names than the columns that the statement sets.
_OWN_ROW = (Group.enterprise_id == bindparam("key_enterprise_id"), Group.id == bindparam("key_id"))
_COUNTS = ("members", "joined", "version", "modified_at")
_DERIVED = ("name", "name_key", "unique_name_key", "external_id", "document", "search")
_NEW: dict[str, Any] = {column.name: bindparam(f"new_{column.name}") for column in Group.__table__.columns}
_INSERT = Write(insert(Group).values(_NEW))
_UPDATE = Write(update(Group).where(*_OWN_ROW).values({name: _NEW[name] for name in _COUNTS + _DERIVED}))
#: SQLite rewrites the index of every column that is set, even if it is unchanged.
_UPDATE_COUNTS = Write(update(Group).where(*_OWN_ROW).values({name: _NEW[name] for name in _COUNTS}))
_DELETE = Write(delete(Group).where(*_OWN_ROW))
_MARK = Write(
    update(Enterprise).where(Enterprise.id == ENTERPRISE_ID, ~Enterprise.has_groups).values(has_groups=True), columns=[]
)


def mark_groups(enterprise_id: str) -> None:
    """Note that the enterprise has groups, in a transaction of its own, before the first group is created.

    The transaction that creates the group shares a lock on the enterprise, and must not need an exclusive one.
    """
    with writing() as connection:
        _MARK.run(connection, {"enterprise_id": enterprise_id})


def insert_group(
    connection: Connection,
    enterprise_id: str,
    group_id: str,
    columns: Mapping[str, Any],
    user_ids: Iterable[str] = (),
    *,
    at: str,
) -> tuple[StoredGroup, list[str]]:
    """Insert a group with members, and return the group and its members.

    ``columns`` is the result of ``group_columns``. Raises ``GroupNameTaken`` or ``UnknownMembers``.
    """
    row = {"enterprise_id": enterprise_id, "id": group_id, **columns, "members": 0, "joined": 0}
    row |= {"version": 1, "created_at": at, "modified_at": at}
    _write(_INSERT, connection, row, enterprise_id)
    group = GroupToChange(**{name: row[name] for name in GroupToChange._fields})
    members = GroupMembers(connection, enterprise_id, group)
    members.add(user_ids)
    if members.is_changed:
        row |= {"members": members.count, "joined": members.joined}
        _write(_UPDATE_COUNTS, connection, {name: row[name] for name in _COUNTS}, enterprise_id, group_id)
    return StoredGroup(group_id, row["document"], 1, members.count, at, at), members.added


def update_group(
    connection: Connection,
    enterprise_id: str,
    group: GroupToChange,
    columns: Mapping[str, Any] | None,
    members: GroupMembers | None = None,
    *,
    at: str,
) -> StoredGroup:
    """Update a locked group as a new version, and return the group.

    ``columns`` is the result of ``group_columns``, or None for the same document. ``members`` has changed the members
    already. Raises ``GroupNameTaken``.
    """
    new: dict[str, Any] = {
        "version": group.version + 1,
        "modified_at": at,
        "members": group.members if members is None else members.count,
        "joined": group.joined if members is None else members.joined,
    }
    document = group.document
    if columns is not None:
        document = columns["document"]
    _write(
        _UPDATE_COUNTS if columns is None else _UPDATE, connection, {**(columns or {}), **new}, enterprise_id, group.id
    )
    return StoredGroup(group.id, document, new["version"], new["members"], group.created_at, at)


def delete_group(connection: Connection, enterprise_id: str, group_id: str) -> None:
    """Delete a group with its memberships."""
    _write(_DELETE, connection, {}, enterprise_id, group_id)


def _write(
    statement: Write,
    connection: Connection,
    columns: Mapping[str, Any],
    enterprise_id: str,
    group_id: str = "",
) -> None:
    parameters = {f"new_{name}": value for name, value in columns.items()}
    key = {"key_enterprise_id": enterprise_id, "key_id": group_id}
    try:
        statement.run(connection, parameters | key if group_id else parameters)
    except IntegrityError as error:
        constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None) or str(error.orig)
        if "unique_name" not in constraint:
            raise
        raise GroupNameTaken from None


# Unique names.


class DuplicateGroupName(NamedTuple):
    """A folded displayName that several groups share."""

    name_key: str
    groups: int


_DUPLICATE_NAMES = Query(
    select(Group.name_key, func.count().label("groups"))
    .where(_IN_ENTERPRISE)
    .group_by(Group.name_key)
    .having(func.count() > 1)
    .order_by(Group.name_key)
    .limit(20),
    DuplicateGroupName,
)
_FILL_UNIQUE_NAMES = Write(update(Group).where(_IN_ENTERPRISE).values(unique_name_key=Group.name_key), columns=[])
_EMPTY_UNIQUE_NAMES = Write(update(Group).where(_IN_ENTERPRISE).values(unique_name_key=null()), columns=[])


def list_duplicate_group_names(connection: Connection, enterprise_id: str) -> list[DuplicateGroupName]:
    """Return the first displayNames that several groups of the enterprise share."""
    return _DUPLICATE_NAMES.all(connection, {"enterprise_id": enterprise_id})


def update_unique_group_names(connection: Connection, enterprise_id: str, *, unique: bool) -> None:
    """Fill or clear the column with the unique index on displayNames."""
    (_FILL_UNIQUE_NAMES if unique else _EMPTY_UNIQUE_NAMES).run(connection, {"enterprise_id": enterprise_id})


class GroupCounts(NamedTuple):
    """The number of an enterprise's groups, and of their members together."""

    enterprise_id: str
    groups: int
    members: int


_GROUP_COUNTS = Query(
    select(Group.enterprise_id, func.count().label("groups"), func.sum(Group.members).label("members")).group_by(
        Group.enterprise_id
    ),
    GroupCounts,
)


def list_group_counts(connection: Connection) -> list[GroupCounts]:
    """Return the number of groups and members of each enterprise that has groups."""
    return _GROUP_COUNTS.all(connection)
