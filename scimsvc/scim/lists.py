"""Filter, sort and page lists of users, by index or by cursor (RFC 7644 §3.4.2, RFC 9865).

A cursor contains the sort key and the ID of the last row of its page, and the next page begins after them. A user who
is created or deleted between two pages therefore does not shift other users.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from scimsvc.protocol.errors import InvalidCursor, TooMany
from scimsvc.protocol.filters.identifying import identifies_user
from scimsvc.protocol.filters.nodes import Comparison
from scimsvc.protocol.listing import ListQuery
from scimsvc.protocol.messages import list_response
from scimsvc.scim.request import ScimRequest
from scimsvc.scim.user_groups import with_groups_of_page
from scimsvc.store.engine.deadlines import DeadlineExceeded
from scimsvc.store.paging import CursorKeys
from scimsvc.store.representations import StoredUser, represent_all, stored_user
from scimsvc.store.searches import Position
from scimsvc.store.user_pages import SortedUser, UserPage, list_by_id, match_address, search
from scimsvc.web.state import request_state


def list_users(request: ScimRequest, query: ListQuery, keys: CursorKeys) -> str:
    """Return the ListResponse to ``query`` as JSON text; raises ``InvalidCursor``."""
    page = with_groups(request, query, find_page(request, query, read_cursor(request, query, keys)))
    if page.total == 1 and page.rows and _names_one_user(query):
        request_state().confirmed = (page.rows[0][0],)
    texts = represent_users(request, page)
    if not query.projection.is_whole:
        texts = [query.projection.apply_to_text(text) for text in texts]
    if query.cursor is None:
        return list_response(texts, total=page.total, start_index=query.start_index)
    return list_response(texts, total=page.total, next_cursor=next_cursor(request, query, page.end, keys))


def _names_one_user(query: ListQuery) -> bool:
    """Return whether the filter is for one value of an attribute that identifies users."""
    return query.work_address is not None or (query.filter is not None and identifies_user(query.filter))


def with_groups(request: ScimRequest, query: ListQuery, page: UserPage) -> UserPage:
    """Return ``page`` with the groups of its users if they are answered. It ends earlier if they have too many.

    Raises ``TooMany``.
    """
    if page.view is None or not page.view.has_groups or not query.projection.includes("groups"):
        return page
    with time_limited(query):
        rows = with_groups_of_page(request, page.rows)
    if len(rows) == len(page.rows):
        return replace(page, rows=rows)
    last = rows[-1]
    return replace(page, rows=rows, end=Position(last.sort_key if isinstance(last, SortedUser) else None, last[0]))


def represent_users(request: ScimRequest, page: UserPage) -> list[str]:
    """Return the SCIM representations of the users of ``page`` as JSON texts, with all attributes."""
    return [] if page.view is None else represent_all(page.rows, request.view_of(page.view))


def find_users(request: ScimRequest, query: ListQuery, keys: CursorKeys) -> Iterator[StoredUser]:
    """Yield the users of the page that ``query`` describes; raises ``InvalidCursor``."""
    return map(stored_user, find_page(request, query, read_cursor(request, query, keys)).rows)


def find_page(request: ScimRequest, query: ListQuery, after: Position | None) -> UserPage:
    """Return the page of users that ``query`` describes, after the position ``after``; raises ``TooMany``."""
    enterprise_id = request.caller.enterprise_id
    if query.order.path is None:
        # Entra and importers send these two queries all day, so each has a statement that is compiled only once.
        if query.work_address is not None and not query.cursor:
            return match_address(enterprise_id, query.work_address, offset=query.start_index - 1, limit=query.count)
        if not query.has_filter:
            last_id = after.last_id if after is not None else None
            return list_by_id(enterprise_id, after=last_id, offset=query.start_index - 1, limit=query.count)
    with time_limited(query):
        return search(enterprise_id, query, base=request.base, after=after)


@contextmanager
def time_limited(query: ListQuery) -> Iterator[None]:
    """Raise ``TooMany`` if the database takes too long for ``query`` in the block."""
    try:
        yield
    except DeadlineExceeded as error:
        if error.hangs or _is_simple(query):
            raise
        raise TooMany(
            "The filter or the sort order takes the database too long. Send a filter with fewer conditions, "
            "or read the whole list page by page with a cursor."
        ) from None


def _is_simple(query: ListQuery) -> bool:
    """Return whether ``query`` searches for one value. If that takes long, the database is overloaded."""
    is_equality = isinstance(query.filter, Comparison) and query.filter.operator == "eq"
    return is_equality and query.order.path is None


def read_cursor(request: ScimRequest, query: ListQuery, keys: CursorKeys) -> Position | None:
    """Return the end of the previous page, or None for the first page; raises ``InvalidCursor``."""
    if not query.cursor:
        return None
    try:
        return Position(*keys.read(query.cursor, request.caller.enterprise_id, *query.question))
    except (ValueError, TypeError):
        raise InvalidCursor(
            "The cursor was not issued for this query. Send it unchanged, with the same filter and sort order."
        ) from None


def next_cursor(request: ScimRequest, query: ListQuery, end: Position | None, keys: CursorKeys) -> str | None:
    """Return the cursor of the page that follows the position ``end``, or None after the last page."""
    if end is None:
        return None
    return keys.write(list(end), request.caller.enterprise_id, *query.question)
