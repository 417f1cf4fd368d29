"""The formats of results for programs."""

from collections.abc import Iterable, Iterator
from typing import Any

from scimsvc.cli.printable import write_json_line
from scimsvc.web.csv_lines import write_line

TABLE, JSON, CSV = "table", "json", "csv"
FORMATS = (TABLE, JSON, CSV)


def as_csv(result: Any) -> str:
    """Return a list of objects, or one object, as CSV with a header. An object or a list in a cell is JSON."""
    return "".join(csv_lines(_rows(result))).removesuffix("\r\n")


def csv_lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield the header with the members of the first row, and a line for each row."""
    names: list[str] | None = None
    for row in rows:
        if names is None:
            names = list(row)
            yield write_line(names)
        yield write_line(_cell(row.get(name)) for name in names)


def _rows(result: Any) -> list[dict[str, Any]]:
    if isinstance(result, list):
        return result
    return list(result["items"]) if result.keys() == {"items", "next"} else [result]


def _cell(value: Any) -> Any:
    return write_json_line(value) if isinstance(value, dict | list) else value
