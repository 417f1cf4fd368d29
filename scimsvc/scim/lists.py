"""Lists of users: filtered, sorted, by index pages or by cursors (RFC 7644 §3.4.2, RFC 9865).

Pages by cursor begin after the last row of the page before, by its sort key and id: users who come and go shift
nobody, and a page costs the same however deep it lies where an index has the order (none given, ``id``, ``userName``,
``active``, ``meta.lastModified``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, tuple_

from scimsvc.activity.change_feed import count_users
from scimsvc.models import User
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.errors import InvalidCursor
from scimsvc.protocol.listing import ListQuery
from scimsvc.protocol.messages import list_response
from scimsvc.scim.request import ScimRequest
from scimsvc.scim.users import project
from scimsvc.store import queries
from scimsvc.store.compiler import compile_filter, compile_sort_key
from scimsvc.store.paging import CursorKeys
from scimsvc.store.representations import View, represent_all, stored_user
from scimsvc.store.transactions import Question, read_each, read_rows, reading

_SORT_KEY = "sort_key"


@dataclass(frozen=True, slots=True)
class Found:
    """A page: its rows, which begin with the columns of ``StoredUser``, and how they look.

    ``total`` is how many there are on all pages; ``next_cursor`` leads to the next one.
    """

    rows: Sequence[Any]
    view: View | None
    total: int
    next_cursor: str | None = None


def list_users(request: ScimRequest, query: ListQuery, keys: CursorKeys) -> str:
    """Return the text of the ListResponse that answers ``query``; raises ``InvalidCursor``."""
    found = find_users(request, query, keys)
    texts = represent_all(found.rows, found.view) if found.view is not None else []
    if not query.projection.is_whole:
        texts = [project(text, query.projection) for text in texts]
    if query.cursor is None:
        return list_response(texts, total=found.total, start_index=query.start_index)
    return list_response(texts, total=found.total, next_cursor=found.next_cursor)


def find_users(request: ScimRequest, query: ListQuery, keys: CursorKeys) -> Found:
    """Return the rows (``queries.REPRESENTED``) of the page that ``query`` asks for; raises ``InvalidCursor``."""
    if query.order.path is None:
        # What Entra and importers ask all day has statements of its own, built once.
        if query.work_address is not None and not query.cursor:
            return _match(request, query, query.work_address)
        if not query.has_filter:
            return _page_by_id(request, query, keys)
    return _search(request, query, keys)


def _match(request: ScimRequest, query: ListQuery, address: str) -> Found:
    """Return the one user with the work address, where there is one: it is a user's key."""
    own = {"enterprise_id": request.caller.enterprise_id, "key": fold(address)}
    rows = read_rows(queries.USER_BY_ADDRESS, own)
    return Found(rows[query.start_index - 1 :][: query.count], request.view_of(rows[0]) if rows else None, len(rows))


def _page_by_id(request: ScimRequest, query: ListQuery, keys: CursorKeys) -> Found:
    """Return a page of all users."""
    question = (request.caller.enterprise_id, *query.question)
    own = {"enterprise_id": request.caller.enterprise_id}
    # One row more than the page has tells whether there is a next one.
    page = own | {"limit": query.count + 1}
    if query.cursor:
        _, after = _read_cursor(keys, query.cursor, question)
        asked: Question = (queries.USERS_AFTER, page | {"after": after})
    else:
        asked = (queries.USERS_FROM, page | {"offset": query.start_index - 1})
    # The enterprise after them, so that no user is shown with what it no longer is.
    rows, enterprises = read_each(asked, (queries.VIEW_AND_TOTAL, own))
    if not enterprises:  # it was deleted meanwhile
        return Found([], None, 0)
    (enterprise,) = enterprises
    more, rows = len(rows) > query.count, rows[: query.count]
    next_cursor = _write_cursor(keys, rows[-1], None, question) if query.cursor is not None and more and rows else None
    # Some of them may have been deleted meanwhile, and are counted as they are shown.
    return Found(rows, request.view_of(enterprise), max(enterprise.total or 0, len(rows)), next_cursor)


def _search(request: ScimRequest, query: ListQuery, keys: CursorKeys) -> Found:
    """Return a page of what any other question finds."""
    question = (request.caller.enterprise_id, *query.question)
    after = _read_cursor(keys, query.cursor, question) if query.cursor else None
    own = {"enterprise_id": request.caller.enterprise_id}
    with reading() as connection:
        enterprise = connection.execute(queries.VIEW, own).one_or_none()
        if enterprise is None:
            return Found([], None, 0)
        view = request.view_of(enterprise)
        page, count, sort_key = _statements(connection, view, query)
        if after is not None:
            page = page.where(_follows(after, sort_key, descending=query.order.descending))
        page = page.offset(query.start_index - 1).limit(query.count + 1)
        rows = connection.execute(page, own).all() if query.count else []
        more = len(rows) > query.count
        if query.start_index == 1 and after is None and rows and not more:
            total = len(rows)  # the page is the whole list
        elif not query.has_filter:
            total = count_users(connection, request.caller.enterprise_id)
        else:
            total = connection.execute(count, own).scalar_one()
    rows = rows[: query.count]
    next_cursor = _write_cursor(keys, rows[-1], sort_key, question) if query.cursor is not None and more else None
    return Found(rows, view, total, next_cursor)


def _statements(connection: Connection, view: View, query: ListQuery) -> tuple[Any, Any, Any]:
    """Return the page's statement in its order, the count's, and what the rows are sorted by besides their id."""
    dialect = connection.dialect.name
    page, count = queries.USERS, queries.USERS_COUNT
    if query.has_filter:
        condition = (
            compile_filter(query.filter, dialect=dialect, view=view)
            if query.filter is not None
            else User.email_key == fold(query.work_address or "")
        )
        page, count = page.where(condition), count.where(condition)
    if query.order.path is None:
        return page.order_by(User.id), count, None
    sort_key = compile_sort_key(query.order.path, dialect=dialect, view=view)
    page = page.add_columns(sort_key.label(_SORT_KEY))
    descending = query.order.descending
    order = [sort_key.desc(), User.id.desc()] if descending else [sort_key.asc(), User.id.asc()]
    if _may_be_null(sort_key):
        # Absent values come last, and first where the order is turned round (RFC 7644 §3.4.2.3).
        order[0] = order[0].nulls_first() if descending else order[0].nulls_last()
    return page.order_by(*order), count, sort_key


def _may_be_null(sort_key: Any) -> bool:
    return bool(getattr(sort_key, "nullable", True))


def _follows(after: tuple[Any, str], sort_key: Any, *, descending: bool) -> ColumnElement[bool]:
    """Return the condition of the rows that come after one with this sort key and id."""
    key, last_id = after
    later_id = User.id < last_id if descending else User.id > last_id
    if sort_key is None:
        return later_id
    if not _may_be_null(sort_key):  # what an index can seek to
        row, last = tuple_(sort_key, User.id), tuple_(key, last_id)
        return row < last if descending else row > last
    if descending:
        if key is None:
            return or_(sort_key.is_not(None), later_id)
        return or_(sort_key < key, and_(sort_key == key, later_id))
    if key is None:
        return and_(sort_key.is_(None), later_id)
    return or_(sort_key > key, and_(sort_key == key, later_id), sort_key.is_(None))


def _read_cursor(keys: CursorKeys, cursor: str, question: tuple[str, ...]) -> tuple[Any, str]:
    try:
        key, last_id = keys.read(cursor, *question)
    except (ValueError, TypeError):
        raise InvalidCursor(
            "the cursor is none that this service gave for this question; "
            "send it back unchanged, with the same filter and order"
        ) from None
    return key, last_id


def _write_cursor(keys: CursorKeys, row: Any, sort_key: Any, question: tuple[str, ...]) -> str:
    key = None if sort_key is None else getattr(row, _SORT_KEY)
    return keys.write([key, stored_user(row).id], *question)
