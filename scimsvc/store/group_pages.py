"""Pages of groups for SCIM lists: filtered and sorted, by start index or after the previous page."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby, takewhile
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, select

from scimsvc.models import Group
from scimsvc.protocol.limits import PAGE_BYTES
from scimsvc.protocol.listing import ListQuery
from scimsvc.store.engine.transactions import Connection, reading
from scimsvc.store.filters.group_filters import compile_group_filter, compile_group_sort_key
from scimsvc.store.group_members import GroupMemberRow, list_members_of_groups
from scimsvc.store.group_representations import StoredGroup
from scimsvc.store.groups import ENTERPRISE_ID, REPRESENTED
from scimsvc.store.page_queries import cut_page
from scimsvc.store.searches import Listing, Position, SearchStatements


class SortedGroup(NamedTuple):
    """A group of a sorted list: the columns of ``StoredGroup``, and the value of the sort key."""

    id: str
    document: str
    version: int
    members: int
    created_at: str
    modified_at: str
    sort_key: Any


@dataclass(frozen=True, slots=True)
class GroupPage:
    """A page of groups."""

    #: Rows that begin with the columns of ``StoredGroup``.
    rows: Sequence[StoredGroup | SortedGroup]
    #: The members by the ID of the group. None if they were not read.
    members: dict[str, list[GroupMemberRow]] | None
    #: The number of groups on all pages.
    total: int
    #: The position after which the next page begins. None for the last page.
    end: Position | None


#: About the bytes of a member in an answer. The members of a page count as its documents do.
_MEMBER_BYTES = 200
LISTING = Listing(select(*REPRESENTED).where(Group.enterprise_id == ENTERPRISE_ID), Group.id, StoredGroup, SortedGroup)


def search_groups(
    enterprise_id: str, query: ListQuery, *, base: str, after: Position | None, with_members: bool
) -> GroupPage:
    """Return the page of ``query`` that begins after the position ``after``, with the members of its groups.

    The page ends with the group with which it exceeds ``PAGE_BYTES``.
    """
    parameters = {"enterprise_id": enterprise_id}
    with reading() as connection:
        statements = _statements(query, connection.dialect.name, base)
        found: list[Any] = statements.page(after).all(connection, parameters) if query.count else []
        page, more = cut_page(found, query.count)
        rows = _bounded(page) if with_members else page
        more = more or len(rows) < len(page)
        if query.start_index == 1 and after is None and query.count and not more:
            total = len(rows)  # the page contains the whole list
        else:
            total = statements.count().one(connection, parameters).rows
        members = _read_members(connection, enterprise_id, rows) if with_members else None
    return GroupPage(rows, members, total, statements.position(rows[-1]) if more and rows else None)


def _statements(query: ListQuery, dialect: str, base: str) -> SearchStatements:
    conditions: list[ColumnElement[bool]] = []
    if query.filter is not None:
        conditions.append(compile_group_filter(query.filter, dialect=dialect, base=base))
    path = query.order.path
    sort_key = compile_group_sort_key(path, dialect=dialect, base=base) if path is not None else None
    return SearchStatements(LISTING, query, conditions, sort_key)


def with_members(enterprise_id: str, page: GroupPage) -> GroupPage:
    """Return the first groups of ``page``, until their members are as large as a page may be, with the members."""
    rows = _bounded(page.rows)
    with reading() as connection:
        return replace(page, rows=rows, members=_read_members(connection, enterprise_id, rows))


def _bounded(rows: Sequence[StoredGroup | SortedGroup]) -> Sequence[StoredGroup | SortedGroup]:
    """Return the first of ``rows`` whose members are as large as a page may be."""
    before = accumulate((row.members * _MEMBER_BYTES for row in rows), initial=0)
    return rows[: sum(1 for _ in zip(rows, takewhile(lambda size: size < PAGE_BYTES, before), strict=False))]


def _read_members(
    connection: Connection, enterprise_id: str, rows: Sequence[StoredGroup | SortedGroup]
) -> dict[str, list[GroupMemberRow]]:
    ids = [row.id for row in rows if row.members]
    members = list_members_of_groups(connection, enterprise_id, ids) if ids else []
    return {group_id: list(some) for group_id, some in groupby(members, key=lambda member: member.group_id)}
