"""All prose of the project is free of the patterns of the old style (tests/support/prose.py)."""

from pathlib import Path

import pytest

from tests.support.documents import ROOT
from tests.support.prose import Finding, files, findings, findings_in

#: Files that still have such phrases, one on each line. The list may only become shorter.
UNCONVERTED = set((Path(__file__).parent / "unconverted.txt").read_text("utf-8").split())


@pytest.fixture(scope="module")
def found() -> dict[str, list[Finding]]:
    """The findings of each file that has any."""
    each = ((str(path.relative_to(ROOT)), list(findings(path))) for path in files())
    return {name: wrong for name, wrong in each if wrong}


def test_no_text_uses_the_old_style(found: dict[str, list[Finding]]) -> None:
    assert {name: list(map(str, wrong)) for name, wrong in found.items() if name not in UNCONVERTED} == {}


def test_a_file_that_was_converted_leaves_the_list(found: dict[str, list[Finding]]) -> None:
    assert UNCONVERTED - found.keys() == set()


@pytest.mark.parametrize(
    "text",
    [
        "What was refused alone.",
        "A page: what is answered.",
        "Of a user it keeps the address.",
        "'x' is no operator.",
        "The address is none of theirs.",
        "It waits, as the database is locked.",
        "A role that nobody has.",
        "So many users may be deleted.",
        "The token stands in the database.",
        "Valid for good.",
    ],
)
def test_a_phrase_of_the_old_style_is_found(text: str) -> None:
    assert list(findings_in(text))


@pytest.mark.parametrize(
    "text",
    [
        "What would this request change?",
        "The name is no longer used.",
        "There is no database at this path.",
        "The standard describes it.",
        "Set `alone` to `true`.",
        "See [the guide](what-stands-alone.md).",
        "`N` stands for a number.",
        "Answer with JSON, as the example does.",
    ],
)
def test_plain_english_passes(text: str) -> None:
    assert not list(findings_in(text))
