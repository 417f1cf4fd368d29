"""The page of the provisioning log: filters, the live part, causes and remedies, and the file."""

import csv
import io
import re
from typing import Any

import pytest

from scimsvc.protocol.reading.tolerances import Tolerance
from scimsvc.reports import log_csv
from scimsvc.reports.tolerances import tolerance_in_words
from scimsvc.store import log_search
from tests.console.test_long_values import insert_refusal
from tests.support.client import Enterprise, patch_body, replace, user_body
from tests.support.console import Console, of, text, typed

pytestmark = pytest.mark.both_databases

ENTRY = re.compile(r'<tr id="entry-([0-9a-f]{32})"')


@pytest.fixture
def log(acme: Enterprise) -> str:
    """A log of three entries; returns its path."""
    acme.send("POST", "/Users", user_body("new@x.example", roles=[{"value": "Janitor"}], unheard="of"))
    user = acme.create(email="ada@x.example")
    acme.patch(user, {"op": "Replace", "path": "title", "value": "Boss"})
    return f"{of(acme)}/log"


def test_a_row_has_the_person_the_result_and_the_cause_or_the_changes(admin: Console, log: str) -> None:
    page = admin.get(log)

    words = text(page)
    assert len(ENTRY.findall(page)) == 3
    assert "ada@x.example Update changed title Microsoft Entra ID" in words
    assert "ada@x.example Create created userName, active, emails Microsoft Entra ID" in words
    assert "new@x.example Create refused Unknown role “Janitor” Microsoft Entra ID" in words


def test_an_entry_has_a_page_with_the_exact_text_and_the_remedies(admin: Console, log: str) -> None:
    *_, refused = ENTRY.findall(admin.get(log))
    page = admin.get(f"{log}/{refused}")
    part = admin.get(f"{log}/{refused}?part=1")

    words = text(page)
    assert "refused new@x.example Unknown role “Janitor”" in words
    assert "<bdi>Role &#39;Janitor&#39; does not exist in Acme." in page
    assert "1 ignored attribute No schema defines it: unheard" in words
    assert f'href="{log.removesuffix("log")}roles/new?name=Janitor"' in page
    assert f'href="{log}?person=new@x.example"' in page
    assert "<html" not in part
    assert part.strip() in page


def test_the_page_of_a_change_has_the_variations_and_the_user(admin: Console, log: str) -> None:
    patched, *_ = ENTRY.findall(admin.get(log))

    words = text(admin.get(f"{log}/{patched}"))

    assert "changed ada@x.example" in words
    assert "1 accepted variation" in words
    assert "an operation name with a capital letter, such as Replace" in words
    assert "Changed title" in words


def test_the_text_of_an_entry_is_verbatim(acme: Enterprise, admin: Console) -> None:
    insert_refusal(acme, 1, detail="userName is missing")
    (entry,) = ENTRY.findall(admin.get(f"{of(acme)}/log"))

    assert "<bdi>userName is missing</bdi>" in admin.get(f"{of(acme)}/log/{entry}")


def test_an_entry_that_was_deleted_has_no_page(admin: Console, log: str) -> None:
    admin.get(f"{log}/{'0' * 32}", 404)
    admin.get(f"{log}/nothing", 404)


def test_a_taken_address_leads_to_its_owner(acme: Enterprise, admin: Console) -> None:
    owner, other = acme.create(email="ada@x.example"), acme.create(email="bob@x.example")
    acme.send("PATCH", f"/Users/{other['id']}", patch_body(replace('emails[type eq "work"].value', "ada@x.example")))
    refused, *_ = ENTRY.findall(admin.get(f"{of(acme)}/log"))

    page = admin.get(f"{of(acme)}/log/{refused}")

    assert f'The value belongs to <a href="{of(acme)}/users/{owner["id"]}"><bdi>ada@x.example</bdi></a>' in page
    assert f'href="{of(acme)}/users/{other["id"]}"' in page


def test_equal_refusals_in_a_row_are_one_line(acme: Enterprise, admin: Console) -> None:
    for name in ("one", "two", "two", "three"):
        acme.send("POST", "/Users", user_body(f"{name}@x.example", roles=[{"value": "Janitor"}]))
    acme.send("POST", "/Users", user_body("four@x.example", roles=[{"value": "Porter"}]))

    page = admin.get(f"{of(acme)}/log")
    (link,) = re.findall(r'class="fold" href="([^"]+)"', page)
    unfolded = admin.get(link.replace("&amp;", "&").partition("#")[0])

    assert "three@x.example and 2 more Create refused ×4" in text(page)
    assert [len(re.findall("<tr id=[^>]* hidden>", each)) for each in (page, unfolded)] == [3, 0]
    assert len(ENTRY.findall(unfolded)) == 5


@pytest.mark.parametrize(
    ("query", "entries"),
    [
        ("outcome=refused", 1),
        ("outcome=ok", 2),
        ("operation=patch", 1),
        ("email=ADA@x.example", 2),
        ("person=ADA@x.example", 2),
        ("person=w@x.ex", 1),
        ("person=@x.example", 3),
        ("person=nowhere", 0),
        ("effect=created", 1),
        ("effect=none", 0),
        ("cause=unknown-role", 1),
        ("cause=none", 0),
        ("integration=unknown", 0),
        ("group=Sales", 0),
        ("request_id=unknown", 0),
        ("span=24h&outcome=ok", 2),
        ("since=2020-01-01T00:00", 3),
        ("until=2020-01-01T00:00", 0),
        ("outcome=&operation=&email=&since=&until=", 3),
    ],
)
def test_the_log_is_filtered(admin: Console, log: str, query: str, entries: int) -> None:
    assert len(ENTRY.findall(admin.get(f"{log}?{query}"))) == entries


def test_the_form_of_a_filter_comes_back_filled_in(admin: Console, log: str) -> None:
    page = admin.get(f"{log}?outcome=refused&email=no@x.example&since=2026-11-01T10:00")

    assert typed(page, "person") == "no@x.example"
    assert typed(page, "since") == "2026-11-01T10:00"
    assert '<option value="refused" selected>' in page
    assert "No matching entries" in text(page)


def test_an_invalid_filter_is_refused_with_a_message(admin: Console, log: str) -> None:
    assert "RFC 3339" in text(admin.get(f"{log}?since=yesterday", 400))
    assert "Enter one of 1h, 24h, 7d, 30d." in text(admin.get(f"{log}?span=1y", 400))


def test_the_live_part_is_only_the_list_and_only_if_it_has_news(acme: Enterprise, admin: Console, log: str) -> None:
    whole = admin.get(f"{log}?outcome=ok")
    (address,) = re.findall(r'data-live-list="([^"]+)"', whole)
    path = address.replace("&amp;", "&")
    newest, *_ = ENTRY.findall(whole)

    part = admin.get(path)
    nothing = admin.get(f"{path}&newest={newest}", 204)
    acme.create(email="later@x.example")
    news = admin.get(f"{path}&newest={newest}")

    assert (len(ENTRY.findall(part)), len(ENTRY.findall(news)), nothing) == (2, 3, "")
    assert "<html" not in part


def test_a_span_of_time_ends_now(acme: Enterprise, admin: Console) -> None:
    insert_refusal(acme, 3 * 3600)
    insert_refusal(acme, 20)

    found = [ENTRY.findall(admin.get(f"{of(acme)}/log?span={span}")) for span in ("1h", "24h")]

    assert list(map(len, found)) == [1, 2]


def test_a_search_without_an_index_continues_where_it_stopped(
    acme: Enterprise, admin: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_search, "MOST_READ", 3)
    acme.create(email="rare@x.example")
    for number in range(5):
        acme.create(email=f"usual{number}@x.example")

    first = admin.get(f"{of(acme)}/log?person=rar")
    (after,) = re.findall(r'href="([^"]+)">Search older entries', first)
    second = admin.get(after.replace("&amp;", "&"))

    assert "No matching entries back to" in text(first)
    assert "rare@x.example" in text(second)
    assert "Search older" not in second


def test_a_later_page_is_not_live(acme: Enterprise, admin: Console) -> None:
    user = acme.create()
    for number in range(51):
        acme.patch(user, replace("title", str(number)))

    first = admin.get(f"{of(acme)}/log?outcome=ok")
    (after,) = re.findall(r'href="([^"]+)">Next page', first)
    second = admin.get(after.replace("&amp;", "&"))

    assert len(ENTRY.findall(first)) == 50
    assert len(ENTRY.findall(second)) == 2
    assert "data-live-list" not in second


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
