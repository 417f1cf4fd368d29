"""Read the users of a page, until their documents are as large as a page may be.

A page of 1,000 large users would have hundreds of megabytes. SQLite returns rows one after another, so that reading
stops at the bound. PostgreSQL's driver receives all rows at once. A prepared statement therefore adds up the bytes, and
a dynamic one has a cursor in the server, which takes less time than to create such a statement for each search.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import accumulate, takewhile
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, func, select

from scimsvc import fast_paths
from scimsvc.protocol.limits import PAGE_BYTES
from scimsvc.store.engine.statements import NO_PARAMETERS, Parameters, Query
from scimsvc.store.fast import driver

RowT = TypeVar("RowT", bound=tuple[Any, ...])

#: The document in a row.
_document = itemgetter(1)
#: Rows that are read from SQLite at once.
_ROWS_AT_ONCE = 32
_BYTES_OF_CHARACTER = 4


class PageRows(list[RowT]):
    """The rows of a page, and the number of characters of their documents."""

    characters = 0


class PageQuery(Query[RowT]):
    """The rows of a page, with the document of a user as the second column.

    It returns the rows whose predecessors have less than ``PAGE_BYTES`` together, and one more if another exists, from
    which ``cut_page`` knows that another page follows. A dynamic query may have any order. Others are ordered by ID.
    """

    @cached_property
    def _bounded(self) -> Query[RowT]:
        return Query(_bounded(self.statement), self.row_type)

    def all(self, connection: Connection, parameters: Parameters = NO_PARAMETERS) -> PageRows[RowT]:
        """Return the rows of the page."""
        is_sqlite = connection.dialect.name == "sqlite"
        if not is_sqlite and not self.is_dynamic:
            page = PageRows(self._bounded.all(connection, parameters))
            page.characters = _characters(page)
            return page
        if self.is_dynamic or not fast_paths.enabled:
            options = {} if is_sqlite else {"yield_per": _ROWS_AT_ONCE}
            with connection.execute(self.statement, dict(parameters), execution_options=options) as result:
                (rows, characters), _ = _read_rows(result)
        else:
            prepared = self.prepared_for(connection.dialect)
            values = prepared.values(parameters)
            rows, characters = driver.execute_partly(connection, prepared.text, values, _read_rows)
            rows = prepared.converted(rows)
        page = PageRows(map(self.make_row, rows))
        page.characters = characters
        return page


def cut_page(rows: Sequence[RowT], limit: int) -> tuple[Sequence[RowT], bool]:
    """Return the rows of the page, at most ``limit``, and whether another page follows."""
    page = rows[:limit]
    characters = rows.characters if isinstance(rows, PageRows) else _characters(rows)
    if characters * _BYTES_OF_CHARACTER > PAGE_BYTES:
        before = accumulate((len(_document(row).encode()) for row in page), initial=0)
        page = page[: sum(1 for _ in takewhile(lambda size: size < PAGE_BYTES, before))]
    return page, len(rows) > len(page)


def _read_rows(cursor: Any) -> tuple[tuple[list[Any], int], bool]:
    """Return the rows of the page, their characters, and whether all rows of ``cursor`` were read."""
    rows: list[Any] = []
    characters = 0
    while characters < PAGE_BYTES:
        some = cursor.fetchmany(_ROWS_AT_ONCE)
        rows += some
        characters += sum(map(len, map(_document, some)))
        if len(some) < _ROWS_AT_ONCE:
            return (rows, characters), True
    # The bytes are at least as many as the characters, so the page ends within these rows.
    return (rows + cursor.fetchmany(1), characters), False


def _characters(rows: Iterable[Any]) -> int:
    return sum(map(len, map(_document, rows)))


def _bounded(statement: Any) -> Select[Any]:
    """Return ``statement``, which is ordered by ID, without the rows that ``PAGE_BYTES`` leave out."""
    page = statement.subquery()
    earlier = func.sum(func.octet_length(page.c.document)).over(order_by=page.c.id, rows=(None, -2))
    counted = select(*page.c, func.coalesce(earlier, 0).label("earlier_bytes")).subquery()
    columns = [column for column in counted.c if column.name != "earlier_bytes"]
    return select(*columns).where(counted.c.earlier_bytes < PAGE_BYTES).order_by(counted.c.id)
