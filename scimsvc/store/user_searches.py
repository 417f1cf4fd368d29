"""Search, sort and page users for the console, in a time that hardly grows with the enterprise.

A search first looks for a few thousand matching users, with the help of indexes. If there are more, the users are so
frequent that the page is found by walking the index of the sort order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Select,
    and_,
    func,
    literal_column,
    not_,
    or_,
    select,
    tuple_,
    union,
    union_all,
)

from scimsvc.models import IS_MANUAL, GroupMember, User
from scimsvc.store.engine.statements import Query
from scimsvc.store.feed import count_users
from scimsvc.store.filters.word_patterns import contains_word
from scimsvc.store.page_queries import PageQuery, cut_page
from scimsvc.store.profiles import PROFILES, Profile, tenant_parameters
from scimsvc.store.tenancy import Tenant
from scimsvc.store.users import ENTERPRISE_ID, has_role
from scimsvc.vocabulary import BY_CHANGE, BY_EMAIL, BY_USER_NAME, MANUAL

#: Matching users that are read by their IDs. With words, more are worth it, because walking the order tests many rows.
FEW, FEW_WITH_WORDS = 1_000, 5_000
#: Titles have no index, so they are searched only in enterprises with at most this number of users.
MOST_FOR_TITLES = 20_000


@dataclass(frozen=True, slots=True)
class UserSearch:
    """Conditions for users. None means no condition.

    Each of ``words`` is part of the userName, the address or the title, or the beginning of the ID or the external ID.
    """

    words: tuple[str, ...] = ()
    role_id: str | None = None
    #: Whether ``role_id`` also includes users with the default role.
    or_on_default: bool = False
    group_id: str | None = None
    active: bool | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Sort:
    """A sort order that an index has: the column, and the name of the index."""

    column: Any
    index: str


SORTS = {
    BY_USER_NAME: Sort(User.user_name_key, "users_user_name"),
    BY_EMAIL: Sort(User.email_key, "users_email"),
    BY_CHANGE: Sort(User.modified_at, "users_modified"),
}


class Place(NamedTuple):
    """The place of a user in a list: the sort key and the ID."""

    key: str
    id: str


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a list, and whether it is read towards its beginning."""

    sort: Sort
    descending: bool = False
    backwards: bool = False


class _Id(NamedTuple):
    id: str


class _Count(NamedTuple):
    users: int


class Matching:
    """The users who meet a search: their conditions, and their number if it is known."""

    def __init__(self, tenant: Tenant, search: UserSearch) -> None:
        self._tenant = tenant
        self._search = search
        self._dialect = tenant.connection.dialect.name
        self.users = count_users(tenant.connection, tenant.id)
        self.has_titles = self.users <= MOST_FOR_TITLES
        #: If ``total`` is None, there are more than this number.
        self.more_than = FEW_WITH_WORDS if search.words else FEW
        self._ids = self._find_few() if search != UserSearch() else None
        #: The number of matching users. None if it takes too long to count them.
        self.total = self._count()

    def page(self, order: Order, *, after: Place | None, limit: int) -> tuple[Sequence[Profile], bool]:
        """Return at most ``limit`` users after a place, and whether more follow.

        If ``order`` is backwards, they are the users before the place. They are always in the order of the list.
        """
        descends = order.descending != order.backwards
        keys = [order.sort.column, User.id]
        statement = PROFILES.where(*self._conditions()).limit(limit + 1)
        if after is not None:
            row, place = tuple_(*keys), tuple_(*after)
            statement = statement.where(row < place if descends else row > place)
        if self._ids is None:
            statement = statement.with_hint(User, f"INDEXED BY {order.sort.index}", "sqlite")
        statement = statement.order_by(*(key.desc() if descends else key for key in keys))
        query = PageQuery(statement, Profile, dynamic=True)
        rows, more = cut_page(query.all(self._tenant.connection, tenant_parameters(self._tenant)), limit)
        return (list(reversed(rows)) if order.backwards else rows), more

    def _conditions(self) -> list[ColumnElement[bool]]:
        return list(self._of_rows()) if self._ids is None else [User.id.in_(self._ids)]

    def _find_few(self) -> list[str] | None:
        """Return the IDs of the matching users, or None if there are more than ``more_than``."""
        if self.has_titles or not self._search.words:
            statement = _ids(*self._of_rows()).limit(self.more_than + 1)
        else:
            statement = select(union_all(*self._by_indexes()).subquery().c.id).limit(self.more_than + 1)
        rows = Query(statement, _Id, dynamic=True).all(self._tenant.connection, {"enterprise_id": self._tenant.id})
        return [row.id for row in rows] if len(rows) <= self.more_than else None

    def _by_indexes(self) -> Iterator[Select[str]]:
        """Yield queries of IDs that together find each matching user once, and read rows only of users who may match.

        They find the users whose name has a word, then those whose address has all words, and then those whose ID or
        external ID begins with a word.
        """
        conditions, words = list(self._of_rows()), self._search.words
        in_name = or_(*(self._contains(User.user_name_key, word) for word in words))
        in_address = and_(*(self._contains(User.email_key, word) for word in words))
        yield _hinted(_ids(in_name, *conditions), "users_user_name")
        yield _hinted(_ids(in_address, not_(in_name), *conditions), "users_email")
        begins = [_begins_id(word) for word in words]
        ids = union(*(_ids(each) for each in chain(*begins)))
        yield _ids(User.id.in_(ids), not_(in_name), not_(in_address), *conditions)

    def _count(self) -> int | None:
        if self._search == UserSearch():
            return self.users
        if self._ids is not None:
            return len(self._ids)
        if not (self.has_titles or self._is_counted_by_index()):
            return None
        statement = select(func.count().label("users")).where(User.enterprise_id == ENTERPRISE_ID, *self._of_rows())
        query = Query(statement, _Count, dynamic=True)
        return query.one(self._tenant.connection, {"enterprise_id": self._tenant.id}).users

    def _is_counted_by_index(self) -> bool:
        search = self._search
        return search in (
            UserSearch(active=search.active),
            UserSearch(role_id=search.role_id, or_on_default=search.or_on_default),
            UserSearch(source=MANUAL),
        )

    def _of_rows(self) -> Iterator[ColumnElement[bool]]:
        """Yield all conditions as a row can be tested for them."""
        yield from self._of_filters()
        for word in self._search.words:
            columns = [User.user_name_key, User.email_key, *([User.title] if self.has_titles else [])]
            yield or_(*(self._contains(column, word) for column in columns), *_begins_id(word))

    def _contains(self, column: Any, word: str) -> ColumnElement[bool]:
        is_folded = column is not User.title
        return contains_word(column.expression, word, dialect=self._dialect, is_folded=is_folded)

    def _of_filters(self) -> Iterator[ColumnElement[bool]]:
        search = self._search
        if search.role_id is not None:
            yield has_role(search.role_id, or_on_default=search.or_on_default)
        if search.group_id is not None:
            members = select(GroupMember.user_id).where(
                GroupMember.enterprise_id == ENTERPRISE_ID, GroupMember.group_id == search.group_id
            )
            yield User.id.in_(members)
        if search.active is not None:
            yield User.active == search.active
        if search.source is not None:
            # A literal, so that the database can use the partial index of manual users.
            yield _IS_MANUAL if search.source == MANUAL else User.source == search.source


def _ids(*conditions: ColumnElement[bool]) -> Select[str]:
    return select(User.id).where(User.enterprise_id == ENTERPRISE_ID, *conditions)


def _hinted(statement: Select[str], index: str) -> Select[str]:
    return statement.with_hint(User, f"INDEXED BY {index}", "sqlite")


def _begins_id(word: str) -> list[ColumnElement[bool]]:
    """Return the conditions that the ID or the external ID begins with ``word``, as ranges of an index."""
    lower = word.lower()
    of_id = [_begins(User.id, lower)] if set(lower) <= _OF_IDS else []
    return [_begins(User.external_id, word), *of_id]


def _begins(column: Any, beginning: str) -> ColumnElement[bool]:
    return and_(column >= beginning, column < beginning + _LAST)


#: A literal condition of the partial index.
_IS_MANUAL: ColumnElement[bool] = literal_column(IS_MANUAL.text, Boolean)
_OF_IDS = frozenset("0123456789abcdef-")
#: The last character of Unicode.
_LAST = "\U0010ffff"
