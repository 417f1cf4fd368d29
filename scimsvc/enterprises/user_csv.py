"""Users as CSV: the columns, and how lines are read and written."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from scimsvc.errors import InvalidInput
from scimsvc.protocol.errors import quoted
from scimsvc.protocol.json_text import is_storable
from scimsvc.schemas import MANUAL_USER
from scimsvc.web.csv_lines import read_cell, write_line

#: What a manual user is made of.
COLUMNS = tuple(MANUAL_USER.fields)
#: What an exported file has beside it, and what is ignored in one that is imported.
READ_ONLY_COLUMNS = (
    *("id", "directory.title", "directory.organization"),
    *("source", "created_at", "modified_at", "version"),
)
_IGNORED = frozenset({*READ_ONLY_COLUMNS, "directory"})
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_MOST_NAMED = 20


# Writing.


def write_header() -> str:
    """Return the first line."""
    return write_line((*COLUMNS, *READ_ONLY_COLUMNS))


def write_row(user: Mapping[str, Any]) -> str:
    """Return the line of a user as the enterprise API shows it."""
    directory = {f"directory.{name}": value for name, value in (user["directory"] or {}).items()}
    values = {**user, **directory}
    return write_line(values.get(name) for name in (*COLUMNS, *READ_ONLY_COLUMNS))


# Reading.


@dataclass(frozen=True, slots=True)
class Line:
    """A user's line: its number in the file, its cells by column (``active`` is a boolean), and its problems."""

    number: int
    cells: dict[str, str | bool]
    problems: list[str]

    def text(self, name: str) -> str | None:
        """Return the text in the column ``name``; None if there is none."""
        cell = self.cells.get(name)
        return cell if isinstance(cell, str) else None


def read_lines(content: bytes) -> Iterator[Line]:
    """Yield the lines of a CSV file (UTF-8, with or without a byte order mark; commas or semicolons).

    Lines without anything are left out, and cells without anything are absent. Raises ``InvalidInput`` for a header
    that is none.
    """
    # What is not UTF-8 stands as lone surrogates, so that each line with some is named.
    text = content.decode("utf-8-sig", "surrogateescape")
    first = re.split(r"[\r\n]", text, maxsplit=1)[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns: list[str] | None = None
    for number, row, problem in _read_rows(reader):
        if columns is None:
            if problem:
                raise InvalidInput(f"line {number}: {problem}")
            columns = _read_header(row)
        elif problem:
            yield Line(number, {}, [problem])
        elif any(cell.strip() for cell in row):
            yield _read_line(number, columns, row)
    if columns is None:
        raise InvalidInput(f"the file is empty; its first line names the columns: {', '.join(COLUMNS)}")


class _Reader(Protocol):
    """A reader of the module ``csv``."""

    @property
    def line_num(self) -> int: ...
    def __next__(self) -> list[str]: ...


def _read_rows(reader: _Reader) -> Iterator[tuple[int, list[str], str]]:
    """Yield the number of the line in which each row begins, its cells, and what is wrong with it, if anything."""
    while True:
        number = reader.line_num + 1
        try:
            yield number, next(reader), ""
        except StopIteration:
            return
        except csv.Error as error:
            yield number, [], f"is no CSV: {error}"


def _read_header(row: list[str]) -> list[str]:
    columns = [name.strip().lower() for name in row]
    unknown = [quoted(name) for name in columns if name not in COLUMNS and name not in _IGNORED]
    there_are = f"there are {', '.join(COLUMNS)}"
    if unknown:
        more = f" and {len(unknown) - _MOST_NAMED} more" if len(unknown) > _MOST_NAMED else ""
        word = "column" if len(unknown) == 1 else "columns"
        raise InvalidInput(f"line 1: unknown {word} {', '.join(unknown[:_MOST_NAMED])}{more}; {there_are}")
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise InvalidInput(f"line 1: the column {', '.join(twice)} stands there twice")
    if "email" not in columns:
        raise InvalidInput(f"line 1: the column email is missing; {there_are}")
    return columns


def _read_line(number: int, columns: list[str], row: list[str]) -> Line:
    if len(row) > len(columns):
        return Line(number, {}, [f"has {len(row)} cells, and the header has {len(columns)}"])
    cells: dict[str, str | bool] = {}
    problems = []
    for name, cell in zip(columns, row, strict=False):
        if not cell.strip() or name in _IGNORED:
            continue
        text = read_cell(cell)
        value = _TRUTH.get(text.strip().lower()) if name == "active" else text
        if not is_storable(text):
            problems.append(f"{name}: is not UTF-8 text")
        elif value is None:
            problems.append(f"{name}: is {quoted(text)}; true or false is wanted")
        else:
            cells[name] = value
    return Line(number, cells, problems)
