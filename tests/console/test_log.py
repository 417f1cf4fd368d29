"""The page of the provisioning log: filters, the live part, causes and remedies, and the file."""

import csv
import io
import re
from typing import Any

import pytest

from scimsvc.protocol.reading.tolerances import Tolerance
from scimsvc.reports import log_csv
from scimsvc.reports.tolerances import tolerance_in_words
from tests.support.client import Enterprise, replace, user_body
from tests.support.console import Console, of, text, typed

ENTRY = re.compile(r'<li id="entry-')


@pytest.fixture
def log(acme: Enterprise) -> str:
    """A log of three entries; returns its path."""
    acme.send("POST", "/Users", user_body("new@x.example", roles=[{"value": "Janitor"}], unheard="of"))
    user = acme.create(email="ada@x.example")
    acme.patch(user, {"op": "Replace", "path": "title", "value": "Boss"})
    return f"{of(acme)}/log"


def test_an_entry_shows_the_change_or_the_reason_of_the_refusal(admin: Console, log: str) -> None:
    page = admin.get(log)

    words = text(page)
    assert len(ENTRY.findall(page)) == 3
    assert "changed ada@x.example" in words
    assert "Changed: title" in words
    assert "Tolerated: an operation name with a capital letter, such as Replace" in words
    assert "refused new@x.example" in words
    assert "Unknown role “Janitor” Role 'Janitor' does not exist in Acme" in words
    assert "Ignored because no schema defines it: unheard" in words
    assert f'href="{log.removesuffix("log")}roles/new?name=Janitor"' in page


@pytest.mark.parametrize(
    ("query", "entries"),
    [
        ("outcome=refused", 1),
        ("outcome=ok", 2),
        ("operation=patch", 1),
        ("email=ADA@x.example", 2),
        ("since=2020-01-01T00:00", 3),
        ("until=2020-01-01T00:00", 0),
        ("outcome=&operation=&email=&since=&until=", 3),
    ],
)
def test_the_log_is_filtered(admin: Console, log: str, query: str, entries: int) -> None:
    assert len(ENTRY.findall(admin.get(f"{log}?{query}"))) == entries


def test_the_form_of_a_filter_comes_back_filled_in(admin: Console, log: str) -> None:
    page = admin.get(f"{log}?outcome=refused&email=no@x.example&since=2026-11-01T10:00")

    assert typed(page, "email") == "no@x.example"
    assert typed(page, "since") == "2026-11-01T10:00"
    assert '<option value="refused" selected>' in page
    assert "No matching entries" in text(page)


def test_an_invalid_filter_is_refused_with_a_message(admin: Console, log: str) -> None:
    assert "RFC 3339" in text(admin.get(f"{log}?since=yesterday", 400))


def test_the_live_part_is_only_the_list_at_the_start_of_the_log(admin: Console, log: str) -> None:
    whole = admin.get(f"{log}?outcome=ok")
    (address,) = re.findall(r'data-live="([^"]+)"', whole)

    part = admin.get(address.replace("&amp;", "&"))

    assert len(ENTRY.findall(part)) == 2
    assert "<html" not in part


def test_a_later_page_is_not_live(acme: Enterprise, admin: Console) -> None:
    user = acme.create()
    for number in range(51):
        acme.patch(user, replace("title", str(number)))

    first = admin.get(f"{of(acme)}/log?outcome=ok")
    (after,) = re.findall(r'href="([^"]+)">Next page', first)
    second = admin.get(after.replace("&amp;", "&"))

    assert len(ENTRY.findall(first)) == 50
    assert len(ENTRY.findall(second)) == 2
    assert "data-live" not in second


def test_an_empty_log_says_what_to_do_next(acme: Enterprise, admin: Console) -> None:
    page = admin.get(f"{of(acme)}/log")

    assert "No entries yet" in text(page)
    assert f'href="{of(acme)}/set-up"' in page


def rows(content: str) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(content)))


def test_the_file_has_every_entry_that_meets_the_filters(admin: Console, log: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(log_csv, "_READ_AT_ONCE", 2)

    answer = admin.send("GET", f"{log}.csv")

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="provisioning-log.csv"'
    found = rows(answer.text)
    assert [(row["outcome"], row["operation"], row["email"], row["changed"]) for row in found] == [
        ("ok", "patch", "ada@x.example", "title"),
        ("ok", "create", "ada@x.example", "userName, active, emails"),
        ("refused", "create", "new@x.example", ""),
    ]
    assert (found[-1]["cause"], found[-1]["ignored"]) == ("Unknown role “Janitor”", "unheard")
    assert [row["outcome"] for row in rows(admin.get(f"{log}.csv?outcome=refused"))] == ["refused"]
    admin.get(f"{log}.csv?outcome=perhaps", 400)


def test_the_file_has_no_formulas(acme: Enterprise, admin: Console) -> None:
    acme.send("POST", "/Users", user_body("=cmd|calc@x.example", roles=[{"value": "x"}]))
    acme.send("POST", "/Users", user_body("a@x.example", **{"=1+1": "x", "@sum": "y"}))

    found = rows(admin.get(f"{of(acme)}/log.csv"))

    assert found[1]["email"] == "'=cmd|calc@x.example"
    assert found[0]["ignored"] == "'=1+1, @sum"


def test_the_file_is_no_longer_than_it_may_be(admin: Console, log: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(log_csv, "_READ_AT_ONCE", 1)
    monkeypatch.setattr(log_csv, "MOST_ENTRIES", 2)

    assert len(rows(admin.get(f"{log}.csv"))) == 2


def test_a_second_download_is_refused_with_a_page(admin: Console, log: str) -> None:
    with admin.browser.get(f"{log}.csv") as unread:
        second = admin.send("GET", f"{log}.csv")

    assert unread.status_code == 200
    assert (second.status_code, second.headers["Retry-After"]) == (429, "10")
    assert "Another download of this enterprise is not finished" in text(second.text)
    admin.get(f"{log}.csv")


def test_every_tolerance_is_in_words() -> None:
    for tolerance in Tolerance:
        assert tolerance_in_words(tolerance) != tolerance
    assert tolerance_in_words("of-old") == "of-old"
