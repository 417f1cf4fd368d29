"""A report of a run, as text, JSON and JUnit XML. It never contains a token."""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from scimsvc import clock
from scimsvc.selftest.findings import Finding, Outcome, count_outcomes


@dataclass(frozen=True)
class Report:
    """The findings of a run."""

    url: str
    run: str
    started_at: datetime
    ended_at: datetime
    findings: tuple[Finding, ...]

    @property
    def has_errors(self) -> bool:
        """Whether anything must be changed."""
        return any(finding.outcome is Outcome.ERROR for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        return {
            "url": self.url,
            "run": self.run,
            "started_at": clock.timestamp(self.started_at),
            "ended_at": clock.timestamp(self.ended_at),
            "counts": count_outcomes(self.findings),
            "findings": [_as_dict(finding) for finding in self.findings],
        }


def _as_dict(finding: Finding) -> dict[str, Any]:
    return {**asdict(finding), "outcome": str(finding.outcome)}


def write_text(report: dict[str, Any]) -> str:
    """Return the report, as ``Report.as_dict`` has it, as text for people."""
    return "\n".join(_lines(report))


#: The order of findings in the text: those that need a change first.
_ORDER = (Outcome.ERROR, Outcome.WARNING, Outcome.SKIPPED, Outcome.OK)


def _lines(report: dict[str, Any]) -> Iterator[str]:
    yield f"Self-test of {report['url']}, run {report['run']}, {report['started_at']}"
    yield ", ".join(f"{count} {_plural(outcome, count)}" for outcome, count in report["counts"].items())
    yield ""
    for finding in sorted(report["findings"], key=lambda finding: _ORDER.index(finding["outcome"])):
        yield from _paragraph(finding)


def _paragraph(finding: dict[str, Any]) -> Iterator[str]:
    yield f"{finding['outcome'].upper():<8} {finding['title']}  [{finding['check']}]"
    for line in _explanation(finding):
        yield f"         {line}"
    if finding["outcome"] in (Outcome.ERROR, Outcome.WARNING):
        yield ""


def _explanation(finding: dict[str, Any]) -> Iterator[str]:
    for label, member in (("Seen", "detail"), ("Change", "remedy"), ("nginx", "nginx"), ("Caddy", "caddy")):
        for number, line in enumerate((finding[member] or "").splitlines()):
            yield f"{'' if number else label + ':':<8}{line}"


def _plural(outcome: str, count: int) -> str:
    return outcome + "s" if count != 1 and outcome in (Outcome.ERROR, Outcome.WARNING) else outcome


def write_json_report(report: dict[str, Any]) -> str:
    """Return the report as indented JSON."""
    return json.dumps(report, ensure_ascii=False, indent=2) + "\n"


def write_junit(report: dict[str, Any]) -> str:
    """Return the report as JUnit XML. An error is a failure; a warning passes, with its text as output."""
    findings, counts = report["findings"], report["counts"]
    suite = ET.Element(
        "testsuite",
        name=f"scimsvc selftest {report['url']}",
        timestamp=report["started_at"],
        tests=str(len(findings)),
        failures=str(counts[Outcome.ERROR]),
        errors="0",
        skipped=str(counts[Outcome.SKIPPED]),
        time=f"{sum(finding['seconds'] for finding in findings):.3f}",
    )
    for finding in findings:
        _add_case(suite, finding)
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _add_case(suite: ET.Element, finding: dict[str, Any]) -> None:
    group = f"selftest.{finding['provider'] or finding['check'].partition('.')[0]}"
    case = ET.SubElement(
        suite, "testcase", classname=group, name=_xml_text(finding["title"]), time=f"{finding['seconds']:.3f}"
    )
    text = _xml_text("\n".join(_explanation(finding)))
    match finding["outcome"]:
        case Outcome.ERROR:
            ET.SubElement(case, "failure", message=_xml_text(finding["detail"]), type=finding["check"]).text = text
        case Outcome.SKIPPED:
            ET.SubElement(case, "skipped", message=_xml_text(finding["detail"]))
        case Outcome.WARNING:
            ET.SubElement(case, "system-out").text = text


#: Characters that XML 1.0 cannot contain.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _xml_text(text: str) -> str:
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)


#: Writers of a report by the suffix of its file.
WRITERS: dict[str, Callable[[dict[str, Any]], str]] = {
    ".txt": lambda report: write_text(report) + "\n",
    ".json": write_json_report,
    ".xml": write_junit,
}
