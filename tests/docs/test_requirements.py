"""The numbered requirements have tests: every one of the page has a marker, and no marker names another one."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "design" / "requirements.md"


def requirements() -> set[str]:
    """Return the identifiers in the tables of the page."""
    return set(re.findall(r"^\| ([RP]\d+) \|", PAGE.read_text("utf-8"), re.MULTILINE))


def markers() -> set[str]:
    """Return the identifiers that tests are marked with."""
    marks = re.compile(r"^@pytest\.mark\.requirement\(([^)]*)\)", re.MULTILINE)
    arguments = [found for path in TESTS.rglob("test_*.py") for found in marks.findall(path.read_text("utf-8"))]
    return {identifier for each in arguments for identifier in re.findall(r'"([^"]+)"', each)}


def test_every_requirement_has_a_test() -> None:
    assert len(requirements()) > 100
    assert requirements() - markers() == set()


def test_every_marker_names_a_requirement() -> None:
    assert markers() - requirements() == set()
