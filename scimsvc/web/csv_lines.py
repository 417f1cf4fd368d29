"""Lines of CSV whose cells a spreadsheet shows without running anything (OWASP, CSV injection).

A cell that a spreadsheet would take for a formula is written with an apostrophe before it, which reading takes off.
"""

import csv
import io
import re
from collections.abc import Iterable
from typing import Any

_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def write_line(cells: Iterable[Any]) -> str:
    """Return the line of ``cells``: None is an empty one, a truth value true or false, all else its text."""
    text = io.StringIO()
    csv.writer(text).writerow([_written(cell) for cell in cells])
    return text.getvalue()


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return "'" + text if _FORMULA.match(text) else text


def read_cell(cell: str) -> str:
    """Return what was written as ``cell``."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
