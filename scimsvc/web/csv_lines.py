"""Write CSV lines whose cells a spreadsheet never runs as formulas (OWASP, CSV injection).

A cell that looks like a formula is written with a leading apostrophe. ``read_cell`` removes it.
"""

import csv
import io
import re
from collections.abc import Iterable
from typing import Any

_FORMULA = re.compile(r"'*[=+\-@\t\r]")


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
    text = str(value)
    return "'" + text if _FORMULA.match(text) else text


def read_cell(cell: str) -> str:
    """Return the value that ``write_line`` wrote as ``cell``."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
