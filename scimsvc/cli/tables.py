"""Tables and lines of members, drawn by rich.

Standard output that is not a terminal gets every member with its complete value and its name in JSON, so that scripts
can rely on the text. A terminal gets the columns for people that fit, in words and with colors for states.
"""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scimsvc.cli.terminal import terminal_width
from scimsvc.cli.values import FOR_PROGRAMS, Words, cell, label, words

if TYPE_CHECKING:
    from rich.table import Table

Row = dict[str, Any]
#: The columns that a text has at least, unless the whole text is shorter.
_NARROWEST = 14
#: The same for the first column, by which people find a row.
_FIRST = 44
_GAP = 2
#: Members that are worth nothing in part.
_WHOLE = frozenset({"id", "time", "status"})
#: The blanks at the end of a line, and the end of a color after them.
_TRAILING_BLANKS = re.compile(r" +(\x1b\[0m)?$", re.MULTILINE)
#: More columns than any text has.
_UNLIMITED = 1_000_000
#: The rows that a terminal shows without ``--limit``.
SHOWN_ON_TERMINAL = 50


@dataclass(frozen=True, slots=True)
class View:
    """How people see the rows of a list."""

    #: The plural of a row.
    noun: str
    #: The columns, the most important first. A column that does not fit is left out.
    columns: tuple[str, ...]
    #: Whether the list can be long, so that it has the option --limit.
    is_long: bool = False
    #: Returns a row with further members for people, such as a state that several members make.
    for_people: Callable[[Row], Row] = dict
    #: Returns the rows with the members that are worth showing.
    prepare: Callable[[list[Row]], list[Row]] = list
    #: Returns advice about the rows, or None.
    advise: Callable[[list[Row]], str | None] = lambda _rows: None


@dataclass(slots=True)
class _Column:
    name: str
    cells: list[Words]
    width: int
    narrowest: int


def as_names(result: Row) -> str:
    """Return an object as lines with the names of its members, which the user types or sends, on a terminal too."""
    return _complete_lines(result)


def as_text(result: Row | list[Row], view: View | None = None, *, wide: bool = False, total: int | None = None) -> str:
    """Return ``result`` as text: an object as lines, a list of objects as a table.

    ``total`` is the number of rows before the list was shortened.
    """
    width = terminal_width()
    if isinstance(result, dict):
        return _complete_lines(result) if width is None else _lines_for_people(result)
    if not result:
        return "none" if view is None or width is None else f"No {view.noun}."
    if view is None:
        return _complete_table(result)
    rows = view.prepare(result)
    is_complete = width is None or wide
    table = _complete_table(rows, view.columns) if is_complete else _table_for_people(rows, view, width or 0)
    return "\n\n".join((table, *_notes(result, total, view)))


def _notes(rows: list[Row], total: int | None, view: View) -> Iterator[str]:
    if total is not None and total > len(rows):
        yield f"Showing {len(rows):,} of {total:,} {view.noun}. Use --limit to see more."
    advice = view.advise(rows)
    if advice is not None:
        yield advice


def _complete_lines(result: Row) -> str:
    return _draw([[cell(name), cell(value)] for name, value in result.items()])


def _lines_for_people(result: Row) -> str:
    shown = {name: value for name, value in result.items() if name not in FOR_PROGRAMS}
    lines = [[Words(label(name), "bold"), _whole_words(name, value)] for name, value in shown.items()]
    return _draw(lines)


def _whole_words(name: str, value: Any) -> Words:
    """Return the words of a value; a time is complete as well."""
    said = words(name, value)
    is_time = name.endswith("_at") and value is not None
    return Words(f"{cell(value)}, {said.text}", said.color) if is_time else said


def _complete_table(rows: Sequence[Row], columns: Sequence[str] = ()) -> str:
    first = [name for name in columns if name in rows[0] and not _is_id(name)]
    names = [*first, *(name for name in rows[0] if name not in first and not _is_id(name))]
    names += [name for name in rows[0] if name not in names]
    return _draw([list(map(cell, names)), *([cell(row.get(name)) for name in names] for row in rows)])


def _is_id(name: str) -> bool:
    return name == "id" or name.endswith("_id")


def _table_for_people(rows: Sequence[Row], view: View, width: int) -> str:
    rows = list(map(view.for_people, rows))
    columns = [_column(name, rows) for name in view.columns if name in rows[0]]
    columns[0].narrowest = min(columns[0].width, max(columns[0].narrowest, _FIRST))
    while len(columns) > 1 and _needed(columns) > width:
        columns.pop()
    spare = width - _GAP * (len(columns) - 1)
    while sum(column.width for column in columns) > spare and (text := _widest_text(columns)) is not None:
        text.width -= 1
    header = [Words(label(column.name), "bold") for column in columns]
    body = [[column.cells[number] for column in columns] for number in range(len(rows))]
    return _draw([header, *body], [column.width for column in columns])


def _column(name: str, rows: Sequence[Row]) -> _Column:
    from rich.cells import cell_len

    cells = [words(name, row.get(name)) for row in rows]
    width = max(cell_len(label(name)), *(cell_len(each.text) for each in cells))
    is_text = any(isinstance(row.get(name), str | list) for row in rows)
    is_whole = name in _WHOLE or name.endswith(("_id", "_at")) or not is_text
    return _Column(name, cells, width, width if is_whole else min(width, _NARROWEST))


def _needed(columns: Sequence[_Column]) -> int:
    return sum(column.narrowest for column in columns) + _GAP * (len(columns) - 1)


def _widest_text(columns: Sequence[_Column]) -> _Column | None:
    texts = [column for column in columns if column.width > column.narrowest]
    return max(texts, key=lambda column: column.width, default=None)


def _draw(rows: Sequence[Sequence[Words | str]], widths: Sequence[int | None] | None = None) -> str:
    """Return the rows as aligned columns. A text that is longer than its width ends with an ellipsis."""
    from rich.console import Console
    from rich.text import Text

    table = _grid(widths or [None] * len(rows[0]))
    for row in rows:
        table.add_row(*(Text(each) if isinstance(each, str) else Text(each.text, style=each.color) for each in row))
    has_color = terminal_width() is not None  # ``echo`` removes colors
    console = Console(
        file=io.StringIO(), width=_UNLIMITED, force_terminal=has_color, color_system="standard" if has_color else None,
        no_color=not has_color, highlight=False, markup=False, emoji=False, legacy_windows=False, _environ={},
    )  # fmt: skip
    with console.capture() as capture:
        console.print(table)
    return _TRAILING_BLANKS.sub(r"\1", capture.get().rstrip("\n"))


def _grid(widths: Sequence[int | None]) -> "Table":
    from rich.table import Table

    table = Table.grid(padding=(0, _GAP, 0, 0))
    for width in widths:
        table.add_column(width=width, no_wrap=True, overflow="ellipsis")
    return table
