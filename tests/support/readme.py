"""The README as a test reads it: its tables, and the code in them."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
#: The pages that name commands, extras and files beside the README.
PAGES = [ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs" / "design").glob("*.md"))]

Row = list[str]


def table(*headings: str, page: str = README) -> list[Row]:
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


def _cells(line: str) -> Row:
    return [cell.strip() for cell in line.removeprefix("|").removesuffix("|").split("|")]


def code(cell: str) -> str:
    """Return what stands between the first backticks of a cell."""
    return cell.split("`")[1]
