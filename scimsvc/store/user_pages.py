"""Pages of users for SCIM lists: filtered and sorted, by start index or after the previous page.

If an index has the sort order (no order, ``id``, ``userName``, ``active``, ``meta.lastModified``), all pages of a list
take the same time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, select

from scimsvc.models import Enterprise, Role, User
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.listing import ListQuery
from scimsvc.store.engine.statements import Query
from scimsvc.store.engine.transactions import read_each, reading
from scimsvc.store.feed import SELECT_USER_COUNT, count_users
from scimsvc.store.filters.user_filters import compile_filter, compile_sort_key
from scimsvc.store.page_queries import PageQuery, cut_page
from scimsvc.store.representations import StoredUser, View
from scimsvc.store.role_groups import list_group_roles
from scimsvc.store.searches import Listing, Position, SearchStatements
from scimsvc.store.users import ENTERPRISE_ID, OF_DEFAULT, REPRESENTED, VIEW, EnterpriseView, find_user_by_address


class ViewAndTotal(NamedTuple):
    """The enterprise settings in responses, and the number of users. The number is None before the first change."""

    view: EnterpriseView
    total: int | None


class SortedUser(NamedTuple):
    """A user of a sorted list: the columns of ``StoredUser``, and the value of the sort key."""

    id: str
    document: str
    role_id: str | None
    version: int
    created_at: str
    modified_at: str
    group_role: str | None
    sort_key: Any


@dataclass(frozen=True, slots=True)
class UserPage:
    """A page of users. ``view`` is None if the enterprise does not exist."""

    #: Rows that begin with the columns of ``StoredUser``. Read them with ``stored_user``.
    rows: Sequence[tuple[Any, ...]]
    view: EnterpriseView | None
    #: The number of users on all pages.
    total: int
    #: The position after which the next page begins. None for the last page.
    end: Position | None = None


_EMPTY = UserPage([], None, 0)
_VIEW = select(*VIEW).join(Role, OF_DEFAULT).where(Enterprise.id == ENTERPRISE_ID)
ENTERPRISE_VIEW = Query(_VIEW, EnterpriseView)
_TOTAL = SELECT_USER_COUNT.scalar_subquery()
#: Read once for a page instead of with each of its users.
VIEW_AND_TOTAL = Query(_VIEW.add_columns(_TOTAL.label("total")), ViewAndTotal)
USERS = select(*REPRESENTED).where(User.enterprise_id == ENTERPRISE_ID)
_LISTING = Listing(USERS, User.id, StoredUser, SortedUser)
_BY_ID = USERS.order_by(User.id).limit(bindparam("limit"))
USERS_FROM = PageQuery(_BY_ID.offset(bindparam("offset")), StoredUser)
USERS_AFTER = PageQuery(_BY_ID.where(User.id > bindparam("after")), StoredUser)


def match_address(enterprise_id: str, address: str, *, offset: int, limit: int) -> UserPage:
    """Return a page with the user who has the work e-mail address ``address``, or an empty page."""
    row = find_user_by_address(enterprise_id, address)
    if row is None:
        return _EMPTY
    return UserPage(
        [row][offset : offset + limit], EnterpriseView(row.default_role, row.role_revision, row.has_groups), 1
    )


def list_by_id(enterprise_id: str, *, after: str | None, offset: int, limit: int) -> UserPage:
    """Return at most ``limit`` users ordered by ID, after the ID ``after`` or from the index ``offset``."""
    parameters: dict[str, Any] = {"enterprise_id": enterprise_id}
    page = parameters | {"limit": limit + 1}  # an additional row shows that another page follows
    if after is not None:
        rows_query = (USERS_AFTER, page | {"after": after})
    else:
        rows_query = (USERS_FROM, page | {"offset": offset})
    # Read the enterprise after the users, so that no user appears with an outdated default role.
    rows, views = read_each(rows_query, (VIEW_AND_TOTAL, parameters))
    if not views:  # the enterprise was deleted meanwhile
        return _EMPTY
    view, total = views[0]
    users, more = cut_page(rows, limit)
    end = Position(None, users[-1].id) if more and users else None
    # Users on the page count, even if they were deleted meanwhile.
    return UserPage(users, view, max(total or 0, len(users)), end)


def search(enterprise_id: str, query: ListQuery, *, base: str, after: Position | None) -> UserPage:
    """Return the page of ``query`` that begins after the position ``after``."""
    parameters = {"enterprise_id": enterprise_id}
    with reading() as connection:
        view = ENTERPRISE_VIEW.first(connection, parameters)
        if view is None:
            return _EMPTY
        group_roles = list_group_roles(connection, enterprise_id) if view.has_groups else ()
        view_of_users = View(base, view.default_role, view.role_revision, tuple(group_roles))
        statements = _statements(query, connection.dialect.name, view_of_users)
        rows: list[Any] = statements.page(after).all(connection, parameters) if query.count else []
        page, more = cut_page(rows, query.count)
        if query.start_index == 1 and after is None and query.count and not more:
            total = len(page)  # the page contains the whole list
        elif not query.has_filter:
            total = count_users(connection, enterprise_id)
        else:
            total = statements.count().one(connection, parameters).rows
    return UserPage(page, view, total, statements.position(page[-1]) if more and page else None)


def _statements(query: ListQuery, dialect: str, view: View) -> SearchStatements:
    """Return the statements of a search, compiled for a kind of database and a view of the enterprise."""
    path = query.order.path
    sort_key = compile_sort_key(path, dialect=dialect, view=view) if path is not None else None
    return SearchStatements(_LISTING, query, _conditions(query, dialect, view), sort_key)


def _conditions(query: ListQuery, dialect: str, view: View) -> list[ColumnElement[bool]]:
    if query.filter is not None:
        return [compile_filter(query.filter, dialect=dialect, view=view)]
    return [User.email_key == fold(query.work_address)] if query.work_address is not None else []
