"""The comparison finds the differences that exist, and no other ones."""

import json
from pathlib import Path

from tests.support.client import Enterprise
from tests.support.directory import CONFIRMED_AT, Difference, expected_differences, store_enterprise, write_export
from tests.support.long_runs import LONG

PEOPLE = 100_000 if LONG else 2_000


def test_all_known_differences_are_found_and_no_others(acme: Enterprise, tmp_path: Path) -> None:
    store_enterprise(acme, PEOPLE)
    write_export(tmp_path / "exportUsers.csv", PEOPLE)
    report = tmp_path / "differences.jsonl"

    words = ["reconcile", "Acme", str(tmp_path / "exportUsers.csv"), f"--confirmed-since={CONFIRMED_AT}"]
    result = acme.app.test_cli_runner().invoke(args=[*words, f"--report={report}"], catch_exceptions=False)

    assert (result.exit_code, result.stderr) == (0, "")
    findings = [json.loads(line) for line in report.read_text().splitlines()]
    found = [Difference(*(each[name] for name in Difference._fields)) for each in findings]
    assert len(found) == len(set(found))
    assert set(found) == expected_differences(PEOPLE)
