"""Statements that are made into SQL text once and then given to the driver itself.

SQLAlchemy takes 60 µs to execute a statement that SQLite answers in 10, for freedoms that what Entra does all day has
no use for. The Core expression stays the definition: text, parameters and the conversion of values come from it.
"""

import itertools
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Connection, Dialect, Float
from sqlalchemy.sql import ClauseElement, Select
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.selectable import SelectBase
from sqlalchemy.types import TypeEngine

from scimsvc import fast_paths
from scimsvc.store.fast import driver

_Processor = Callable[[Any], Any]


class Prepared:
    """One statement, for every connection.

    Of an INSERT that leaves its columns to its parameters these are all of the table's, or ``columns``. Of a SELECT of
    many rows they are ``plain`` tuples, as to give each of them names takes a tenth of what reading it does; of one
    that joins what is told apart they have ``parts``, of so many columns each.
    """

    def __init__(
        self,
        statement: ClauseElement,
        columns: Sequence[str] | None = None,
        *,
        plain: bool = False,
        parts: Sequence[int] = (),
    ) -> None:
        #: The expression itself.
        self.statement = statement
        self.columns = columns
        self.plain = plain
        self.parts = parts
        self._compiled: dict[str, CompiledStatement] = {}
        self._make_row: Callable[[Any], Any] | None = None
        if not plain:
            selected = list(statement.selected_columns) if isinstance(statement, Select) else []
            self._make_row = _row_maker([column.key for column in selected], parts)

    def run(self, connection: Connection, parameters: Mapping[str, Any]) -> None:
        """Execute the statement."""
        if not fast_paths.enabled:
            connection.execute(self.statement, dict(parameters))  # type: ignore[call-overload]
            return
        compiled = self._for(connection.dialect)
        driver.execute(connection, compiled.text, compiled.values(parameters), driver.no_rows)

    def rows(self, connection: Connection, parameters: Mapping[str, Any]) -> list[Any]:
        """Return all rows; unless they are plain, their columns, or their parts', are attributes."""
        if not fast_paths.enabled:
            rows = list(map(tuple, connection.execute(self.statement, dict(parameters))))  # type: ignore[call-overload]
            return rows if self._make_row is None else list(map(self._make_row, rows))
        compiled = self._for(connection.dialect)
        rows = compiled.converted(
            driver.execute(connection, compiled.text, compiled.values(parameters), driver.all_rows)
        )
        return rows if self._make_row is None else list(map(self._make_row, rows))

    #: As ``store.statements.Query`` calls it.
    all = rows

    def row(self, connection: Connection, parameters: Mapping[str, Any]) -> Any:
        """Return the first row, or None."""
        rows = self.rows(connection, parameters)
        return rows[0] if rows else None

    def _for(self, dialect: Dialect) -> "CompiledStatement":
        return self._compiled.get(dialect.name) or self._compiled.setdefault(
            dialect.name, compile_statement(self.statement, self.columns, dialect)
        )


@dataclass(frozen=True, slots=True)
class CompiledStatement:
    """A statement as the driver of one kind of database takes it."""

    text: str
    #: Takes the values in the order of their places, where places have no names.
    in_places: Callable[[Mapping[str, Any]], Any] | None
    #: The names of all values.
    names: Sequence[str]
    #: The values that stand in the expression itself.
    fixed: Mapping[str, Any]
    #: Convert values to what the driver takes.
    writers: tuple[tuple[str, _Processor], ...]
    #: Convert columns to what their types say.
    readers: tuple[tuple[int, _Processor], ...]

    def values(self, parameters: Mapping[str, Any]) -> Any:
        """Return the values as the driver takes them."""
        if self.fixed or self.writers:
            parameters = {**self.fixed, **parameters}
            for name, write in self.writers:
                parameters[name] = write(parameters[name])
        return parameters if self.in_places is None else self.in_places(parameters)

    def named(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return those of ``parameters`` that the statement takes, for SQLAlchemy."""
        return {name: parameters[name] for name in self.names if name in parameters}

    def converted(self, rows: list[Any]) -> list[Any]:
        """Return ``rows`` with the values of their columns' types."""
        if not self.readers:
            return rows
        converted = list(map(list, rows))
        for row in converted:
            for place, read in self.readers:
                row[place] = read(row[place])
        return converted


def compile_statement(statement: Any, columns: Sequence[str] | None, dialect: Dialect) -> CompiledStatement:
    """Compile the Core expression ``statement``, whose parameters set ``columns``, for one kind of database."""
    compiled: Any = statement.compile(
        dialect=dialect, column_keys=columns, compile_kwargs={"render_postcompile": True}
    )  # fmt: skip
    writers = {name: _writer(bind.type, dialect) for bind, name in compiled.bind_names.items()}
    readers = [(place, _reader(column.type, dialect)) for place, column in enumerate(selected_columns(statement))]
    return CompiledStatement(
        text=str(compiled),
        in_places=_picker(compiled.positiontup) if compiled.positional else None,
        names=tuple(writers),
        fixed={name: bind.effective_value for bind, name in compiled.bind_names.items() if not bind.required},
        writers=tuple((name, write) for name, write in writers.items() if write is not None),
        readers=tuple((place, read) for place, read in readers if read is not None),
    )


def selected_columns(statement: Any) -> list[ColumnElement[Any]]:
    """Return the columns of the rows that ``statement`` returns."""
    if isinstance(statement, SelectBase):
        return list(statement.selected_columns)
    return list(statement.exported_columns) if isinstance(statement, UpdateBase) else []


def _picker(names: Sequence[str]) -> Callable[[Mapping[str, Any]], Any]:
    return itemgetter(*names) if len(names) > 1 else lambda parameters: [parameters[name] for name in names]


def _row_maker(names: Sequence[Any], parts: Sequence[int]) -> Callable[[Any], Any]:
    if parts:
        ends = itertools.accumulate(parts)
        cuts = [slice(end - part, end) for end, part in zip(ends, parts, strict=True)]
        makers = [(cut, _row_maker(names[cut], ())) for cut in cuts]
        return lambda row: [make(row[cut]) for cut, make in makers]
    row: Any = namedtuple("Row", tuple(names))  # type: ignore[misc]  # noqa: PYI024  # the statement says them
    return partial(tuple.__new__, row)  # as its _make does, without the count


def _writer(type_: TypeEngine[Any], dialect: Dialect) -> _Processor | None:
    # The drivers take True and False as they are, for which SQLAlchemy's own look costs as much as all the rest.
    return None if isinstance(type_, Boolean) else type_.dialect_impl(dialect).bind_processor(dialect)


def _reader(type_: TypeEngine[Any], dialect: Dialect) -> _Processor | None:
    if isinstance(type_, Float) and not type_.asdecimal:
        return None  # the drivers return floats, and SQLAlchemy's reader asks for a type code that is not known yet
    return type_.dialect_impl(dialect).result_processor(dialect, None)
