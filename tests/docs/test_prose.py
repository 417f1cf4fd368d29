"""All prose of the project is free of the patterns of the old style (tests/support/prose.py)."""

import pytest

from tests.support.documents import ROOT
from tests.support.prose import files, findings, findings_in


def test_no_text_uses_the_old_style() -> None:
    wrong = {str(path.relative_to(ROOT)): list(map(str, findings(path))) for path in files()}

    assert {name: found for name, found in wrong.items() if found} == {}


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
