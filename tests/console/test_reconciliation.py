"""The console compares an export of the directory with the users, and keeps nothing of it."""

import base64
import csv
import io
import re
from html import unescape

import pytest

from scimsvc.console.views import reconciliation
from tests.support.client import Enterprise
from tests.support.console import Console, errors, make_admin, of, text
from tests.support.records import audit_of
from tests.support.types import Cli

FILE = (
    b"id,userPrincipalName,mail,givenName,surname,accountEnabled\n"
    b"1,ann,ann@x.example,Ann,Lee,False\n"
    b"2,<b>bob,bob@x.example,Bob,=1+1,True\n"
    b"3,cid,,,,maybe\n"
)


def compare(console: Console, enterprise: Enterprise, content: bytes, status: int = 200, **fields: str) -> str:
    file = (io.BytesIO(content), "exportUsers.csv")
    return console.post(f"{of(enterprise)}/users/compare", status, file=file, **fields).text


def download(page: str) -> list[dict[str, str]]:
    """Return the lines of the file that the page contains."""
    (encoded,) = re.findall(r'download="differences.csv" href="data:text/csv;charset=utf-8;base64,([^"]*)"', page)
    return list(csv.DictReader(io.StringIO(base64.b64decode(unescape(encoded)).decode(), newline="")))


def test_the_page_shows_the_findings_with_links_and_a_file(acme: Enterprise, admin: Console, cli: Cli) -> None:
    ann = acme.create(userName="ann", externalId="1", emails=[{"value": "ann@x.example", "type": "work"}])
    gone = acme.create(userName="gone", emails=[{"value": "gone@x.example", "type": "work"}])
    cli("user", "create", "Acme", "cleo@y.example")
    before = acme.find("id pr")

    page = compare(admin, acme, FILE)
    words = text(page)

    assert "4 differences" in words
    assert "2 lines of the file (Entra users) and 3 users were compared. 1 line matches a user." in words
    for line in (
        "Missing here: 1",
        "No longer in the directory: 1",
        "ann active disabled active 2 Matched by externalId",
        "Invalid lines: 1",
        "active: Unknown state 'maybe'",
        "Manual users: 1",
    ):
        assert line in words
    assert f'href="{of(acme)}/users/{ann["id"]}"' in page
    assert f'href="{of(acme)}/users/{gone["id"]}"' in page
    assert "<b>bob" not in page
    rows = download(page)
    assert [row["finding"] for row in rows] == [
        "missing",
        "not_in_directory",
        "state_differs",
        "invalid_line",
        "manual",
    ]
    assert acme.find("id pr") == before
    assert audit_of(acme.app, "Acme")[0]["action"] == "users.compared"


def test_equal_sides_have_no_findings(acme: Enterprise, admin: Console) -> None:
    acme.create(userName="ann", emails=[{"value": "ann@x.example", "type": "work"}])

    page = compare(admin, acme, b"Kennung\nann\n", columns="userName=Kennung")

    assert "No differences" in text(page)
    assert "differences.csv" not in page


def test_files_that_cannot_be_compared_are_refused_beside_the_field(
    acme: Enterprise, admin: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciliation, "MOST_BYTES", 100)
    unrecognized = text(compare(admin, acme, b"Vorname\nAnn\n", 400))

    assert "Its columns are 'Vorname'" in unrecognized
    assert "Choose a file that is not empty." in errors(compare(admin, acme, b"", 400))["file"]
    assert errors(compare(admin, acme, b"x" * 101, 400))["file"] == [
        "The file has more than 100 bytes. Use the command 'scimsvc reconcile'."
    ]
    assert "Unknown column assignment" in text(compare(admin, acme, b"a\nb\n", 400, columns="boss=a"))


def test_auditors_may_compare_and_large_enterprises_may_not(
    acme: Enterprise, admin: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    auditor = Console(acme.app, make_admin(acme.app, "auditor@x.example", "Acme", is_auditor=True))
    acme.create(userName="ann")
    acme.create(email="b@x.example", userName="bob")

    assert "Compare with directory" in auditor.get(f"{of(acme)}/users")
    auditor.get(f"{of(acme)}/users/compare")
    assert "No longer in the directory: 1" in text(compare(auditor, acme, b"userName\nann\n"))
    monkeypatch.setattr(reconciliation, "MOST_USERS", 1)
    assert "The enterprise has 2 users." in text(compare(admin, acme, FILE, 409))


def test_a_long_result_shows_the_first_findings_and_no_file(
    acme: Enterprise, admin: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciliation, "SHOWN", 2)
    monkeypatch.setattr(reconciliation, "MOST_CHARACTERS", 100)

    page = compare(admin, acme, b"userName\nann\nbob\ncid\n")

    assert "Missing here: 3" in text(page)
    assert "The first 2 are shown." in text(page)
    assert ("cid" in page, "differences.csv" in page) == (False, False)
    assert "The list is too long for a download here." in text(page)
