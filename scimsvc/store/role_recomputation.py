"""Compute the roles that groups give to users again, after memberships, groups of roles or the order changed.

As in ``role_changes``, statements do all of the work. Their cost depends on the number of candidates, which are found
by index: the users who joined or left, or the members of the groups concerned. A property test compares the result
with ``mapping.resolve.effective_role``.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, case, cast, func, literal, null, select, update
from sqlalchemy.orm import aliased

from scimsvc.models import GroupMember, Role, RoleGroup, Searchable, User
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.feed import GROUP_COLUMNS, hold_feed, insert_selected_changes
from scimsvc.store.filters.search_functions import SEARCH_FUNCTIONS
from scimsvc.store.id_lists import ids_parameter, in_chunks, listed_ids
from scimsvc.store.role_changes import changed_names, replaced_values, work_address
from scimsvc.vocabulary import BY_GROUP, UPDATED


@dataclass(frozen=True, slots=True)
class DefaultRole:
    """The default role of the enterprise, which users without another role have."""

    id: str
    name: str
    restricts: bool


class _Count(NamedTuple):
    users: int


class _Id(NamedTuple):
    id: str


def _first_role(column: Any) -> Any:
    """Return ``column`` of the first role, in the enterprise's order, that the groups of a user give."""
    role = aliased(Role)
    statement = (
        select(getattr(role, column.key))
        .select_from(GroupMember)
        .join(RoleGroup, and_(RoleGroup.enterprise_id == GroupMember.enterprise_id,
                              RoleGroup.group_id == GroupMember.group_id))
        .join(role, and_(role.enterprise_id == RoleGroup.enterprise_id, role.id == RoleGroup.role_id))
        .where(GroupMember.enterprise_id == User.enterprise_id, GroupMember.user_id == User.id)
        .order_by(role.position)
        .limit(1)
    )  # fmt: skip
    return statement.correlate(User).scalar_subquery()


class Candidates:
    """Users whose role from groups may be another one now: users by ID, or the members of groups."""

    def __init__(self, enterprise_id: str, condition: ColumnElement[bool], parameters: dict[str, Any]) -> None:
        self.where = (User.enterprise_id == enterprise_id, condition)
        self.parameters = parameters

    @classmethod
    def by_id(cls, dialect: str, enterprise_id: str, user_ids: Iterable[str]) -> list["Candidates"]:
        """Return the users with these IDs, in portions that a statement takes."""
        condition = User.id.in_(select(listed_ids(dialect).id))
        return [cls(enterprise_id, condition, {"ids": ids_parameter(ids)}) for ids in in_chunks(user_ids)]

    @classmethod
    def of_groups(cls, enterprise_id: str, group_ids: Sequence[str]) -> list["Candidates"]:
        """Return the members of the groups with these IDs."""
        members = select(GroupMember.user_id).where(
            GroupMember.enterprise_id == enterprise_id, GroupMember.group_id.in_(group_ids)
        )
        return [cls(enterprise_id, User.id.in_(members), {})] if group_ids else []


def lock_candidates(connection: Connection, candidates: Iterable[Candidates]) -> None:
    """Lock the users until the end of the transaction, in the order of their IDs. Lock them before the feed."""
    if connection.dialect.name != "postgresql":
        return
    for each in candidates:
        statement = select(User.id).where(*each.where).order_by(User.id).with_for_update(key_share=True)
        Query(statement, _Id, dynamic=True).all(connection, each.parameters)


def count_losers(connection: Connection, candidates: Iterable[Candidates]) -> int:
    """Return how many candidates would lose the role that they have from groups, and get no other one from groups."""
    losing = (User.role_id.is_(None), User.group_role_id.is_not(None), _first_role(Role.id).is_(None))
    return sum(
        Query(select(func.count().label("users")).where(*each.where, *losing), _Count, dynamic=True)
        .one(connection, each.parameters)
        .users
        for each in candidates
    )


def recompute_roles(
    connection: Connection, enterprise_id: str, candidates: Iterable[Candidates], default: DefaultRole, *, at: str
) -> int:
    """Set the role from groups of each candidate, with a change in the feed if the user's role is another one now.

    Return the number of users whose role changes.
    """
    hold_feed(connection, enterprise_id)
    return sum(_recompute(connection, enterprise_id, each, default, at=at) for each in candidates)


def _recompute(connection: Connection, enterprise_id: str, each: Candidates, default: DefaultRole, *, at: str) -> int:
    new_id = _first_role(Role.id)
    differs = new_id.is_distinct_from(User.group_role_id)
    # The column does not matter while a role that was sent applies.
    applies = User.role_id.is_(None)
    functions = SEARCH_FUNCTIONS[connection.dialect.name]
    document: Any = User.document
    if connection.dialect.name == "postgresql":
        document = cast(User.document, Searchable)
    restricts = and_(applies, func.coalesce(_first_role(Role.restrict_editing), default.restricts))
    values = replaced_values(functions, document, under=restricts)
    is_other = func.coalesce(new_id, default.id) != func.coalesce(User.group_role_id, default.id)
    changes = select(
        *_change_columns(default, changed_names(values, ("roles",)), work_address(functions, document), at=at)
    ).where(*each.where, differs, applies, is_other)
    number = Query(
        select(func.count().label("users")).where(*each.where, differs, applies, is_other), _Count, dynamic=True
    )
    changed = number.one(connection, each.parameters).users
    if changed:
        insert_selected_changes(connection, enterprise_id, changes, order_by=User.id, parameters=each.parameters)
    new: dict[Any, Any] = {
        value.column: case((value.is_replaced, value.directory), else_=value.column) for value in values
    }
    new |= {
        User.group_role_id: new_id,
        User.version: User.version + case((applies, 1), else_=0),
        User.modified_at: case((applies, at), else_=User.modified_at),
        User.revision: User.revision + case((applies, 1), else_=0),
        User.changed_at: case((applies, at), else_=User.changed_at),
    }
    Write(update(User).where(*each.where, differs).values(new), dynamic=True).run(connection, each.parameters)
    return changed


class WrongRole(NamedTuple):
    """A user whose stored role from groups is not the one that the user's groups give."""

    enterprise_id: str
    user_id: str


WRONG_ROLES = Query(
    select(User.enterprise_id, User.id).where(_first_role(Role.id).is_distinct_from(User.group_role_id)), WrongRole
)


def iterate_wrong_roles(connection: Connection) -> Iterator[WrongRole]:
    """Yield the users whose stored role from groups is wrong."""
    return WRONG_ROLES.iterate(connection)


def _change_columns(default: DefaultRole, changed: Any, email: Any, *, at: str) -> list[Any]:
    """Return the columns of ``ChangeRow`` of a user whose role from groups changes."""
    old = aliased(Role)
    old_name = select(old.name).where(old.enterprise_id == User.enterprise_id, old.id == User.group_role_id)
    return [
        literal(at),
        literal(UPDATED),
        User.id,
        email,
        changed,
        func.coalesce(_first_role(Role.name), default.name),
        User.active,
        func.coalesce(old_name.correlate(User).scalar_subquery(), default.name),
        User.active,
        literal(BY_GROUP),
        *(null() for _ in GROUP_COLUMNS),
    ]
