"""The page about the self-test lists the checks of the code."""

import re

import pytest

from scimsvc.selftest.exchange import Failure
from scimsvc.selftest.proxies import CHECKS
from scimsvc.selftest.proxies.catalog import Entry, read_catalog
from tests.support.documents import ROOT, code, read, table
from tests.support.prose import findings_in

PAGE = read("reference/selftest.md")
CATALOG = read_catalog()


def test_the_table_is_the_catalog_of_the_code() -> None:
    documented = [(code(row[0]), *row[1:]) for row in table(PAGE, "check", "proves", "severity", "change")]

    assert documented == [(each.check, each.title, str(each.outcome), each.remedy) for each in CATALOG.values()]


def test_the_first_findings_are_those_of_the_code() -> None:
    documented = {code(row[0]).removeprefix("reach.") for row in table(PAGE, "check", "means")}
    kinds = re.findall(r'return "(\w+)", ', (ROOT / "scimsvc/selftest/reaching.py").read_text("utf-8"))

    assert documented == {*map(str, Failure), *kinds}


def test_a_run_has_every_check_of_the_catalog_once() -> None:
    names = [name for check in CHECKS for name in check.names]  # type: ignore[attr-defined]

    assert sorted(names) == sorted(CATALOG)


@pytest.mark.parametrize("entry", CATALOG.values(), ids=CATALOG)
def test_the_words_of_a_check_are_plain(entry: Entry) -> None:
    for text in (entry.title + ".", entry.remedy):
        assert [*findings_in(text)] == []
    assert entry.nginx.strip()
    assert entry.caddy.strip()
