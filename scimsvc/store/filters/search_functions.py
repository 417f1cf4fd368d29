"""The JSON and text functions that filters need, for SQLite and PostgreSQL."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Float, Integer, Numeric, String, case, cast, column, func, literal, null

from scimsvc.models import Searchable

Expression = ColumnElement[Any]


class SearchFunctions(ABC):
    """The functions in the SQL of one kind of database."""

    @abstractmethod
    def member(self, source: Expression, names: tuple[str | int, ...]) -> Expression:
        """Return the text or truth value at the path ``names`` in a JSON object, or null if it is absent.

        A number is the position of an array's element, starting at 0.
        """

    @abstractmethod
    def number(self, source: Expression, names: tuple[str | int, ...]) -> Expression:
        """Return the number at the path ``names`` in a JSON object, or null if no number is there."""

    @abstractmethod
    def array(self, source: Expression, *names: str) -> Expression:
        """Return the JSON array at the path ``names`` in a JSON object."""

    @abstractmethod
    def numbered_elements(self, array: Expression) -> tuple[Any, Expression, Expression]:
        """Return a FROM clause with a row for each element of ``array``, the element, and its position."""

    @abstractmethod
    def object(self, members: Mapping[str, Expression]) -> Expression:
        """Return the JSON object with ``members``."""

    @abstractmethod
    def scalar(self, element: Expression) -> Expression:
        """Return a string element as text."""

    @abstractmethod
    def scalar_number(self, element: Expression) -> Expression:
        """Return an element that is a number, or null for any other element."""

    @abstractmethod
    def number_literal(self, value: float) -> Expression:
        """Return ``value``, an integer or a decimal, to compare with ``number``."""

    @abstractmethod
    def constant(self, text: str) -> Expression:
        """Return the JSON value whose text is ``text``."""

    @abstractmethod
    def boolean(self, value: bool) -> Expression:
        """Return ``value`` in the form that ``member`` returns."""

    @abstractmethod
    def position(self, value: Expression, text: str) -> Expression:
        """Return the position of ``text`` in ``value``, starting at 1, or 0 if ``value`` does not contain it."""

    @abstractmethod
    def right(self, value: Expression, length: int) -> Expression:
        """Return the last ``length`` characters of ``value``."""


def _names_and_values(members: Mapping[str, Expression]) -> Iterator[Expression]:
    for name, value in members.items():
        yield literal(name, String)
        yield value


class _SQLite(SearchFunctions):
    def member(self, source: Expression, names: tuple[str | int, ...]) -> Expression:
        steps = (f"[{name}]" if isinstance(name, int) else f'."{name}"' for name in names)
        return func.json_extract(source, "$" + "".join(steps), type_=String)

    def number(self, source: Expression, names: tuple[str | int, ...]) -> Expression:
        return self.member(source, names)

    def array(self, source: Expression, *names: str) -> Expression:
        return self.member(source, names)

    def numbered_elements(self, array: Expression) -> tuple[Any, Expression, Expression]:
        rows = func.json_each(array).table_valued("value", "key").alias()
        return rows, rows.c.value, rows.c.key

    def object(self, members: Mapping[str, Expression]) -> Expression:
        return func.json_object(*_names_and_values(members), type_=String)

    def scalar(self, element: Expression) -> Expression:
        return element

    def scalar_number(self, element: Expression) -> Expression:
        return element

    def number_literal(self, value: float) -> Expression:
        return literal(value, Integer if isinstance(value, int) else Float)

    def constant(self, text: str) -> Expression:
        return literal(text)

    def boolean(self, value: bool) -> Expression:
        return literal(int(value), Integer)

    def position(self, value: Expression, text: str) -> Expression:
        return func.instr(value, text)

    def right(self, value: Expression, length: int) -> Expression:
        return func.substr(value, -length)


class _PostgreSQL(SearchFunctions):
    def member(self, source: Expression, names: tuple[str | int, ...]) -> Expression:
        return func.jsonb_extract_path_text(source, *map(str, names), type_=String).collate("C")

    def number(self, source: Expression, names: tuple[str | int, ...]) -> Expression:
        return self.scalar_number(func.jsonb_extract_path(source, *map(str, names), type_=Searchable))

    def array(self, source: Expression, *names: str) -> Expression:
        return func.jsonb_extract_path(source, *names, type_=Searchable)

    def numbered_elements(self, array: Expression) -> tuple[Any, Expression, Expression]:
        elements = func.jsonb_array_elements(array)
        rows = elements.table_valued(column("value", Searchable), with_ordinality="position").render_derived()
        return rows, rows.c.value, rows.c.position

    def object(self, members: Mapping[str, Expression]) -> Expression:
        return func.jsonb_build_object(*_names_and_values(members), type_=Searchable)

    def scalar(self, element: Expression) -> Expression:
        return func.jsonb_extract_path_text(func.jsonb_build_array(element), "0", type_=String).collate("C")

    def scalar_number(self, element: Expression) -> Expression:
        return case((func.jsonb_typeof(element) == "number", cast(element, Numeric)), else_=null())

    def number_literal(self, value: float) -> Expression:
        return literal(Decimal(repr(value)), Numeric)

    def constant(self, text: str) -> Expression:
        return cast(literal(text), Searchable)

    def boolean(self, value: bool) -> Expression:
        return literal("true" if value else "false")

    def position(self, value: Expression, text: str) -> Expression:
        return func.strpos(value, text)

    def right(self, value: Expression, length: int) -> Expression:
        return func.right(value, length)


#: The functions by dialect of SQLAlchemy.
SEARCH_FUNCTIONS: dict[str, SearchFunctions] = {"sqlite": _SQLite(), "postgresql": _PostgreSQL()}
