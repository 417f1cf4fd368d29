"""Read inconsistent rows, and rows to check. Rows are read from one consistent state, a few at a time."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Select, Table, and_, func, select

from scimsvc.extensions import Model
from scimsvc.models import Change, Enterprise, Feed, Group, GroupMember, Role, RoleName, User
from scimsvc.store.engine.statements import Query
from scimsvc.store.engine.transactions import Connection


class Orphan(NamedTuple):
    """A row whose foreign key refers to a row that does not exist."""

    table: str
    key: tuple[Any, ...]
    parent: str


class DefaultRoleCount(NamedTuple):
    """An enterprise that does not have exactly one default role."""

    enterprise_id: str
    default_roles: int


class EnterpriseName(NamedTuple):
    """The name of an enterprise, and its folded form for lookups."""

    enterprise_id: str
    name: str
    name_key: str


class RoleNameRow(NamedTuple):
    """A name or alias of a role, and its folded form for lookups."""

    enterprise_id: str
    name_key: str
    name: str


class NamesOfRole(NamedTuple):
    """A role, and its names in the lookup table, without aliases."""

    enterprise_id: str
    role_id: str
    name: str
    names: int
    first_name: str | None


class UserColumns(NamedTuple):
    """All columns of a user by name, and settings of the enterprise."""

    columns: dict[str, Any]
    unique_user_name: bool
    custom_attributes: str | None


class GroupColumns(NamedTuple):
    """All columns of a group by name, and what they must agree with."""

    columns: dict[str, Any]
    unique_group_name: bool
    has_groups: bool
    #: The number of members, and the largest position.
    members: int
    joined: int


class FeedGap(NamedTuple):
    """An enterprise whose change feed lacks a number."""

    enterprise_id: str


class FeedCount(NamedTuple):
    """An enterprise with the end of its feed, which is None if it is missing, its newest change, and its users."""

    enterprise_id: str
    number: int | None
    counted: int | None
    newest: int
    users_after: int
    users: int

    @property
    def is_right(self) -> bool:
        """Whether all of them agree."""
        return (self.number, self.counted) == (self.newest, self.users) and self.users_after == self.users


_DEFAULT_ROLE_COUNTS: Any = (
    select(Enterprise.id, func.count(Role.id))
    .outerjoin(Role, and_(Role.enterprise_id == Enterprise.id, Role.is_default))
    .group_by(Enterprise.id)
    .having(func.count(Role.id) != 1)
)
_ENTERPRISE_NAMES = Query(select(Enterprise.id, Enterprise.name, Enterprise.name_key), EnterpriseName)
_ROLE_NAMES = Query(select(RoleName.enterprise_id, RoleName.name_key, RoleName.name), RoleNameRow)
_NAMES_OF_ROLES: Any = (
    select(Role.enterprise_id, Role.id, Role.name, func.count(RoleName.name), func.min(RoleName.name))
    .outerjoin(
        RoleName,
        and_(RoleName.enterprise_id == Role.enterprise_id, RoleName.role_id == Role.id, ~RoleName.is_alias),
    )
    .group_by(Role.enterprise_id, Role.id, Role.name)
)
_FEED_GAPS: Any = (
    select(Change.enterprise_id)
    .group_by(Change.enterprise_id)
    .having(func.count() != func.max(Change.number) - func.min(Change.number) + 1)
)


def _feed_counts() -> Select[Any]:
    users = select(func.count()).where(User.enterprise_id == Enterprise.id).scalar_subquery()
    newest, users_after = (
        func.coalesce(
            select(column)
            .where(Change.enterprise_id == Enterprise.id)
            .order_by(Change.number.desc())
            .limit(1)
            .scalar_subquery(),
            0,
        )
        for column in (Change.number, Change.users)
    )
    columns = (Enterprise.id, Feed.number, Feed.users.label("counted"), newest, users_after, users)
    return select(*columns).outerjoin(Feed, Feed.enterprise_id == Enterprise.id)


#: The enterprise whose rows are read. None stands for all enterprises.
OnlyIn = str | None


def _within(statement: Any, column: Any, enterprise_id: OnlyIn) -> Any:
    return statement if enterprise_id is None else statement.where(column == enterprise_id)


def count_rows(connection: Connection) -> dict[str, int]:
    """Return the number of rows of each table."""
    return {table.name: count_rows_of(connection, table) for table in Model.metadata.sorted_tables}


def count_rows_of(connection: Connection, table: Table) -> int:
    """Return the number of rows of ``table``."""
    count: int = connection.execute(select(func.count()).select_from(table)).scalar_one()
    return count


def iterate_orphans(connection: Connection) -> Iterator[Orphan]:
    """Yield the rows whose foreign key refers to a row that does not exist."""
    for table in Model.metadata.sorted_tables:
        for constraint in table.foreign_key_constraints:
            parent = constraint.referred_table.alias()
            pairs = [(element.parent, parent.c[element.column.name]) for element in constraint.elements]
            statement = (
                select(*table.primary_key)
                .outerjoin(parent, and_(*(child == referred for child, referred in pairs)))
                .where(*(child.is_not(None) for child, _ in pairs), pairs[0][1].is_(None))
            )
            for key in Query(statement, tuple).iterate(connection):
                yield Orphan(table.name, key, constraint.referred_table.name)


def iterate_default_role_counts(connection: Connection, enterprise_id: OnlyIn) -> Iterator[DefaultRoleCount]:
    """Yield the enterprises that do not have exactly one default role."""
    return Query(_within(_DEFAULT_ROLE_COUNTS, Enterprise.id, enterprise_id), DefaultRoleCount).iterate(connection)


def iterate_enterprise_names(connection: Connection) -> Iterator[EnterpriseName]:
    """Yield the names of all enterprises."""
    return _ENTERPRISE_NAMES.iterate(connection)


def iterate_role_names(connection: Connection) -> Iterator[RoleNameRow]:
    """Yield the names and aliases of all roles."""
    return _ROLE_NAMES.iterate(connection)


def iterate_names_of_roles(connection: Connection, enterprise_id: OnlyIn) -> Iterator[NamesOfRole]:
    """Yield all roles with their names in the lookup table."""
    return Query(_within(_NAMES_OF_ROLES, Role.enterprise_id, enterprise_id), NamesOfRole).iterate(connection)


def iterate_users(connection: Connection) -> Iterator[UserColumns]:
    """Yield all columns of all users."""
    table = User.__table__
    names = [column.name for column in table.columns]
    settings = (Enterprise.unique_user_name, Enterprise.custom_attributes)
    statement = select(table, *settings).join(Enterprise, Enterprise.id == User.enterprise_id)
    for *values, unique_user_name, custom_attributes in Query(statement, tuple).iterate(connection):
        yield UserColumns(dict(zip(names, values, strict=True)), unique_user_name, custom_attributes)


def iterate_groups(connection: Connection, enterprise_id: OnlyIn) -> Iterator[GroupColumns]:
    """Yield all columns of groups."""
    table = Group.__table__
    names = [column.name for column in table.columns]
    own = (GroupMember.enterprise_id == Group.enterprise_id, GroupMember.group_id == Group.id)
    members = select(func.count()).where(*own).scalar_subquery()
    joined = select(func.coalesce(func.max(GroupMember.position), 0)).where(*own).scalar_subquery()
    statement = select(table, Enterprise.unique_group_name, Enterprise.has_groups, members, joined).join(
        Enterprise, Enterprise.id == Group.enterprise_id
    )
    for row in Query(_within(statement, Group.enterprise_id, enterprise_id), tuple).iterate(connection):
        yield GroupColumns(dict(zip(names, row, strict=False)), *row[len(names) :])


def iterate_feed_gaps(connection: Connection, enterprise_id: OnlyIn) -> Iterator[FeedGap]:
    """Yield the enterprises whose change feed lacks a number."""
    return Query(_within(_FEED_GAPS, Change.enterprise_id, enterprise_id), FeedGap).iterate(connection)


def iterate_feed_counts(connection: Connection, enterprise_id: OnlyIn) -> Iterator[FeedCount]:
    """Yield the enterprises whose feed, newest change and users disagree."""
    query = Query(_within(_feed_counts(), Enterprise.id, enterprise_id), FeedCount)
    return filter(lambda row: not row.is_right, query.iterate(connection))
