"""Statements that requests run all day: compiled once, and executed by the database's driver itself.

What SQLAlchemy does around each execution costs several times what the driver takes for it. Left of it here is what
callers see: values converted as the columns' types want, rows with names, and SQLAlchemy's exceptions.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, Dialect, Executable
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.types import TypeEngine

from scimsvc.extensions import is_to_be_dropped

_Convert = Callable[[Any], Any]


class Prepared:
    """A Core statement for every kind of database; its values come as parameters."""

    def __init__(self, statement: Executable) -> None:
        #: The statement itself, for others to build on.
        self.statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, connection: Connection, parameters: Mapping[str, Any]) -> list[Any]:
        """Return all rows, as named tuples; raises what ``connection.execute`` raises."""
        return self._for(connection.dialect).rows(connection, parameters)

    def row(self, connection: Connection, parameters: Mapping[str, Any]) -> Any:
        """Return the first row, or None where there is none."""
        rows = self.rows(connection, parameters)
        return rows[0] if rows else None

    def execute(self, connection: Connection, parameters: Mapping[str, Any]) -> int:
        """Change rows, and return how many; raises what ``connection.execute`` raises."""
        return self._for(connection.dialect).execute(connection, parameters)

    def _for(self, dialect: Dialect) -> "_Compiled":
        # Two threads may compile the same at once; either result will do.
        return self._compiled.get(dialect.name) or self._compiled.setdefault(
            dialect.name, _Compiled(self.statement, dialect)
        )


class _Compiled:
    """A statement as one kind of database has it: the text, the parameters' order, and how values are converted."""

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.text = str(compiled)
        #: Where the driver wants parameters by position, their names in order; else None.
        self._order: Sequence[str] | None = compiled.positiontup if compiled.positional else None
        taken = {name: compiled.binds[name] for name in compiled.params}
        #: What stands in the statement itself, which is a parameter of the driver's all the same.
        self._literals = {name: each.value for name, each in taken.items() if not each.required}
        self._convert = _conversions(taken, lambda kind: kind.bind_processor(dialect), dialect)
        columns = [column for column in getattr(statement, "selected_columns", ()) if column.key]
        row = namedtuple("Row", [column.key for column in columns])  # type: ignore[misc]  # noqa: PYI024  # made here
        self._as_row: _Convert = partial(tuple.__new__, row)
        by_place = dict(enumerate(columns))
        self._convert_column = _conversions(by_place, lambda kind: kind.result_processor(dialect, None), dialect)

    def rows(self, connection: Connection, parameters: Mapping[str, Any]) -> list[Any]:
        shared = connection.connection
        try:
            cursor = shared.cursor()
            cursor.execute(self.text, self._values(parameters))
            rows = cursor.fetchall()
            cursor.close()
        except connection.dialect.loaded_dbapi.Error as error:
            raise _as_sqlalchemys(error, self.text, parameters, connection, shared) from error
        if self._convert_column:
            rows = list(map(self._converted, rows))
        return list(map(self._as_row, rows))

    def execute(self, connection: Connection, parameters: Mapping[str, Any]) -> int:
        shared = connection.connection
        try:
            cursor = shared.cursor()
            cursor.execute(self.text, self._values(parameters))
            changed = int(cursor.rowcount)
            cursor.close()
        except connection.dialect.loaded_dbapi.Error as error:
            raise _as_sqlalchemys(error, self.text, parameters, connection, shared) from error
        return changed

    def _values(self, parameters: Mapping[str, Any]) -> Any:
        if self._literals:
            parameters = {**self._literals, **parameters}
        if self._convert:
            converted = {name: convert(parameters[name]) for name, convert in self._convert.items()}
            parameters = {**parameters, **converted}
        return parameters if self._order is None else [parameters[name] for name in self._order]

    def _converted(self, row: Sequence[Any]) -> list[Any]:
        values = list(row)
        for place, convert in self._convert_column.items():
            values[place] = convert(values[place])
        return values


def _conversions(
    typed: Mapping[Any, Any], conversion: Callable[[TypeEngine[Any]], _Convert | None], dialect: Dialect
) -> dict[Any, _Convert]:
    """Return, of what has a type, the conversions that there are: most values go to the driver and back as they are."""
    found = {key: conversion(each.type.dialect_impl(dialect)) for key, each in typed.items()}
    return {key: convert for key, convert in found.items() if convert is not None}


def _as_sqlalchemys(
    error: Exception, text: str, parameters: Mapping[str, Any], connection: Connection, shared: PoolProxiedConnection
) -> BaseException:
    """Return the driver's ``error`` as SQLAlchemy raises it, having parted with a connection that is lost."""
    dialect = connection.dialect
    lost = dialect.is_disconnect(error, shared, None) or is_to_be_dropped(error)  # type: ignore[arg-type]
    if lost:
        connection.invalidate(error)
    return DBAPIError.instance(
        text, dict(parameters), error, dialect.loaded_dbapi.Error, connection_invalidated=lost, dialect=dialect
    )
