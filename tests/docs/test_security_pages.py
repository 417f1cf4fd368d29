"""The pages for security reviewers are complete, and their evidence exists."""

import re
from collections import Counter
from pathlib import Path

import pytest

import scimsvc.models  # noqa: F401  # defines the tables
from scimsvc.extensions import Model
from scimsvc.settings import PREFIX, SETTINGS
from tests.support.documents import DOCS, ROOT, code, read, table, tables

ASVS, MODEL, PRIVACY, KEYS = map(
    read, ("reference/asvs.md", "design/security-model.md", "operate/privacy.md", "operate/keys.md")
)
#: The numbers of the requirements of levels 1 and 2 of ASVS 5.0.0 in each section.
REQUIREMENTS = {
    "1.1": "1-2", "1.2": "1-9", "1.3": "1-11", "1.4": "1-3", "1.5": "1-2",
    "2.1": "1-3", "2.2": "1-3", "2.3": "1-4", "2.4": "1-1",
    "3.2": "1-2", "3.3": "1-4", "3.4": "1-6", "3.5": "1-5", "3.7": "1-2",
    "4.1": "1-3", "4.2": "1-1", "4.3": "1-2", "4.4": "1-4",
    "5.1": "1-1", "5.2": "1-3", "5.3": "1-2", "5.4": "1-3",
    "6.1": "1-3", "6.2": "1-12", "6.3": "1-4", "6.4": "1-4", "6.5": "1-5", "6.6": "1-3", "6.8": "1-4",
    "7.1": "1-3", "7.2": "1-4", "7.3": "1-2", "7.4": "1-5", "7.5": "1-2", "7.6": "1-2",
    "8.1": "1-2", "8.2": "1-3", "8.3": "1-1", "8.4": "1-1",
    "9.1": "1-3", "9.2": "1-4",
    "10.1": "1-2", "10.2": "1-2", "10.3": "1-4", "10.4": "1-11", "10.5": "1-5", "10.6": "1-2", "10.7": "1-3",
    "11.1": "1-2", "11.2": "1-3", "11.3": "1-3", "11.4": "1-4", "11.5": "1-1", "11.6": "1-1",
    "12.1": "1-3", "12.2": "1-2", "12.3": "1-4",
    "13.1": "1-1", "13.2": "1-5", "13.3": "1-2", "13.4": "1-5",
    "14.1": "1-2", "14.2": "1-4", "14.3": "1-3",
    "15.1": "1-3", "15.2": "1-3", "15.3": "1-7",
    "16.1": "1-1", "16.2": "1-5", "16.3": "1-4", "16.4": "1-3", "16.5": "1-3",
    "17.1": "1-1", "17.2": "1-4", "17.3": "1-2",
}  # fmt: skip
ROWS = tables(ASVS, "requirement", "subject", "verdict", "evidence")
EVIDENCE = re.compile(r"`((?:scimsvc|tests|deploy)/[\w./-]+|\w+\.(?:md|toml|cfg)|Makefile|\.dockerignore)(?:::(\w+))?`")


def test_every_requirement_of_level_1_and_2_has_one_verdict() -> None:
    expected = [
        f"V{section}.{number}"
        for section, numbers in REQUIREMENTS.items()
        for number in range(1, int(numbers.split("-")[1]) + 1)
    ]
    listed = Counter(number for row in ROWS for number in row[0].split(", "))

    assert len(expected) == 70 + 183
    assert listed == Counter(expected)


def test_a_verdict_is_one_of_three_and_has_a_reason() -> None:
    assert {row[2] for row in ROWS} <= {"met", "not applicable", "not met"}
    assert [row for row in ROWS if not row[3]] == []


@pytest.mark.parametrize("page", [ASVS, MODEL], ids=["asvs", "security-model"])
def test_the_evidence_exists(page: str) -> None:
    named = EVIDENCE.findall(page)
    missing = [
        (path, function)
        for path, function in named
        if not (ROOT / path).is_file() or (function and f"def {function}(" not in (ROOT / path).read_text("utf-8"))
    ]

    assert len(named) > 40
    assert missing == []


def test_every_threat_has_a_test() -> None:
    threats = tables(MODEL, "attack", "countermeasure", "test") + tables(MODEL, "event", "countermeasure", "test")

    assert len(threats) > 30
    assert [row for row in threats if not EVIDENCE.search(row[2])] == []


def test_every_table_of_the_database_is_in_the_inventory_of_data() -> None:
    rows = table(PRIVACY, "table", "contents", "level", "kept", "seen by")
    levels = {row[0] for row in table(PRIVACY, "level", "data", "rules")}

    assert sorted(code(row[0]) for row in rows) == sorted(Model.metadata.tables)
    assert {level for row in rows for level in row[2].split(", ")} <= levels


def test_every_secret_setting_is_in_the_inventory_of_keys() -> None:
    secrets = {setting.variable for setting in SETTINGS if f"{setting.variable}_FILE" in read("reference/settings.md")}

    assert f"{PREFIX}SECRET_KEY" in secrets
    assert {secret for secret in secrets if secret not in KEYS} == set()


@pytest.mark.parametrize(
    "path", ["design/security-model.md", "reference/asvs.md", "operate/privacy.md", "operate/keys.md"]
)
def test_the_pages_are_linked_from_the_index_and_the_policy(path: str) -> None:
    assert f"({path})" in (DOCS / "index.md").read_text("utf-8")
    assert f"(docs/{path})" in Path(ROOT / "SECURITY.md").read_text("utf-8")
