"""Statements and the rows that they return: the one way to run SQL.

A store module declares its statements as constants, each query with the type of its rows::

    class RoleRow(NamedTuple):
        id: str
        name: str

    ROLES = Query(select(Role.id, Role.name).where(Role.enterprise_id == ENTERPRISE_ID), RoleRow)
    DELETE_ROLE = Write(delete(Role).where(Role.enterprise_id == ENTERPRISE_ID, Role.id == ID))

    ROLES.all(connection, {"enterprise_id": enterprise_id})

The Core expression is the definition of a statement. It is compiled to SQL once per kind of database and then run by
the database driver (``store.fast``). ``dynamic=True`` is for an expression that is built for one call, as by a filter:
it goes through SQLAlchemy, because compiling it would cost more than running it. Callers see no difference.
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

_NO_PARAMETERS: Parameters = MappingProxyType({})
#: How many rows ``Query.iterate`` holds in memory.
_ROWS_AT_ONCE = 1000


class _Statement:
    """A Core expression, and the prepared statement of it for each kind of database."""

    def __init__(self, statement: Executable, columns: Sequence[str] | None, *, dynamic: bool) -> None:
        #: The Core expression.
        self.statement = statement
        self._columns = columns
        self._is_dynamic = dynamic
        self._prepared: dict[str, PreparedStatement] = {}

    def _prepared_for(self, dialect: Dialect) -> PreparedStatement:
        return self._prepared.get(dialect.name) or self._prepared.setdefault(
            dialect.name, prepare_statement(self.statement, self._columns, dialect)
        )


class Query(_Statement, Generic[RowT]):
    """A statement that returns rows of the type ``row_type``.

    ``row_type`` is a NamedTuple whose fields are the selected columns in order, or ``tuple`` where only the call knows
    the columns. A field whose type is itself a NamedTuple takes as many columns as that one has: this is how a join
    returns the rows of both sides.
    """

    def __init__(self, statement: Executable, row_type: type[RowT], *, dynamic: bool = False) -> None:
        super().__init__(statement, None, dynamic=dynamic)
        self.row_type = row_type
        self._make_row = _row_maker(row_type)

    def all(self, connection: Connection, parameters: Parameters = _NO_PARAMETERS) -> list[RowT]:
        """Return all rows."""
        if self._is_dynamic or not fast_paths.enabled:
            return [self._make_row(row) for row in connection.execute(self.statement, dict(parameters))]
        prepared = self._prepared_for(connection.dialect)
        rows = driver.execute(connection, prepared.text, prepared.values(parameters), driver.all_rows)
        if prepared.column_converters:
            rows = prepared.converted(rows)
        return list(map(self._make_row, rows))

    def first(self, connection: Connection, parameters: Parameters = _NO_PARAMETERS) -> RowT | None:
        """Return the first row, or None where there is none; the statement itself says how many rows are read."""
        rows = self.all(connection, parameters)
        return rows[0] if rows else None

    def one(self, connection: Connection, parameters: Parameters = _NO_PARAMETERS) -> RowT:
        """Return the only row; raises SQLAlchemy's ``NoResultFound`` if there is not exactly one."""
        rows = self.all(connection, parameters)
        if len(rows) != 1:
            raise NoResultFound(f"{len(rows)} rows were found where exactly one was expected")
        return rows[0]

    def iterate(self, connection: Connection, parameters: Parameters = _NO_PARAMETERS) -> Iterator[RowT]:
        """Yield the rows, of which only some are in memory at a time."""
        options = {"yield_per": _ROWS_AT_ONCE}
        yield from map(self._make_row, connection.execute(self.statement, dict(parameters), execution_options=options))


class Write(_Statement):
    """A statement that changes rows.

    ``columns`` are those that the parameters of an INSERT or UPDATE set; without them an INSERT sets every column that
    its expression does not.
    """

    def __init__(self, statement: Executable, columns: Sequence[str] | None = None, *, dynamic: bool = False) -> None:
        super().__init__(statement, columns, dynamic=dynamic)

    def run(self, connection: Connection, parameters: Parameters = _NO_PARAMETERS) -> int:
        """Execute the statement and return how many rows it changed."""
        if self._is_dynamic:
            return self._run_by_sqlalchemy(connection, dict(parameters))
        prepared = self._prepared_for(connection.dialect)
        if not fast_paths.enabled:
            return self._run_by_sqlalchemy(connection, prepared.named(parameters))
        return driver.execute(connection, prepared.text, prepared.values(parameters), driver.row_count)

    def _run_by_sqlalchemy(self, connection: Connection, parameters: dict[str, Any]) -> int:
        return connection.execute(self.statement, parameters, execution_options={"preserve_rowcount": True}).rowcount

    def run_many(self, connection: Connection, parameters: Iterable[Parameters]) -> None:
        """Execute the statement with each of ``parameters``, of which each sets the same columns."""
        several = list(map(dict, parameters))
        if several:
            connection.execute(self.statement, several)


def _row_maker(row_type: type[RowT]) -> _RowMaker[RowT]:
    """Return a function that makes a ``row_type`` of a sequence of columns."""
    types = [getattr(row_type, "__annotations__", {}).get(field) for field in getattr(row_type, "_fields", ())]
    widths = [len(getattr(each, "_fields", ())) for each in types]
    if not any(widths):
        return partial(tuple.__new__, row_type)  # as NamedTuple's _make does, without its count of the columns
    ends = list(accumulate(width or 1 for width in widths))
    parts = [
        _part_maker(type_, end - width, end) if width else itemgetter(end - 1)
        for type_, width, end in zip(types, widths, ends, strict=True)
    ]
    return lambda row: tuple.__new__(row_type, [part(row) for part in parts])


def _part_maker(row_type: Any, start: int, end: int) -> Callable[[Any], Any]:
    make, columns = _row_maker(row_type), slice(start, end)
    return lambda row: make(row[columns])
