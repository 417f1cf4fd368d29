"""Statements for filtered and sorted pages of the rows of one table, by start index or after the previous page."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, true, tuple_

from scimsvc.protocol.listing import ListQuery, Order
from scimsvc.store.engine.statements import Query
from scimsvc.store.page_queries import PageQuery


class Position(NamedTuple):
    """The end of a page: the sort key (None without an order) and the ID of its last row."""

    sort_key: Any
    last_id: str


class Count(NamedTuple):
    """The number of rows on all pages."""

    rows: int


@dataclass(frozen=True, slots=True)
class Listing:
    """The rows that a search selects from, with their documents in the second column."""

    rows: Select[Any]
    id: Any
    row_type: type[Any]
    #: ``row_type`` with the value of the sort key as a further column, ``sort_key``.
    sorted_type: type[Any]


class SearchStatements:
    """The statements of one search. ``sort_key`` is None for rows in the order of their IDs."""

    def __init__(
        self,
        listing: Listing,
        query: ListQuery,
        conditions: Sequence[ColumnElement[bool]],
        sort_key: ColumnElement[Any] | None,
    ) -> None:
        self._listing = listing
        self._query = query
        self._conditions = conditions
        self._sort_key = sort_key

    def page(self, after: Position | None) -> Query[Any]:
        """Return the query of the page after ``after``, with one additional row."""
        listing, sort_key, query = self._listing, self._sort_key, self._query
        statement = listing.rows.where(*self._conditions).offset(query.start_index - 1).limit(query.count + 1)
        if after is not None:
            statement = statement.where(_follows(after, sort_key, listing.id, descending=query.order.descending))
        if sort_key is None:
            return PageQuery(statement.order_by(listing.id), listing.row_type, dynamic=True)
        order = _order(sort_key, listing.id, query.order)
        statement = statement.add_columns(sort_key.label("sort_key")).order_by(*order)
        return PageQuery(statement, listing.sorted_type, dynamic=True)

    def count(self) -> Query[Count]:
        """Return the query that counts the rows on all pages."""
        statement = self._listing.rows.with_only_columns(func.count().label("rows")).where(*self._conditions)
        return Query(statement, Count, dynamic=True)

    def position(self, row: Any) -> Position:
        """Return the position of ``row``."""
        return Position(_plain(getattr(row, "sort_key", None)), row.id)


def _plain(sort_key: Any) -> Any:
    """Return ``sort_key`` as a value for the JSON of a cursor. PostgreSQL returns numbers as decimals."""
    if not isinstance(sort_key, Decimal):
        return sort_key
    return int(sort_key) if sort_key == int(sort_key) else float(sort_key)


def _order(sort_key: ColumnElement[Any], row_id: Any, order: Order) -> Sequence[ColumnElement[Any]]:
    keys = [sort_key.desc(), row_id.desc()] if order.descending else [sort_key.asc(), row_id.asc()]
    if _may_be_null(sort_key):
        # Absent values come last, and first in descending order (RFC 7644 §3.4.2.3).
        keys[0] = keys[0].nulls_first() if order.descending else keys[0].nulls_last()
    return keys


def _may_be_null(sort_key: ColumnElement[Any]) -> bool:
    return bool(getattr(sort_key, "nullable", True))


def _follows(
    after: Position, sort_key: ColumnElement[Any] | None, row_id: Any, *, descending: bool
) -> ColumnElement[bool]:
    """Return the condition for rows after the position ``after``."""
    key, last_id = after
    later_id: ColumnElement[bool] = row_id < last_id if descending else row_id > last_id
    if sort_key is None:
        return later_id
    if not _may_be_null(sort_key):
        if key is None:  # of a row of another table, in a list of both
            return true() if descending else false()
        # A row comparison can use an index.
        row, last = tuple_(sort_key, row_id), tuple_(key, last_id)
        return row < last if descending else row > last
    if descending:
        if key is None:
            return or_(sort_key.is_not(None), later_id)
        return or_(sort_key < key, and_(sort_key == key, later_id))
    if key is None:
        return and_(sort_key.is_(None), later_id)
    return or_(sort_key > key, and_(sort_key == key, later_id), sort_key.is_(None))
