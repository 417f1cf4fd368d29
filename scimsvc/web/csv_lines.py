"""Write CSV lines whose cells a spreadsheet never runs as formulas (OWASP, CSV injection).

An apostrophe is written before a text that looks like a formula, at the beginning of a cell and where a cell begins for
a spreadsheet that separates cells by semicolons or tabs. ``read_cell`` removes it. A first line ``sep=,`` would be read
by one spreadsheet only, and as a line of data by every other program.
"""

import csv
import io
import re
from collections.abc import Iterable
from typing import Any

#: The beginning of a cell for any separator. Such spreadsheets ignore blanks and take quotes as text.
_BEGIN = r"((?:^|[;\t\r\n])[ \"]*)"
#: Some spreadsheets take the wide forms for the signs themselves.
_FORMULA = r"(?='*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20])"
_UNGUARDED = re.compile(_BEGIN + _FORMULA)
_GUARDED = re.compile(_BEGIN + "'" + _FORMULA)


def write_line(cells: Iterable[Any]) -> str:
    """Return the line of ``cells``. None becomes an empty cell, and truth values become true or false."""
    text = io.StringIO()
    csv.writer(text).writerow([_written(cell) for cell in cells])
    return text.getvalue()


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _UNGUARDED.sub(r"\1'", str(value))


def read_cell(cell: str) -> str:
    """Return the value that ``write_line`` wrote as ``cell``."""
    return _GUARDED.sub(r"\1", cell)
