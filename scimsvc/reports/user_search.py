"""Search the users for the console: pages in both directions, with positions and the total."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from scimsvc import schemas
from scimsvc.enterprises.groups import get_group
from scimsvc.errors import InvalidInput
from scimsvc.mapping.roles import get_role
from scimsvc.protocol.attributes import EXTENSION, fold
from scimsvc.schemas.validation import read_query
from scimsvc.store.paging import CursorKeys
from scimsvc.store.profiles import Profile, find_profile, profile_view
from scimsvc.store.representations import read_document
from scimsvc.store.tenancy import Tenant, reading_in
from scimsvc.store.user_searches import SORTS, Matching, Order, Place, UserSearch
from scimsvc.vocabulary import BY_CHANGE, BY_EMAIL, BY_USER_NAME

#: The words of a search.
MOST_WORDS = 8


class _Cursor(NamedTuple):
    """The place where a page begins, and the position of the user at this place."""

    backwards: bool
    place: Place
    position: int


@dataclass(frozen=True, slots=True)
class _Request:
    """The parameters of a list of users."""

    sort: str
    descending: bool
    search: str
    role: str | None
    group: str | None
    active: bool | None
    source: str | None

    def order(self, *, backwards: bool = False) -> Order:
        """Return the order in which to read."""
        return Order(self.descending, backwards)

    def place(self, row: Profile) -> Place:
        """Return the place of a user in the list."""
        name = fold(read_document(row)["userName"])
        keys = {BY_USER_NAME: name, BY_EMAIL: row.email_key, BY_CHANGE: row.modified_at}
        return Place(keys[self.sort], row.id)

    def matching(self, tenant: Tenant) -> Matching:
        """Return the users of the list; raises ``InvalidInput``."""
        words = tuple(self.search.split())
        if len(words) > MOST_WORDS:
            raise InvalidInput(f"The search has {len(words)} words. Enter at most {MOST_WORDS} words.")
        role = get_role(tenant, self.role, field="role") if self.role else None
        group = get_group(tenant, self.group, field="group") if self.group else None
        return Matching(
            tenant,
            UserSearch(
                words=words,
                role_id=role.id if role else None,
                or_on_default=role is not None and role.is_default,
                group_id=group.id if group else None,
                active=self.active,
                source=self.source,
            ),
            SORTS[self.sort],
        )


def search_users(enterprise_id: str, parameters: Mapping[str, str], keys: CursorKeys) -> dict[str, Any]:
    """Return a page of the users who meet the ``parameters`` (``schemas.USER_SEARCH``).

    ``first`` and ``last`` are positions in the list, and ``total`` is None if it takes too long to count
    more than ``more_than``.
    ``previous`` and ``next`` are cursors or None. Raises ``InvalidInput``.
    """
    request, limit, text = _read(parameters)
    binding = (enterprise_id, "user-search", repr(request))
    cursor = _read_cursor(text, keys, binding) if text else None
    with reading_in(enterprise_id) as tenant:
        matching = request.matching(tenant)
        rows, more, first = _read_page(matching, request, cursor, limit)
    backwards = cursor is not None and cursor.backwards
    follows, precedes = (True, more) if backwards else (more, cursor is not None)
    ends = [(True, rows[0], first), (False, rows[-1], first + len(rows) - 1)] if rows else []
    cursors = [keys.write([side, *request.place(row), number], *binding) for side, row, number in ends] or ["", ""]
    return {
        "items": [_represent(row) for row in rows],
        "first": first,
        "last": first + len(rows) - 1,
        "total": matching.total,
        "more_than": matching.more_than,
        "has_titles": matching.has_titles,
        "previous": cursors[0] if precedes and first > 1 else None,
        "next": cursors[1] if follows else None,
    }


def find_neighbors(enterprise_id: str, parameters: Mapping[str, str], user_id: str) -> dict[str, Any]:
    """Return the ``previous`` and the ``next`` user of the list with the ``parameters``, or None at its ends."""
    request, _, _ = _read(parameters)
    with reading_in(enterprise_id) as tenant:
        row = find_profile(tenant, user_id)
        if row is None:
            return {"previous": None, "next": None}
        matching, place = request.matching(tenant), request.place(row)
        sides = {name: request.order(backwards=name == "previous") for name in ("previous", "next")}
        found = {name: matching.page(order, after=place, limit=1)[0] for name, order in sides.items()}
    return {name: profile_view(rows[0]) if rows else None for name, rows in found.items()}


def _read_page(
    matching: Matching, request: _Request, cursor: _Cursor | None, limit: int
) -> tuple[list[Profile], bool, int]:
    """Return the users of the page, whether more follow in its direction, and the position of its first user."""
    if cursor is None:
        rows, more = matching.page(request.order(), after=None, limit=limit)
        return list(rows), more, 1
    rows, more = matching.page(request.order(backwards=cursor.backwards), after=cursor.place, limit=limit)
    if not cursor.backwards:
        return list(rows), more, cursor.position + 1
    # Users who were added or removed since then may have moved the positions.
    first = max(cursor.position - len(rows), 2) if more else 1
    return list(rows), more, first


def _read(parameters: Mapping[str, str]) -> tuple[_Request, int, str | None]:
    query = read_query(schemas.USER_SEARCH, parameters)
    sort = query["sort"]
    request = _Request(
        sort=sort.removeprefix("-"),
        descending=sort.startswith("-"),
        search=query.get("search") or "",
        **{name: query.get(name) for name in ("role", "group", "active", "source")},
    )
    return request, query["limit"], query.get("cursor")


def _read_cursor(text: str, keys: CursorKeys, binding: tuple[str, ...]) -> _Cursor:
    try:
        backwards, key, row_id, position = keys.read(text, *binding)
    except ValueError:
        raise InvalidInput(
            "This link belongs to another list of users. Open the list again.",
            {"cursor": ["Not a cursor of this list"]},
        ) from None
    return _Cursor(backwards, Place(key, row_id), position)


def _represent(row: Profile) -> dict[str, Any]:
    department = read_document(row).get(EXTENSION.name, {}).get("department")
    return profile_view(row) | {"department": department, "last_change": row.modified_at}
