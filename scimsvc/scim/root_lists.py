"""Lists at the root: users and groups together (RFC 7644 §3.4.2.1).

The rows of both types are merged by the sort key and the ID. A type that lacks an attribute in the filter has no
resource in the list, and one that lacks the attribute in ``sortBy`` has absent values, which come last.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any, NamedTuple

from scimsvc.protocol.errors import TooMany, UnknownInFilter, UnknownInOrder
from scimsvc.protocol.groups import GROUPS, MEMBERS
from scimsvc.protocol.listing import ListQuery, read_list_query
from scimsvc.protocol.messages import list_response
from scimsvc.protocol.resource_types import ResourceType
from scimsvc.scim.group_lists import find_groups, list_groups, represent_groups
from scimsvc.scim.lists import find_page, list_users, next_cursor, read_cursor, represent_users, with_groups
from scimsvc.scim.request import ScimRequest
from scimsvc.store.group_pages import GroupPage, with_members
from scimsvc.store.paging import CursorKeys
from scimsvc.store.searches import Position
from scimsvc.store.user_pages import UserPage

#: The last rank that an index reaches, because all rows before it are read. Cursors have no limit.
_MOST_MERGED = 10_000


@dataclass(frozen=True, slots=True)
class _Question:
    """The query for one type. Its rows have no sort key if ``sortBy`` names an attribute of the other type only."""

    query: ListQuery
    has_key: bool = True

    def position(self, after: Position | None) -> Position | None:
        """Return the position in this type that ``after`` in the merged list means."""
        if after is None or self.has_key:
            return after
        return Position(after.last_id, after.last_id) if after.sort_key is None else None

    def wanted(self, window: int, after: Position | None) -> ListQuery:
        """Return the query for the first ``window`` rows after ``after``."""
        return replace(self.query, start_index=1, count=0 if self._is_over(after) else window)

    def _is_over(self, after: Position | None) -> bool:
        """Return whether all rows of this type are before ``after``: absent values are first in descending order."""
        return not self.has_key and self.query.order.descending and after is not None and after.sort_key is not None


class _Row(NamedTuple):
    """A row of one type in the merged list. The first three members are its rank in ascending order."""

    is_absent: bool
    sort_key: Any
    id: str
    is_of_group: bool
    row: Any

    @property
    def position(self) -> Position:
        """The position of the row."""
        return Position(None if self.is_absent else self.sort_key, self.id)


def list_resources(request: ScimRequest, parameters: Mapping[str, str], keys: CursorKeys) -> str:
    """Return the ListResponse to ``parameters`` as JSON text; raises ``ScimError``."""
    attempt, user_type = request.attempt, request.caller.user_type
    users, groups = _question(request, parameters, user_type), _question(request, parameters, GROUPS)
    if users is None and groups is not None:
        attempt.query, attempt.is_of_group = read_list_query(parameters, GROUPS, request.notes.limits), True
        return list_groups(request, attempt.query, keys)
    if users is None or groups is None or not (users.has_key or groups.has_key):
        # An attribute that both types lack is an error.
        attempt.query = read_list_query(parameters, user_type, request.notes.limits)
        request.notes.tolerate_all(attempt.query.tolerances)
        return list_users(request, attempt.query, keys)
    # The cursor belongs to the sort order of groups if users do not have the attribute.
    attempt.query = users.query if users.has_key else replace(users.query, cursor=None)
    request.notes.tolerate_all(users.query.tolerances)
    return _list_both(request, users, groups, keys)


def _question(request: ScimRequest, parameters: Mapping[str, str], resource_type: ResourceType) -> _Question | None:
    """Return the query for ``resource_type``, or None if its resources lack an attribute that the filter names."""
    limits = request.notes.limits
    try:
        return _Question(read_list_query(parameters, resource_type, limits))
    except UnknownInFilter:
        return None
    except UnknownInOrder:
        pass
    try:
        return _Question(read_list_query({**parameters, "sortBy": "id"}, resource_type, limits), has_key=False)
    except UnknownInFilter:
        return None


def _list_both(request: ScimRequest, users: _Question, groups: _Question, keys: CursorKeys) -> str:
    query = users.query if users.has_key else groups.query
    after, first = read_cursor(request, query, keys), query.start_index - 1
    window = first + query.count
    group_page = find_groups(request, groups.wanted(min(window, _MOST_MERGED), after), groups.position(after))
    if group_page.total == 0 and users.has_key:
        return list_users(request, users.query, keys)
    if window > _MOST_MERGED:
        raise _too_deep()
    user_page = find_page(request, users.wanted(window, after), users.position(after))
    rows = _merged(users, groups, user_page, group_page)
    selected = rows[first:window]
    if query.count and not selected and len(rows) < user_page.total + group_page.total and after is None and first:
        _refuse_if_cut(user_page, group_page)
    users_found, groups_found, shown = _read(request, (users, groups), user_page, group_page, selected)
    texts = {
        False: iter(_texts(users.query, represent_users(request, users_found))),
        True: iter(_texts(groups.query, represent_groups(request, groups_found))),
    }
    listed = [next(texts[row.is_of_group]) for row in shown]
    total = user_page.total + group_page.total
    if query.cursor is None:
        return list_response(listed, total=total, start_index=query.start_index)
    more = len(rows) > first + len(shown) or user_page.end is not None or group_page.end is not None
    end = shown[-1].position if more and shown else None
    return list_response(listed, total=total, next_cursor=next_cursor(request, query, end, keys))


def _merged(users: _Question, groups: _Question, user_page: UserPage, group_page: GroupPage) -> list[_Row]:
    """Return the rows of both pages in order, up to the end of a page that others follow."""
    descending = (users if users.has_key else groups).query.order.descending
    of_users = [_row(users, row, is_of_group=False) for row in user_page.rows]
    of_groups = [_row(groups, row, is_of_group=True) for row in group_page.rows]
    rows = sorted([*of_users, *of_groups], key=_rank, reverse=descending)
    ends = [part[-1] for part, page in ((of_users, user_page), (of_groups, group_page)) if page.end is not None]
    return rows[: min((rows.index(end) + 1 for end in ends), default=len(rows))]


def _row(question: _Question, row: Any, *, is_of_group: bool) -> _Row:
    key = row.sort_key if question.has_key and question.query.order.path is not None else None
    return _Row(key is None, 0 if key is None else key, row.id, is_of_group, row)


def _rank(row: _Row) -> tuple[bool, Any, str]:
    return row[:3]


def _read(
    request: ScimRequest,
    questions: tuple[_Question, _Question],
    user_page: UserPage,
    group_page: GroupPage,
    rows: list[_Row],
) -> tuple[UserPage, GroupPage, list[_Row]]:
    """Return the pages with ``rows``, and these rows.

    They end early if the members, or the groups of the users, are larger than a page may be.
    """
    users, groups = (question.query for question in questions)
    found = with_groups(request, users, replace(user_page, rows=[row.row for row in rows if not row.is_of_group]))
    users_left = iter(found.rows)
    rows = list(takewhile(lambda row: row.is_of_group or next(users_left, None) is not None, rows))
    chosen = replace(group_page, rows=[row.row for row in rows if row.is_of_group])
    if groups.projection.includes(MEMBERS.name):
        chosen = with_members(request.caller.enterprise_id, chosen)
    left = iter(chosen.rows)
    shown = list(takewhile(lambda row: not row.is_of_group or next(left, None) is not None, rows))
    return found, chosen, shown


def _texts(query: ListQuery, texts: list[str]) -> list[str]:
    return texts if query.projection.is_whole else [query.projection.apply_to_text(text) for text in texts]


def _refuse_if_cut(user_page: UserPage, group_page: GroupPage) -> None:
    """Raise ``TooMany`` if rows before the page are too large to read them all."""
    if user_page.end is not None or group_page.end is not None:
        raise _too_deep()


def _too_deep() -> TooMany:
    return TooMany(
        f"An index into users and groups together reaches at most {_MOST_MERGED:,} resources, and fewer large ones. "
        "Read the list with a cursor, or list /Users and /Groups."
    )
