"""The README as a test reads it: its tables, and the code in them."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")

Row = list[str]


def table(*headings: str) -> list[Row]:
    """Return the rows of the README's one table with these headings."""
    lines = README.splitlines()
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
