"""The pages name the identity provider of the enterprise, and explain refusals in its words."""

from tests.support.client import Api, Enterprise, user_body
from tests.support.console import Console, of, text
from tests.support.records import log_of
from tests.support.types import Cli

PAGES = (
    "",
    "/users",
    "/log",
    "/roles",
    "/attributes",
    "/integrations",
    "/tokens",
    "/settings",
    "/explain",
    "/users/new",
)


def main(page: str) -> str:
    """Return the text of the page's main part."""
    return text(page[page.index("<main") :])


def test_no_page_of_an_enterprise_with_okta_speaks_of_entra(acme: Enterprise, admin: Console, cli: Cli) -> None:
    cli("integration", "rename", "Acme", acme.made["client_id"], "Okta")
    cli("integration", "set-provider", "Acme", "Okta", "okta")
    acme.send("POST", "/Users", user_body(emails=None))
    acme.send("POST", "/Users", user_body("n@x.example", roles=[{"value": "Nobody"}]))
    user = acme.create()

    for path in (*PAGES, f"/users/{user['id']}"):
        assert "Entra" not in main(admin.get(of(acme) + path)), path
    assert "In Okta, map emails" in main(admin.get(of(acme)))
    assert "The value of a role in Okta must be" in main(admin.get(of(acme)))


def test_the_pages_of_an_enterprise_without_a_provider_speak_of_entra(acme: Enterprise, admin: Console) -> None:
    acme.send("POST", "/Users", user_body(emails=None))

    for path in ("", "/users", "/log", "/roles", "/settings"):
        assert "Entra" in main(admin.get(of(acme) + path)), path


def test_the_log_explains_refusals_to_a_recognized_client_in_its_words(acme: Enterprise, admin: Console) -> None:
    acme.send("POST", "/Users", user_body(emails=None), headers={"User-Agent": "Okta SCIM Client 1.0.0"})

    entry = log_of(acme)[0]["id"]
    assert "In the identity provider, map the e-mail address" in main(admin.get(f"{of(acme)}/log/{entry}"))
    assert "In Okta, map emails" in main(admin.get(of(acme)))


def test_an_explained_request_is_answered_as_the_request_itself(acme: Enterprise, cli: Cli, api: Api) -> None:
    cli("integration", "set-provider", "Acme", acme.made["client_id"], "okta")
    body = user_body(userName=None)
    sent = acme.send("POST", "/Users", body).get_json()["detail"]

    explained = api.send("POST", "/explain", {"method": "POST", "path": "/Users", "body": body}).get_json()

    assert explained["detail"] == sent
    assert "Entra" not in sent


def test_the_list_of_integrations_names_a_provider_that_the_name_does_not(
    acme: Enterprise, admin: Console, cli: Cli
) -> None:
    cli("integration", "create", "Acme", "Directory", "--scope", "scim", "--provider", "jumpcloud")
    cli("integration", "create", "Acme", "Okta", "--scope", "scim", "--provider", "okta")
    cli("integration", "create", "Acme", "Our own", "--scope", "scim", "--provider", "other")

    page = main(admin.get(of(acme) + "/integrations"))

    assert "Directory (JumpCloud)" in page
    assert "(Okta)" not in page
