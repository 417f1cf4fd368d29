"""The pages of groups: the list with its search, one group with its members, and the groups of a user."""

import re

import pytest

from tests.support.apps import make_enterprise
from tests.support.client import Enterprise, user_body
from tests.support.console import Console, make_admin, of, text, typed, user_names
from tests.support.groups import memberships, store_group, store_users
from tests.support.records import audit_of
from tests.support.types import Cli

pytestmark = pytest.mark.both_databases


def names(page: str) -> list[str]:
    """Return the names of groups or users that a table shows."""
    return re.findall(r'<th scope="row"><a href="[^"]+"><bdi class="clamped">([^<]*)</bdi>', page)


@pytest.fixture
def sales(acme: Enterprise) -> str:
    """The path of a group with two members, the second of them disabled, in an enterprise with more groups."""
    ada = acme.create(email="ada@x.example", userName="Ada")
    bob = acme.create(email="bob@x.example", userName="Bob", active=False)
    group = store_group(acme, "Sales", [ada["id"], bob["id"]], externalId="11aa")
    store_group(acme, "sales of Straße 100%", externalId="22bb")
    store_group(acme, "Support", [ada["id"]])
    return f"{of(acme)}/groups/{group.id}"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Sales", "sales of Straße 100%", "Support"]),
        ("search=SALES", ["Sales", "sales of Straße 100%"]),
        ("search=STRASSE", ["sales of Straße 100%"]),
        ("search=2b", ["sales of Straße 100%"]),
        ("search=100%25", ["sales of Straße 100%"]),
        ("search=_", []),
        ("search=", ["Sales", "sales of Straße 100%", "Support"]),
    ],
)
@pytest.mark.usefixtures("sales")
def test_groups_are_listed_by_name_and_searched(acme: Enterprise, admin: Console, query: str, found: list[str]) -> None:
    page = admin.get(f"{of(acme)}/groups?{query}")
    part = admin.get(f"{of(acme)}/groups?{query}&part=1")

    assert names(page) == names(part) == found
    assert "<html" not in part


@pytest.mark.usefixtures("sales")
def test_the_list_shows_the_size_and_the_external_id(acme: Enterprise, admin: Console) -> None:
    page = admin.get(f"{of(acme)}/groups?search=11aa")

    assert typed(page, "search") == "11aa"
    assert re.search(r'data-label="Members" class="number">2</td>', page)
    assert '<bdi class="clamped">11aa</bdi>' in page


def test_a_group_shows_the_role_that_it_gives(acme: Enterprise, admin: Console, cli: Cli, sales: str) -> None:
    before = admin.get(sales)
    cli("role", "update", "Acme", "User", "--group", "Sales")

    page, listed = admin.get(sales), admin.get(f"{of(acme)}/groups")

    assert "Role none Choose a role" in text(before)
    assert "Role User , for members to whom Entra sends no role" in text(page)
    assert re.findall(r'data-label="Role">(?:<bdi>(\w+)</bdi>|<span)', listed) == ["User", "", ""]


def test_a_group_has_its_members_in_the_order_of_joining(admin: Console, sales: str) -> None:
    page = admin.get(sales)

    assert names(page) == ["Ada", "Bob"]
    assert "2 members" in text(page)
    assert re.findall(r'class="badge \w+">(active|disabled)<', page) == ["active", "disabled"]


def test_the_members_of_a_large_group_are_on_pages(acme: Enterprise, admin: Console) -> None:
    ids = store_users(acme, 51)
    group = store_group(acme, "Everyone", ids)

    first = admin.get(f"{of(acme)}/groups/{group.id}")
    (after,) = re.findall(r'href="([^"]+)">Next page', first)
    second = admin.get(after.replace("&amp;", "&"))

    shown = [re.findall(r'<th scope="row"><a href="[^"]+/users/([^"]+)">', page) for page in (first, second)]
    assert shown == [ids[:50], ids[50:]]
    assert f'href="{of(acme)}/groups/{group.id}">First page' in second
    admin.get(f"{of(acme)}/groups/{group.id}?cursor=made-up", 400)


def test_many_groups_are_on_pages_that_keep_the_search(acme: Enterprise, admin: Console) -> None:
    for number in range(51):
        store_group(acme, f"G{number:02}")
    store_group(acme, "Other")

    first = admin.get(f"{of(acme)}/groups?search=g")
    (after,) = re.findall(r'href="([^"]+)">Next page', first)

    assert len(names(first)) == 50
    assert names(admin.get(after.replace("&amp;", "&"))) == ["G50"]
    assert "search=g" in after


def test_the_members_of_a_group_are_searched_in_the_list_of_users(acme: Enterprise, admin: Console, sales: str) -> None:
    (members,) = re.findall(r'href="([^"]+)">Search the members', admin.get(sales))
    acme.create(email="cleo@x.example", userName="Cleo")

    everyone, one = admin.get(members), admin.get(f"{members}&search=bob")

    assert user_names(everyone) == ["Ada", "Bob"]
    assert user_names(one) == ["Bob"]
    assert "Only members of the group Sales" in text(one)
    assert typed(one, "group") == sales.rpartition("/")[2]
    admin.get(f"{of(acme)}/users?group=nothing", 400)


@pytest.mark.usefixtures("sales")
def test_the_page_of_a_user_links_the_groups_by_name(acme: Enterprise, admin: Console) -> None:
    ada, bob = (acme.find(f'userName eq "{name}"')[0]["id"] for name in ("Ada", "Bob"))
    other = acme.create(email="cleo@x.example")["id"]
    pages = {user_id: admin.get(f"{of(acme)}/users/{user_id}") for user_id in (ada, bob, other)}

    linked = {user_id: re.findall(r"/groups/[^\"]+\"><bdi>([^<]*)<", page) for user_id, page in pages.items()}

    assert linked == {ada: ["Sales", "Support"], bob: ["Sales"], other: []}


def test_a_manual_user_with_groups_is_edited(acme: Enterprise, admin: Console) -> None:
    admin.post(f"{of(acme)}/users/new", email="cleo@y.example", user_name="Cleo", active="on")
    user_id = acme.find('userName eq "Cleo"')[0]["id"]
    store_group(acme, "Sales", [user_id])

    tag = typed(admin.get(f"{of(acme)}/users/{user_id}/edit"), "tag")
    saved = admin.follow(
        f"{of(acme)}/users/{user_id}/edit", tag=tag, email="cleo@y.example", user_name="Cleopatra", active="on"
    )

    assert "User Cleopatra saved." in saved


def test_an_empty_list_says_when_groups_appear(acme: Enterprise, admin: Console) -> None:
    page = admin.get(f"{of(acme)}/groups")

    assert "No groups yet" in text(page)
    assert f'href="{of(acme)}/set-up#groups"' in page


def test_an_empty_group_and_a_search_without_results_say_so(acme: Enterprise, admin: Console) -> None:
    group = store_group(acme, "Empty")

    assert "The group has no members." in text(admin.get(f"{of(acme)}/groups/{group.id}"))
    assert "No matching groups" in text(admin.get(f"{of(acme)}/groups?search=x"))


def test_an_auditor_reads_groups(acme: Enterprise, sales: str) -> None:
    auditor = Console(acme.app, make_admin(acme.app, "auditor@acme.example", "Acme", is_auditor=True))

    assert names(auditor.get(f"{of(acme)}/groups")) == ["Sales", "sales of Straße 100%", "Support"]
    assert names(auditor.get(sales)) == ["Ada", "Bob"]


def test_reading_groups_changes_and_records_nothing(acme: Enterprise, admin: Console, sales: str) -> None:
    before = memberships(acme), audit_of(acme.app)

    admin.get(sales)
    admin.get(f"{of(acme)}/groups")

    assert (memberships(acme), audit_of(acme.app)) == before


def test_unique_names_of_groups_are_a_setting_with_an_entry_of_the_audit_log(
    acme: Enterprise, admin: Console, cli: Cli
) -> None:
    rules = {"default_role": "DefaultEnterprise", "several_roles": "refuse"}

    page = admin.follow(f"{of(acme)}/settings/rules", **rules)
    allowed = cli("enterprise", "show", "Acme")["unique_group_name"]
    store_group(acme, "Sales", unique=False)
    store_group(acme, "SALES", unique=False)
    refused = admin.post(f"{of(acme)}/settings/rules", 409, unique_group_name="on", **rules)

    assert "Rules saved." in page
    assert allowed is False
    assert "Several groups in Acme have the same name" in text(refused.text)
    newest = audit_of(acme.app)[0]
    assert (newest["action"], newest["before"], newest["after"]) == (
        "enterprise.updated",
        {"unique_group_name": True},
        {"unique_group_name": False},
    )


def test_a_group_of_another_enterprise_does_not_exist(acme: Enterprise, admin: Console, operator: Console) -> None:
    other = make_enterprise(acme.app, "Other")
    theirs = store_group(other, "Secret", [other.send("POST", "/Users", user_body()).get_json()["id"]])

    page = admin.get(f"{of(acme)}/groups/{theirs.id}", 404)

    assert "Secret" not in page
    assert names(admin.get(f"{of(acme)}/groups?search=Secret")) == []
    assert names(operator.get(f"{of(other)}/groups")) == ["Secret"]
