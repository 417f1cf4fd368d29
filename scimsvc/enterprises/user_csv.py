"""Read and write users as lines of CSV."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from scimsvc import schemas
from scimsvc.errors import InvalidInput
from scimsvc.protocol.errors import listed, quoted
from scimsvc.protocol.json_text import is_storable, write_json
from scimsvc.web.csv_lines import read_cell, write_line

#: Further columns of an exported file. An import ignores them.
READ_ONLY_COLUMNS = (
    *("id", "directory.title", "directory.organization"),
    *("role_source", "source", "created_at", "modified_at", "version", "groups", "custom", "confirmed_at"),
)
_IGNORED = frozenset({*READ_ONLY_COLUMNS, "directory"})
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def import_columns() -> tuple[str, ...]:
    """Return the columns that an import reads: the members of a manual user."""
    return tuple(schemas.MANUAL_USER.fields)


def _column_names() -> str:
    return ", ".join(import_columns())


# Writing.


def write_header() -> str:
    """Return the header line."""
    return write_line((*import_columns(), *READ_ONLY_COLUMNS))


def write_row(user: Mapping[str, Any]) -> str:
    """Return the line of ``user``, which has the members that the enterprise API shows of one user.

    The names of groups are separated by semicolons, and custom attributes are JSON.
    """
    directory = {f"directory.{name}": value for name, value in (user["directory"] or {}).items()}
    groups = "; ".join(group["name"] for group in user["groups"])
    custom = write_json(user["custom"]) if user["custom"] else None
    values = {**user, **directory, "groups": groups, "custom": custom}
    return write_line(values.get(name) for name in (*import_columns(), *READ_ONLY_COLUMNS))


def write_lines(users: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the header and the line of each user."""
    yield write_header()
    yield from map(write_row, users)


# Reading.


@dataclass(frozen=True, slots=True)
class Line:
    """The line of a user: its number in the file, its cells by column (``active`` is a boolean), and its problems."""

    number: int
    cells: dict[str, str | bool]
    problems: list[str]

    def text(self, name: str) -> str | None:
        """Return the text in the column ``name``, or None if the cell is empty."""
        cell = self.cells.get(name)
        return cell if isinstance(cell, str) else None


def read_lines(content: bytes) -> Iterator[Line]:
    """Yield the lines of a CSV file (UTF-8, with or without a byte order mark; commas or semicolons).

    Empty lines are skipped, and empty cells are absent. Raises ``InvalidInput`` for an invalid header.
    """
    # Bytes that are not UTF-8 become lone surrogates, so that every line with such bytes can be named.
    text = content.decode("utf-8-sig", "surrogateescape")
    first = re.split(r"[\r\n]", text, maxsplit=1)[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns: list[str] | None = None
    for number, row, problem in _read_rows(reader):
        if columns is None:
            if problem:
                raise InvalidInput(f"Line {number}: {problem}.")
            columns = _read_header(row)
        elif problem:
            yield Line(number, {}, [problem])
        elif any(cell.strip() for cell in row):
            yield _read_line(number, columns, row)
    if columns is None:
        raise InvalidInput(f"The file is empty. Its first line must name the columns: {_column_names()}.")


class _Reader(Protocol):
    """A reader of the ``csv`` module."""

    @property
    def line_num(self) -> int: ...
    def __next__(self) -> list[str]: ...


def _read_rows(reader: _Reader) -> Iterator[tuple[int, list[str], str]]:
    """Yield the number of the line in which each row begins, its cells, and its problem ("" for a valid row)."""
    while True:
        number = reader.line_num + 1
        try:
            yield number, next(reader), ""
        except StopIteration:
            return
        except csv.Error as error:
            yield number, [], f"Invalid CSV: {error}"


def _read_header(row: list[str]) -> list[str]:
    columns = [name.strip().lower() for name in row]
    unknown = [quoted(name) for name in columns if name not in import_columns() and name not in _IGNORED]
    if unknown:
        word = "column" if len(unknown) == 1 else "columns"
        raise InvalidInput(f"Line 1: Unknown {word} {listed(unknown)}. Use {_column_names()}.")
    repeated = sorted({quoted(name) for name in columns if columns.count(name) > 1})
    if repeated:
        raise InvalidInput(f"Line 1: Repeated column {listed(repeated)}. Name each column only once.")
    if "email" not in columns:
        raise InvalidInput(f"Line 1: The column 'email' is missing. Use {_column_names()}.")
    return columns


def _read_line(number: int, columns: list[str], row: list[str]) -> Line:
    if len(row) > len(columns):
        return Line(number, {}, [f"The line has {len(row)} cells, but the header has {len(columns)}"])
    cells: dict[str, str | bool] = {}
    problems = []
    for name, cell in zip(columns, row, strict=False):
        if not cell.strip() or name in _IGNORED:
            continue
        text = read_cell(cell)
        value = _TRUTH.get(text.strip().lower()) if name == "active" else text
        if not is_storable(text):
            problems.append(f"{name}: Not UTF-8 text")
        elif value is None:
            problems.append(f"{name}: Enter true or false instead of {quoted(text)}")
        else:
            cells[name] = value
    return Line(number, cells, problems)
