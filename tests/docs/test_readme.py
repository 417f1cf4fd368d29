"""The README: short, with both commands word for word."""

import configparser
import re

from tests.support.documents import MANUAL, PAGES, ROOT

README = (ROOT / "README.md").read_text("utf-8")
SETUP = configparser.ConfigParser()
SETUP.read_string((ROOT / "setup.cfg").read_text("utf-8"))

INSTALL = "python3 -m venv .venv && .venv/bin/pip install --quiet --editable "
RUN_COMMAND = INSTALL + ". && .venv/bin/scimsvc quickstart"
TEST_COMMAND = INSTALL + "'.[test]' && .venv/bin/python -m pytest"


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= 150
    assert len(README.split()) <= 900


def test_both_commands_are_where_people_and_ci_look() -> None:
    set_up_and_run = README.partition("\n## Set up and run\n")[2].partition("\n## ")[0]
    assert f"\n```sh\n{RUN_COMMAND}\n```\n" in set_up_and_run
    assert f"## Set up and test\n\n<!-- test command -->\n```sh\n{TEST_COMMAND}\n```\n" in README
    assert README.count("<!-- test command -->") == 1


def test_every_extra_that_is_named_exists() -> None:
    text = "".join(page.read_text("utf-8") for page in [*MANUAL, *PAGES])
    named = set(re.findall(r"\[(\w+)\]'", text))

    assert named == {"test", "postgresql", "oidc", "otel", "benchmark"}
    assert named <= set(SETUP["options.extras_require"])


def test_every_page_of_the_manual_is_linked_from_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text("utf-8")
    linked = set(re.findall(r"\]\(([\w/-]+\.md)\)", index))
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")} - {"index.md"}

    assert linked == pages
