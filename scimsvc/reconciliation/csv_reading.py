"""Read the lines of a CSV file of any size, and report the invalid ones."""

import csv
import re
from collections.abc import Iterator
from typing import NamedTuple, TextIO

#: The characters of a line, and of a row of several lines. A row that is longer is invalid.
LONGEST_LINE, LONGEST_ROW = 1_000_000, 4_000_000
_DELIMITERS = ",;\t|"
#: The first line of files for Excel, and that of Entra's templates.
_SEPARATOR, _VERSION = re.compile(r"sep=(.)\s*$"), re.compile(r"version:v[0-9.]+[\s,;]*$")


class Row(NamedTuple):
    """The cells of a row, the number of its first line, and its problem ("" for a valid row)."""

    number: int
    cells: list[str]
    problem: str = ""


class _Lines:
    """The lines of a file, for the CSV reader. A line that is too long is left out."""

    def __init__(self, text: TextIO, delimiter: str | None, pending: list[str]) -> None:
        self.delimiter = delimiter
        self._text = text
        self._pending = pending
        self._number = 0
        #: The number of the first line of the present row, and the characters of the row.
        self.first = 0
        self._characters = 0
        #: The numbers of lines that were too long.
        self.too_long: list[int] = []

    def skip(self, lines: int) -> None:
        """Count lines that were read before."""
        self._number += lines

    def begin_row(self) -> None:
        self.first = self._characters = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._pending.pop() if self._pending else self._text.readline(LONGEST_LINE + 1)
        while len(line) > LONGEST_LINE:
            self._number += 1
            self.too_long.append(self._number)
            while line and not line.endswith(("\n", "\r")):
                line = self._text.readline(LONGEST_LINE)
            line = self._text.readline(LONGEST_LINE + 1)
        if not line:
            raise StopIteration
        self._number += 1
        self.first = self.first or self._number
        self._characters += len(line)
        if self._characters > LONGEST_ROW:
            raise csv.Error("the row is too long. A quotation mark is probably missing")
        return line


def read_rows(text: TextIO) -> Iterator[Row]:
    """Yield the rows of a CSV file, the header first. Empty rows are left out."""
    lines = _begin(text)
    reader = csv.reader(lines, delimiter=lines.delimiter or ",", strict=True)
    while True:
        lines.begin_row()
        row = _next_row(reader, lines)
        for number in lines.too_long:
            yield Row(number, [], f"The line has more than {LONGEST_LINE:,} characters")
        lines.too_long.clear()
        if row is None:
            return
        if row.problem or any(map(str.strip, row.cells)):
            yield row


def _next_row(reader: Iterator[list[str]], lines: _Lines) -> Row | None:
    try:
        cells = next(reader)
    except StopIteration:
        return None
    except csv.Error as error:
        return Row(lines.first, [], f"Invalid CSV: {error}")
    return Row(lines.first, cells)


def _begin(text: TextIO) -> _Lines:
    """Return the lines from the header on, with the delimiter."""
    skipped, delimiter = 0, None
    line = text.readline(LONGEST_LINE + 1).removeprefix("\ufeff")
    while line and len(line) <= LONGEST_LINE and delimiter is None:
        separator = _SEPARATOR.match(line)
        if separator:
            delimiter = separator.group(1)
        elif line.strip() and not _VERSION.match(line):
            break
        skipped += 1
        line = text.readline(LONGEST_LINE + 1)
    if delimiter is None:
        delimiter = max(_DELIMITERS, key=line.count)
    lines = _Lines(text, delimiter, [line])
    lines.skip(skipped)
    return lines
