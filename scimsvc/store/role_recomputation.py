"""Compute the roles that groups give to users again, after memberships, groups of roles or the order changed.

As in ``role_changes``, statements do all of the work. Their cost depends on the number of candidates, which are found
by index: the users who joined or left, or the members of the groups concerned. A property test compares the result
with ``mapping.resolve.effective_role``.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Integer,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.orm import aliased

from scimsvc.models import Change, GroupMember, Role, RoleGroup, Searchable, User
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.feed import GROUP_COLUMNS, ChangeRow, advance_feed, lock_feed
from scimsvc.store.filters.search_functions import SEARCH_FUNCTIONS
from scimsvc.store.id_lists import DIALECTS, ids_parameter, in_chunks, is_one_of, listed_ids
from scimsvc.store.role_changes import EffectiveValue, changed_names, replaced_values, work_address
from scimsvc.vocabulary import BY_GROUP, UPDATED


@dataclass(frozen=True, slots=True)
class DefaultRole:
    """The default role of the enterprise, which users without another role have."""

    id: str
    name: str
    restricts: bool


class Candidates(NamedTuple):
    """Users whose role from groups may be another one now: ``USERS`` by ID, or the members of ``GROUPS`` by ID."""

    kind: str
    #: The value of the parameter ``ids``.
    ids: str

    @classmethod
    def by_id(cls, user_ids: Iterable[str]) -> list["Candidates"]:
        """Return the users with these IDs, in portions that a statement takes."""
        return [cls(USERS, ids_parameter(ids)) for ids in in_chunks(user_ids)]

    @classmethod
    def of_groups(cls, group_ids: Iterable[str]) -> list["Candidates"]:
        """Return the members of the groups with these IDs."""
        return [cls(GROUPS, ids_parameter(ids)) for ids in in_chunks(group_ids)]


USERS, GROUPS = "users", "groups"


class _Count(NamedTuple):
    users: int


class _Id(NamedTuple):
    id: str


# The parts of the statements. Each parameter has another name than the columns that a statement sets.

_ENTERPRISE_ID = bindparam("in_enterprise", type_=User.enterprise_id.type)
_AT = bindparam("at", type_=Text)
_DEFAULT_ID = bindparam("default_id", type_=Text)
_DEFAULT_NAME = bindparam("default_name", type_=Text)
_DEFAULT_RESTRICTS = bindparam("default_restricts", type_=Boolean)
#: Whether any role restricts editing. Otherwise documents are not read for values to replace.
_MAY_RESTRICT = bindparam("may_restrict", type_=Boolean)
#: The condition of a role from groups. SQLite must not search by the role, because that index has most of the users.
_APPLIES = func.coalesce(User.role_id, literal_column("''")) == literal_column("''")


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
        .limit(literal_column("1"))
    )  # fmt: skip
    return statement.correlate(User).scalar_subquery()


_NEW_ID = _first_role(Role.id)


def _candidates(dialect: str, kind: str) -> tuple[ColumnElement[bool], ...]:
    ids = select(listed_ids(dialect).id)
    if kind == USERS:
        return (User.enterprise_id == _ENTERPRISE_ID, is_one_of(User.id, ids, dialect))
    of_groups = is_one_of(GroupMember.group_id, ids, dialect)
    members = select(GroupMember.user_id).where(GroupMember.enterprise_id == _ENTERPRISE_ID, of_groups)
    return (User.enterprise_id == _ENTERPRISE_ID, User.id.in_(members))


def _values(dialect: str) -> list[EffectiveValue]:
    """Return the effective values that the directory's replace, if the user's role from now on restricts editing."""
    restricts = func.coalesce(_first_role(Role.restrict_editing), _DEFAULT_RESTRICTS)
    return replaced_values(
        SEARCH_FUNCTIONS[dialect], _document(dialect), under=and_(_MAY_RESTRICT, _APPLIES, restricts)
    )


def _document(dialect: str) -> Any:
    return cast(User.document, Searchable) if dialect == "postgresql" else User.document.expression


# The statements, by kind of database and of candidates.


def _lock(dialect: str, kind: str) -> Query[_Id]:
    statement = select(User.id).where(*_candidates(dialect, kind)).order_by(User.id).with_for_update(key_share=True)
    return Query(statement, _Id)


def _losers(dialect: str, kind: str) -> Query[_Count]:
    losing = (_APPLIES, User.group_role_id.is_not(None), _NEW_ID.is_(None))
    return Query(select(func.count().label("users")).where(*_candidates(dialect, kind), *losing), _Count)


def _enter(dialect: str, kind: str) -> Write:
    """Add a change to the feed for each user whose role is another one now."""
    old = aliased(Role)
    old_name = select(old.name).where(old.enterprise_id == User.enterprise_id, old.id == User.group_role_id)
    columns: list[Any] = [
        _AT,
        literal_column(f"'{UPDATED}'"),
        User.id,
        work_address(SEARCH_FUNCTIONS[dialect], _document(dialect)),
        changed_names(_values(dialect), ("roles",)),
        func.coalesce(_first_role(Role.name), _DEFAULT_NAME),
        User.active,
        func.coalesce(old_name.correlate(User).scalar_subquery(), _DEFAULT_NAME),
        User.active,
        literal_column(f"'{BY_GROUP}'"),
        *(null() for _ in GROUP_COLUMNS),
        _ENTERPRISE_ID,
        bindparam("newest", type_=Integer) + func.row_number().over(order_by=User.id),
        bindparam("all_users", type_=Integer),
    ]
    is_other = func.coalesce(_NEW_ID, _DEFAULT_ID) != func.coalesce(User.group_role_id, _DEFAULT_ID)
    rows = select(*columns).where(*_candidates(dialect, kind), _APPLIES, is_other)
    return Write(insert(Change).from_select([*ChangeRow._fields, "enterprise_id", "number", "users"], rows), columns=[])


def _replace_values(dialect: str, kind: str) -> Write:
    values = _values(dialect)
    new: dict[Any, Any] = {
        value.column: case((value.is_replaced, value.directory), else_=value.column) for value in values
    }
    is_replaced = or_(*(value.is_replaced for value in values))
    differs = _NEW_ID.is_distinct_from(User.group_role_id)
    statement = update(User).where(*_candidates(dialect, kind), is_replaced, differs)
    return Write(statement.values(new), columns=[])


def _set_role(dialect: str, kind: str) -> Write:
    """Store the role. The user's versions move only if the role applies."""
    new: dict[Any, Any] = {
        User.group_role_id: _NEW_ID,
        User.version: User.version + case((_APPLIES, literal_column("1")), else_=literal_column("0")),
        User.modified_at: case((_APPLIES, _AT), else_=User.modified_at),
        User.revision: User.revision + case((_APPLIES, literal_column("1")), else_=literal_column("0")),
        User.changed_at: case((_APPLIES, _AT), else_=User.changed_at),
    }
    differs = _NEW_ID.is_distinct_from(User.group_role_id)
    return Write(update(User).where(*_candidates(dialect, kind), differs).values(new), columns=[])


_KINDS = [(dialect, kind) for dialect in DIALECTS for kind in (USERS, GROUPS)]
RESTRICTING_ROLES = Query(
    select(func.count().label("users")).where(Role.enterprise_id == _ENTERPRISE_ID, Role.restrict_editing), _Count
)
LOCK = {key: _lock(*key) for key in _KINDS}
LOSERS = {key: _losers(*key) for key in _KINDS}
ENTER = {key: _enter(*key) for key in _KINDS}
REPLACE_VALUES = {key: _replace_values(*key) for key in _KINDS}
SET_ROLE = {key: _set_role(*key) for key in _KINDS}


def lock_candidates(connection: Connection, enterprise_id: str, candidates: Iterable[Candidates]) -> None:
    """Lock the users until the end of the transaction, in the order of their IDs. Lock them before the feed."""
    if connection.dialect.name == "postgresql":
        for kind, ids in candidates:
            LOCK["postgresql", kind].all(connection, {"in_enterprise": enterprise_id, "ids": ids})


def count_losers(connection: Connection, enterprise_id: str, candidates: Iterable[Candidates]) -> int:
    """Return how many candidates would lose the role that they have from groups, and get no other one from groups."""
    dialect = connection.dialect.name
    return sum(
        LOSERS[dialect, kind].one(connection, {"in_enterprise": enterprise_id, "ids": ids}).users
        for kind, ids in candidates
    )


def recompute_roles(
    connection: Connection, enterprise_id: str, candidates: Iterable[Candidates], default: DefaultRole, *, at: str
) -> None:
    """Set the role from groups of each candidate, with a change in the feed if the user's role is another one now.

    ``at`` is the time of the changes.
    """
    end, entered = lock_feed(connection, enterprise_id), 0
    dialect = connection.dialect.name
    may_restrict = RESTRICTING_ROLES.one(connection, {"in_enterprise": enterprise_id}).users > 0
    restricting = {"default_restricts": default.restricts, "may_restrict": may_restrict}
    new_default = {"default_id": default.id, "default_name": default.name, **restricting}
    for kind, ids in candidates:
        parameters = {"in_enterprise": enterprise_id, "ids": ids}
        feed = {"newest": end.number + entered, "all_users": end.users, "at": at}
        entered += ENTER[dialect, kind].run(connection, {**parameters, **new_default, **feed})
        if may_restrict:
            REPLACE_VALUES[dialect, kind].run(connection, {**parameters, **restricting})
        SET_ROLE[dialect, kind].run(connection, {**parameters, "at": at})
    advance_feed(connection, enterprise_id, entered)


class WrongRole(NamedTuple):
    """A user whose stored role from groups is not the one that the user's groups give."""

    enterprise_id: str
    user_id: str


_WRONG_ROLES = select(User.enterprise_id, User.id).where(_NEW_ID.is_distinct_from(User.group_role_id))


def iterate_wrong_roles(connection: Connection, enterprise_id: str | None) -> Iterator[WrongRole]:
    """Yield the users whose stored role from groups is wrong, in one enterprise or in all."""
    limited = _WRONG_ROLES if enterprise_id is None else _WRONG_ROLES.where(User.enterprise_id == enterprise_id)
    return Query(limited, WrongRole).iterate(connection)
