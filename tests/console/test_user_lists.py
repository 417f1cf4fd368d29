"""The list of users in the console: search, filters, sort orders, columns, pages, and the way to a user and back."""

import re
from html import unescape

import pytest
from sqlalchemy import text as sql

from scimsvc.enterprises.user_files import import_users
from scimsvc.store.engine.transactions import writing
from tests.support.client import Enterprise
from tests.support.console import Console, of, text, typed, user_names
from tests.support.urns import ENTERPRISE_URN

pytestmark = pytest.mark.both_databases


def link(page: str, label: str) -> str:
    """Return the address of the link with this label."""
    (found,) = re.findall(rf'href="([^"]+)"[^>]*>{label}', page)
    return unescape(found)


def shown(page: str) -> str:
    """Return the positions and the total of a list."""
    (found,) = re.findall(r"<span data-shown>([^<]*)<", page)
    return str(found)


def import_csv(acme: Enterprise, lines: list[str], *, header: str = "email,user_name,title") -> None:
    with acme.app.app_context():
        import_users(acme.name, "\n".join([header, *lines]).encode())


@pytest.fixture
def people(acme: Enterprise, admin: Console) -> str:
    """Some users of ``acme``; returns the path of the list."""
    department = {ENTERPRISE_URN: {"department": "Research"}}
    acme.create(email="ada@x.example", userName="Ada Vance", title="Lead Engineer", roles=[{"value": "User"}])
    acme.create(email="soren@x.example", userName="Bo Sørensen", active=False, externalId="EXT-7", **department)
    admin.post(f"{of(acme)}/users/new", email="cleo@y.example", user_name="Cleo [x*]", active="on")
    return f"{of(acme)}/users"


ADA, BO, CLEO = "Ada Vance", "Bo Sørensen", "Cleo [x*]"


def test_users_are_searched_by_words_and_filtered(acme: Enterprise, admin: Console, people: str) -> None:
    ada_id = acme.find('userName eq "Ada Vance"')[0]["id"]
    searches = {
        "": [ADA, BO, CLEO],
        "search=X.EXAMPLE": [ADA, BO],
        "search=vance+ada": [ADA],
        "search=lead+ADA+x.ex": [ADA],
        "search=sorensen": [BO],
        "search=SØRENSEN": [BO],
        "search=sórensen": [],
        "search=EXT-": [BO],
        "search=ext-": [],
        "search=T-7": [],
        f"search={ada_id[:13].upper()}": [ADA],
        "search=[x*]": [CLEO],
        "search=*": [CLEO],
        "search=.%2B": [],
        "search=ada+cleo": [],
        "role=User": [ADA],
        "active=false": [BO],
        "source=manual": [CLEO],
        "source=provisioned&active=true": [ADA],
        "search=e&source=provisioned": [ADA, BO],
        "search=&role=&active=&source=": [ADA, BO, CLEO],
    }

    found = {query: user_names(admin.get(f"{people}?{query}")) for query in searches}

    assert found == searches
    admin.get(f"{people}?search={'+'.join('abcdefghi')}", 400)


def test_the_form_of_a_search_comes_back_filled_in(admin: Console, people: str) -> None:
    page = admin.get(f"{people}?search=a%22b&role=User&active=true&sort=-email&column=source")

    assert typed(page, "search") == 'a"b'
    assert typed(page, "sort") == "-email"
    assert '<option value="User" selected>' in page
    assert '<option value="true" selected>' in page
    assert re.findall(r'name="column" value="(\w+)" checked', page) == ["source"]
    assert "No matching users" in text(page)


def test_a_part_is_only_the_list(admin: Console, people: str) -> None:
    part = admin.get(f"{people}?search=ada&part=1")

    assert user_names(part) == [ADA]
    assert "<html" not in part
    assert "<form" not in part


def test_the_columns_are_chosen_in_the_address(admin: Console, people: str) -> None:
    usual, chosen = admin.get(people), admin.get(f"{people}?column=department&column=external_id&column=nonsense")

    headings = [re.findall(r'<th scope="col"[^>]*>(?:<a[^>]*>)?([^<↑↓]*)', page) for page in (usual, chosen)]
    assert [[each.strip() for each in row] for row in headings] == [
        ["User", "E-mail address", "Title", "Role", "State", "Last change"],
        ["User", "E-mail address", "Department", "External ID"],
    ]
    assert "Research" in text(chosen)
    assert "EXT-7" in text(chosen)
    assert "column=department&column=external_id" in link(chosen, "E-mail address")


def test_a_heading_sorts_and_then_reverses_the_order(admin: Console, people: str) -> None:
    by_email = link(admin.get(f"{people}?source=provisioned"), "E-mail address")
    ascending = admin.get(by_email)
    descending = admin.get(link(ascending, "E-mail address"))
    newest = admin.get(link(descending, "Last change"))

    assert "source=provisioned" in by_email
    assert user_names(ascending) == [ADA, BO]
    assert user_names(descending) == [BO, ADA]
    assert 'aria-sort="descending"' in descending
    assert user_names(newest) == [BO, ADA]
    admin.get(f"{people}?sort=title", 400)


def test_pages_lead_in_both_directions_with_positions_and_filters(acme: Enterprise, admin: Console) -> None:
    import_csv(acme, [f"u{number:03}@x.example,U{number:03}," for number in range(120)])

    first = admin.get(f"{of(acme)}/users?active=true")
    second = admin.get(link(first, "Next page"))
    third = admin.get(link(second, "Next page"))
    back = admin.get(link(third, "Previous page"))
    start = admin.get(link(back, "Previous page"))

    assert [shown(page) for page in (first, second, third)] == ["1–50 of 120", "51–100 of 120", "101–120 of 120"]
    assert [shown(page) for page in (back, start)] == ["51–100 of 120", "1–50 of 120"]
    assert user_names(back) == user_names(second) == [f"U{number:03}" for number in range(50, 100)]
    assert user_names(start) == user_names(first)
    assert user_names(third)[-1] == "U119"
    assert "Next page" not in third
    assert "Previous page" not in start
    admin.get(f"{of(acme)}/users?cursor=made-up", 400)
    admin.get(link(first, "Next page").replace("active=true", "active=false"), 400)


def test_a_user_leads_to_the_neighbors_and_back_to_the_page_of_the_list(acme: Enterprise, admin: Console) -> None:
    import_csv(acme, [f"u{number:02}@x.example,U{number:02}," for number in range(60)])
    second_page = link(admin.get(f"{of(acme)}/users?search=x&sort=-email"), "Next page")
    user = admin.get(link(admin.get(second_page), '<bdi title="U09"'))

    neighbor = admin.get(link(user, "Next<"))

    assert user_names(admin.get(second_page))[0] == "U09"
    assert link(user, "Back to users") == second_page
    assert re.findall(r'title="(U\d+)"[^>]*>(\w+)<', user) == [("U10", "Previous"), ("U08", "Next")]
    assert "u08@x.example" in text(neighbor)
    assert link(neighbor, "Back to users") == second_page
    alone = admin.get(link(admin.get(second_page), '<bdi title="U09"').partition("?")[0])
    assert "Back to users" not in alone


@pytest.mark.slow
def test_a_search_of_many_users_reads_them_by_indexes(acme: Enterprise, admin: Console) -> None:
    lines = [f"u{number:04}@x.example,Person {number:04},{'Boss' if number < 3 else ''}" for number in range(1_010)]
    import_csv(acme, [*lines, "zoe@y.example,Zoë Ŵare,Boss"])
    _count_as(acme, 20_001)
    searches = {
        "search=person": "1–50 of 1,010",
        "active=true&source=manual": "1–50 of more than 1,000",
        "active=true": "1–50 of 1,011",
        "search=ware+zoe": "1–1 of 1",
        "search=person+y.example": "",
        "search=boss": "",
        "source=manual": "1–50 of 1,011",
    }

    pages = {query: admin.get(f"{of(acme)}/users?{query}") for query in searches}

    found = {query: shown(page) if user_names(page) else "" for query, page in pages.items()}
    assert found == searches
    assert user_names(pages["search=person"])[:2] == ["Person 0000", "Person 0001"]
    assert user_names(admin.get(link(pages["search=person"], "Next page")))[0] == "Person 0050"
    assert "Titles are searched only in enterprises with at most 20,000 users." in text(pages["search=boss"])
    _count_as(acme, 1_011)
    assert shown(admin.get(f"{of(acme)}/users?search=boss")) == "1–4 of 4"
    assert shown(admin.get(f"{of(acme)}/users?search=person")) == "1–50 of 1,010"


def _count_as(acme: Enterprise, users: int) -> None:
    """Let the feed count this number of users."""
    with acme.app.app_context(), writing() as connection:
        connection.execute(sql("UPDATE feeds SET users = :users"), {"users": users})


def test_an_empty_list_says_what_to_do_next(acme: Enterprise, admin: Console) -> None:
    page = admin.get(f"{of(acme)}/users")

    assert "No users yet" in text(page)
    assert f'href="{of(acme)}/users/new"' in page
