"""The manual's list of findings is that of the doctor."""

from scimsvc.operations.doctor.examining import KINDS
from tests.support.documents import code, read, table


def test_the_page_lists_every_finding_with_its_severity_and_meaning() -> None:
    rows = table(read("operate/doctor.md"), "finding", "severity", "meaning")

    documented = [(code(name), severity, meaning) for name, severity, meaning in rows]
    assert documented == [(kind.id, kind.severity.value, kind.meaning) for kind in KINDS]
