"""The search of the console: pages, people, roles, groups, tokens, request IDs and enterprises."""

import re
from html import unescape

import pytest

from tests.support.client import Enterprise, user_body
from tests.support.console import Console, make_admin, of, text
from tests.support.groups import store_group
from tests.support.types import Cli

pytestmark = pytest.mark.both_databases


def found(console: Console, path: str, words: str) -> dict[str, list[str]]:
    """Return the names of the results of each kind."""
    answer = console.send("GET", path + "/search", query_string={"search": words, "part": "1"})
    assert answer.status_code == 200, answer.text
    kinds = re.findall(r'<h2 id="kind-\d+">([^<]+)</h2>(.*?)</section>', answer.text, re.DOTALL)
    return {kind: list(map(unescape, re.findall(r"<a href=[^>]+><bdi>([^<]+)</bdi>", body))) for kind, body in kinds}


@pytest.fixture
def filled(acme: Enterprise) -> Enterprise:
    """An enterprise with a person, a group and the usual roles."""
    answer = acme.send("POST", "/Users", user_body("adele@acme.example", userName="Adele Vance"))
    assert answer.status_code == 201
    store_group(acme, "Sales Europe")
    return acme


@pytest.mark.parametrize(
    ("words", "kind", "name"),
    [
        pytest.param("provisioning", "Pages", "Provisioning log", id="page"),
        pytest.param("token create", "Pages", "Create token", id="form"),
        pytest.param("adele v", "Users", "Adele Vance", id="person by name"),
        pytest.param("ADELE@acme", "Users", "Adele Vance", id="person by address"),
        pytest.param("europe", "Groups", "Sales Europe", id="group"),
        pytest.param("powersign", "Roles", "Power Signer", id="alias of a role"),
        pytest.param("microsoft", "Integrations", "Microsoft Entra ID", id="integration"),
        pytest.param("7f3c91d2e4b8a605", "Provisioning log", "7f3c91d2e4b8a605", id="request"),
    ],
)
def test_words_find(filled: Enterprise, admin: Console, words: str, kind: str, name: str) -> None:
    assert name in found(admin, of(filled), words).get(kind, [])


def test_a_token_is_found_by_its_short_id_and_by_its_name(acme: Enterprise, admin: Console, cli: Cli) -> None:
    token = cli("token", "issue", "Acme", "--name", "Spare")

    assert found(admin, of(acme), token["id"][:8])["Tokens"] == ["Spare"]
    assert found(admin, of(acme), "spare")["Tokens"] == ["Spare"]


def test_a_person_is_found_by_id(filled: Enterprise, admin: Console, cli: Cli) -> None:
    [user] = cli("user", "list", "Acme")

    assert found(admin, of(filled), user["id"])["Users"][0] == "Adele Vance"


def test_words_in_the_middle_of_a_name_are_found_by_the_list_of_users(filled: Enterprise, admin: Console) -> None:
    page = admin.get(of(filled) + "/search?search=vance")

    [path] = re.findall(r'href="([^"]+/users\?search=vance)"', page)
    assert "Adele Vance" not in page
    assert "Adele Vance" in admin.get(path)


def test_enterprises_are_found_only_by_accounts_that_see_all(
    acme: Enterprise, admin: Console, operator: Console, cli: Cli
) -> None:
    cli("enterprise", "create", "Contoso")

    assert found(operator, "/console", "conto") == {"Enterprises": ["Contoso"]}
    assert found(operator, of(acme), "conto")["Enterprises"] == ["Contoso"]
    assert "Enterprises" not in found(admin, of(acme), "conto")
    assert found(admin, "/console", "conto") == {}


def test_without_words_the_search_lists_the_pages(acme: Enterprise, admin: Console) -> None:
    assert "Settings" in found(admin, of(acme), " ")["Pages"]


@pytest.mark.parametrize("words", ["nobody-here", "%", "x" * 5000, "'", "𝓐" * 300])
def test_words_without_a_result_are_answered(acme: Enterprise, admin: Console, words: str) -> None:
    answer = admin.send("GET", of(acme) + "/search", query_string={"search": words})

    assert answer.status_code == 200
    assert "Search all users" in text(answer.text) or "Nothing found" in text(answer.text)


def test_auditors_search_too(filled: Enterprise) -> None:
    auditor = Console(filled.app, make_admin(filled.app, "auditor@acme.example", "Acme", is_auditor=True))

    assert found(auditor, of(filled), "adele")["Users"][0] == "Adele Vance"
