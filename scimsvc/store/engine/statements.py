"""Run SQL statements, and return rows with types.

A store module declares its statements as constants, each query with the type of its rows::

    class RoleRow(NamedTuple):
        id: str
        name: str

    ROLES = Query(select(Role.id, Role.name).where(Role.enterprise_id == ENTERPRISE_ID), RoleRow)
    DELETE_ROLE = Write(delete(Role).where(Role.enterprise_id == ENTERPRISE_ID, Role.id == ID))

    ROLES.all(connection, {"enterprise_id": enterprise_id})

The Core expression defines a statement. It is compiled to SQL once per kind of database, and then the database driver
runs it (``store.fast``). Use ``dynamic=True`` for an expression that is built for one call, for example from a filter.
SQLAlchemy runs it, because compiling it would take longer than running it. Callers see no difference.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import accumulate
from operator import itemgetter
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import NoResultFound
from sqlalchemy.sql import Executable

from scimsvc import fast_paths
from scimsvc.store.fast import driver
from scimsvc.store.fast.prepared import PreparedStatement, prepare_statement

Parameters = Mapping[str, Any]
RowT = TypeVar("RowT", bound=tuple[Any, ...])
_RowMaker = Callable[[Any], RowT]

NO_PARAMETERS: Parameters = MappingProxyType({})
#: The number of rows that ``Query.iterate`` keeps in memory.
_ROWS_AT_ONCE = 1000


class _Statement:
    """A Core expression, with a prepared statement for each kind of database."""

    def __init__(self, statement: Executable, columns: Sequence[str] | None, *, dynamic: bool) -> None:
        #: The Core expression.
        self.statement = statement
        self._columns = columns
        self.is_dynamic = dynamic
        self._prepared: dict[str, PreparedStatement] = {}

    def prepared_for(self, dialect: Dialect) -> PreparedStatement:
        """Return the statement for the driver of ``dialect``."""
        return self._prepared.get(dialect.name) or self._prepared.setdefault(
            dialect.name, prepare_statement(self.statement, self._columns, dialect)
        )


class Query(_Statement, Generic[RowT]):
    """A statement that returns rows of the type ``row_type``.

    ``row_type`` is a NamedTuple with the selected columns as fields, in order. Use ``tuple`` if only the caller knows
    the columns. A field whose type is another NamedTuple takes as many columns as that NamedTuple has. A join returns
    the rows of both sides this way.
    """

    def __init__(self, statement: Executable, row_type: type[RowT], *, dynamic: bool = False) -> None:
        super().__init__(statement, None, dynamic=dynamic)
        self.row_type = row_type
        self.make_row = _row_maker(row_type)

    def all(self, connection: Connection, parameters: Parameters = NO_PARAMETERS) -> list[RowT]:
        """Return all rows."""
        if self.is_dynamic or not fast_paths.enabled:
            return [self.make_row(row) for row in connection.execute(self.statement, dict(parameters))]
        prepared = self.prepared_for(connection.dialect)
        rows = driver.execute(connection, prepared.text, prepared.values(parameters), driver.all_rows)
        if prepared.column_converters:
            rows = prepared.converted(rows)
        return list(map(self.make_row, rows))

    def first(self, connection: Connection, parameters: Parameters = NO_PARAMETERS) -> RowT | None:
        """Return the first row, or None if no row exists. All rows are read, so limit the statement."""
        rows = self.all(connection, parameters)
        return rows[0] if rows else None

    def one(self, connection: Connection, parameters: Parameters = NO_PARAMETERS) -> RowT:
        """Return the only row. Raises ``NoResultFound`` of SQLAlchemy if the number of rows is not one."""
        rows = self.all(connection, parameters)
        if len(rows) != 1:
            raise NoResultFound(f"Expected one row, got {len(rows)}.")
        return rows[0]

    def iterate(self, connection: Connection, parameters: Parameters = NO_PARAMETERS) -> Iterator[RowT]:
        """Yield the rows, with at most ``_ROWS_AT_ONCE`` of them in memory."""
        options = {"yield_per": _ROWS_AT_ONCE}
        result = connection.execute(self.statement, dict(parameters), execution_options=options)
        try:
            yield from map(self.make_row, result)
        finally:
            result.close()  # the caller may have stopped before the last row


class Write(_Statement):
    """A statement that changes rows.

    ``columns`` are the columns that the parameters of an INSERT or UPDATE set. Without ``columns``, an INSERT sets
    every column that its expression does not set.
    """

    def __init__(self, statement: Executable, columns: Sequence[str] | None = None, *, dynamic: bool = False) -> None:
        super().__init__(statement, columns, dynamic=dynamic)

    def run(self, connection: Connection, parameters: Parameters = NO_PARAMETERS) -> int:
        """Execute the statement and return the number of changed rows."""
        if self.is_dynamic:
            return self._run_by_sqlalchemy(connection, dict(parameters))
        prepared = self.prepared_for(connection.dialect)
        if not fast_paths.enabled:
            return self._run_by_sqlalchemy(connection, prepared.named(parameters))
        return driver.execute(connection, prepared.text, prepared.values(parameters), driver.row_count)

    def _run_by_sqlalchemy(self, connection: Connection, parameters: dict[str, Any]) -> int:
        return connection.execute(self.statement, parameters, execution_options={"preserve_rowcount": True}).rowcount

    def run_many(self, connection: Connection, parameters: Iterable[Parameters]) -> None:
        """Execute the statement with each of ``parameters``. All of them must set the same columns."""
        several = list(map(dict, parameters))
        if several:
            connection.execute(self.statement, several)


def _row_maker(row_type: type[RowT]) -> _RowMaker[RowT]:
    """Return a function that creates a ``row_type`` from a sequence of columns."""
    types = [getattr(row_type, "__annotations__", {}).get(field) for field in getattr(row_type, "_fields", ())]
    widths = [len(getattr(each, "_fields", ())) for each in types]
    if not any(widths):
        return partial(tuple.__new__, row_type)  # like NamedTuple._make, without its check of the length
    ends = list(accumulate(width or 1 for width in widths))
    parts = [
        _part_maker(type_, end - width, end) if width else itemgetter(end - 1)
        for type_, width, end in zip(types, widths, ends, strict=True)
    ]
    return lambda row: tuple.__new__(row_type, [part(row) for part in parts])


def _part_maker(row_type: Any, start: int, end: int) -> Callable[[Any], Any]:
    make, columns = _row_maker(row_type), slice(start, end)
    return lambda row: make(row[columns])
