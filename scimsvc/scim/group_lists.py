"""Filter, sort and page lists of groups, by index or by cursor (RFC 7644 §3.4.2, RFC 9865).

Members are read for a whole page at once. A page ends when its members and documents are as large as a page may be, so
that a list of large groups needs bounded memory. The next page follows by ``startIndex`` or ``nextCursor``, and
``excludedAttributes=members`` makes pages long again.
"""

from scimsvc.protocol.groups import MEMBERS
from scimsvc.protocol.listing import ListQuery
from scimsvc.protocol.messages import list_response
from scimsvc.scim.lists import next_cursor, read_cursor, time_limited
from scimsvc.scim.request import ScimRequest
from scimsvc.store.group_pages import GroupPage, search_groups
from scimsvc.store.group_representations import represent_group
from scimsvc.store.paging import CursorKeys
from scimsvc.store.searches import Position


def list_groups(request: ScimRequest, query: ListQuery, keys: CursorKeys) -> str:
    """Return the ListResponse to ``query`` as JSON text; raises ``InvalidCursor`` or ``TooMany``."""
    with_members = query.projection.includes(MEMBERS.name)
    page = find_groups(request, query, read_cursor(request, query, keys), with_members=with_members)
    texts = represent_groups(request, page)
    if not query.projection.is_whole:
        texts = [query.projection.apply_to_text(text) for text in texts]
    if query.cursor is None:
        return list_response(texts, total=page.total, start_index=query.start_index)
    return list_response(texts, total=page.total, next_cursor=next_cursor(request, query, page.end, keys))


def represent_groups(request: ScimRequest, page: GroupPage) -> list[str]:
    """Return the SCIM representations of the groups of ``page`` as JSON texts, with members if they were read."""
    members = page.members
    return [
        represent_group(row, request.base, None if members is None else members.get(row.id, ())).text
        for row in page.rows
    ]


def find_groups(
    request: ScimRequest, query: ListQuery, after: Position | None, *, with_members: bool = False
) -> GroupPage:
    """Return the page of groups that ``query`` describes, after the position ``after``; raises ``TooMany``."""
    with time_limited(query):
        return search_groups(
            request.caller.enterprise_id, query, base=request.base, after=after, with_members=with_members
        )
