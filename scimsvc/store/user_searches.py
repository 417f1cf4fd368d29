"""Search, sort and page users for the console, in a time that hardly grows with the enterprise.

A search first looks for a few thousand matching users, with the help of indexes. Words are looked for in one index that
has names and addresses, so that no row of other users is read. If there are more users, they are so frequent that the
page is found by walking the index of the sort order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    union,
)

from scimsvc.models import GroupMember, User
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
    """The direction of a list, and whether it is read towards its beginning."""

    descending: bool = False
    backwards: bool = False


class _Count(NamedTuple):
    users: int


class Matching:
    """The users who meet a search, for lists with one sort column. Their number is known if it is small."""

    def __init__(self, tenant: Tenant, search: UserSearch, sort: Sort) -> None:
        self._tenant = tenant
        self._search = search
        self._sort = sort
        self._dialect = tenant.connection.dialect.name
        self.users = count_users(tenant.connection, tenant.id)
        self.has_titles = self.users <= MOST_FOR_TITLES
        #: If ``total`` is None, there are more than this number.
        self.more_than = FEW_WITH_WORDS if search.words else FEW
        self._places = self._find_few() if search != UserSearch() else None
        #: The number of matching users. None if it takes too long to count them.
        self.total = self._count()

    def page(self, order: Order, *, after: Place | None, limit: int) -> tuple[Sequence[Profile], bool]:
        """Return at most ``limit`` users after a place, and whether more follow.

        If ``order`` is backwards, they are the users before the place. They are always in the order of the list.
        """
        descends = order.descending != order.backwards
        keys = [self._sort.column, User.id]
        statement = PROFILES.limit(limit + 1)
        if self._places is not None:
            statement = statement.where(User.id.in_(self._ids_after(after, limit, descends=descends)))
        else:
            statement = statement.where(*self._of_rows())
            if after is not None:
                row, place = tuple_(*keys), tuple_(*after)
                statement = statement.where(row < place if descends else row > place)
            statement = statement.with_hint(User, f"INDEXED BY {self._sort.index}", "sqlite")
        statement = statement.order_by(*(key.desc() if descends else key for key in keys))
        query = PageQuery(statement, Profile, dynamic=True)
        rows, more = cut_page(query.all(self._tenant.connection, tenant_parameters(self._tenant)), limit)
        return (list(reversed(rows)) if order.backwards else rows), more

    def _ids_after(self, after: Place | None, limit: int, *, descends: bool) -> list[str]:
        """Return the IDs of the users of a page and of one more. The databases sort texts as Python does."""
        places = sorted(self._places or (), reverse=descends)
        if after is not None:
            places = [place for place in places if (place < after if descends else place > after)]
        return [place.id for place in places[: limit + 1]]

    def _find_few(self) -> set[Place] | None:
        """Return the places of the matching users, or None if there are more than ``more_than``."""
        places: set[Place] = set()
        for statement in self._by_indexes():
            query = Query(statement.limit(self.more_than + 1), Place, dynamic=True)
            places.update(query.all(self._tenant.connection, {"enterprise_id": self._tenant.id}))
            if len(places) > self.more_than:
                return None
        return places

    def _by_indexes(self) -> Iterator[Select[Any]]:
        """Yield queries of places that together find each matching user, and read rows only of users who may match."""
        words, of_rows = self._search.words, list(self._of_rows())
        if self.has_titles or not words:
            few = _places(self._sort, *of_rows)
            yield _hinted(few, "users_manual") if self._search.source == MANUAL else few
            return
        in_index = [or_(*self._in_name_or_address(word)) for word in words]
        yield _hinted(_places(self._sort, *in_index, *self._of_filters()), "users_user_name")
        begins = union(*(_ids(each) for word in words for each in _begins_id(word)))
        yield _places(self._sort, User.id.in_(begins), *of_rows)

    def _count(self) -> int | None:
        if self._search == UserSearch():
            return self.users
        if self._places is not None:
            return len(self._places)
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
            titles = [self._contains(User.title, word)] if self.has_titles else []
            yield or_(*self._in_name_or_address(word), *titles, *_begins_id(word))

    def _in_name_or_address(self, word: str) -> Iterator[ColumnElement[bool]]:
        """Yield the conditions that the userName or the address contains ``word``. Addresses hardly have accents."""
        yield self._contains(User.user_name_key, word, is_folded=True)
        yield self._contains(User.email_key, word, is_folded=True, has_accents=False)

    def _contains(self, column: Any, word: str, **options: bool) -> ColumnElement[bool]:
        return contains_word(column.expression, word, dialect=self._dialect, **options)

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


def _places(sort: Sort, *conditions: ColumnElement[bool]) -> Select[Any]:
    return select(sort.column.label("key"), User.id).where(User.enterprise_id == ENTERPRISE_ID, *conditions)


def _hinted(statement: Select[Any], index: str) -> Select[Any]:
    return statement.with_hint(User, f"INDEXED BY {index}", "sqlite")


def _begins_id(word: str) -> list[ColumnElement[bool]]:
    """Return the conditions that the ID or the external ID begins with ``word``, as ranges of an index."""
    lower = word.lower()
    of_id = [_begins(User.id, lower)] if set(lower) <= _OF_IDS else []
    return [_begins(User.external_id, word), *of_id]


def _begins(column: Any, beginning: str) -> ColumnElement[bool]:
    return and_(column >= beginning, column < beginning + _LAST)


#: A literal condition of the partial index.
_IS_MANUAL = User.source == literal_column(f"'{MANUAL}'")
_OF_IDS = frozenset("0123456789abcdef-")
#: The last character of Unicode.
_LAST = "\U0010ffff"
