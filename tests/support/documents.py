"""Read tables, code and blocks of documents."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
#: The manual: README and the pages for administrators, operators and developers.
MANUAL = [
    ROOT / "README.md",
    *(path for path in sorted(DOCS.rglob("*.md")) if path.parent.name != "design" and path.name != "releasing.md"),
]
#: The pages for contributors.
PAGES = [ROOT / "CONTRIBUTING.md", *sorted((DOCS / "design").glob("*.md"))]

Row = list[str]


class Block(NamedTuple):
    """A fenced block: the text of the HTML comment before it, its language, and its text."""

    comment: str | None
    language: str
    text: str


_BLOCK = re.compile(r"^( *)(?:<!-- (.+?) -->\n+ *)?```([\w-]*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def read(name: str) -> str:
    """Return the text of the page ``name`` below docs."""
    return (DOCS / name).read_text("utf-8")


def blocks(text: str, *languages: str) -> Iterator[Block]:
    """Yield the fenced blocks of ``text`` in these languages, or in all languages."""
    for indent, comment, language, body in _BLOCK.findall(text):
        if not languages or language in languages:
            yield Block(comment or None, language, re.sub(f"^{indent}", "", body, flags=re.MULTILINE))


def without_blocks(text: str) -> str:
    """Return ``text`` without its fenced blocks."""
    return _BLOCK.sub("", text)


def table(page: str, *headings: str) -> list[Row]:
    """Return the rows of the page's only table with these headings."""
    lines = page.splitlines()
    [start] = [number for number, line in enumerate(lines) if _cells(line) == list(headings)]
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append(_cells(line))
    assert all(len(row) == len(headings) for row in rows)
    return rows


def tables(page: str, *headings: str) -> list[Row]:
    """Return the rows of all tables with these headings."""
    starts = [match.start() for match in re.finditer(rf"^\| {re.escape(headings[0])} \|", page, re.MULTILINE)]
    rows = []
    for start, end in zip(starts, [*starts[1:], len(page)], strict=True):
        rows += table(page[start:end], *headings)
    return rows


def _cells(line: str) -> Row:
    return [cell.strip() for cell in line.removeprefix("|").removesuffix("|").split("|")]


def code(cell: str) -> str:
    """Return the text between the first backticks of a cell."""
    return cell.split("`")[1]
