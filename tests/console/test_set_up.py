"""The page that connects an identity provider: what to enter, the token, and the progress of the first requests."""

import re

import pytest
from flask import Flask

from scimsvc.mapping.entra import MAPPINGS
from tests.support.client import Enterprise, patch_body, replace, user_body
from tests.support.console import Console, of, text
from tests.support.documents import code, read, table
from tests.support.types import Cli


def test_the_mapping_is_that_of_the_manual(app: Flask) -> None:
    documented = [
        (
            code(target).replace("enterprise:", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:"),
            code(source),
            mandatory == "yes",
        )
        for target, source, mandatory, _ in table(
            read("entra/connect.md"), "target attribute", "Entra source", "mandatory", "notes"
        )
    ]

    assert documented == [(each.target, each.source, each.is_mandatory) for each in MAPPINGS]


def test_the_steps_are_those_of_the_tutorial(acme: Enterprise, admin: Console) -> None:
    steps = re.findall(r"<h2>(.+?)</h2>", admin.get(of(acme) + "/set-up"))

    assert steps == re.findall(r"^## \d\. (.+)$", read("entra/connect.md"), re.MULTILINE)


def test_the_set_up_shows_what_to_enter(acme: Enterprise, admin: Console, cli: Cli) -> None:
    cli("role", "add", "Acme", "Chief Signer")

    page = admin.get(of(acme) + "/set-up")

    assert 'value="http://localhost/api/scim/v2"' in page
    assert {code(f"`{value}`") for value in re.findall(r'<code id="role-\d+">([^<]+)</code>', page)} == {
        *("DefaultEnterprise", "PowerSigner", "SigningHub_Admin", "User"),
    }
    assert "Add an alias without spaces" in text(page)
    assert "SingleAppRoleAssignment([appRoleAssignments])" in text(page)
    assert text(page).count("mandatory") == 2


def test_a_token_is_shown_once_with_its_tenant_url(acme: Enterprise, admin: Console) -> None:
    path = of(acme) + "/set-up"
    issued = admin.follow(path, days="30")
    [token] = set(re.findall(r'value="(scimsvc_[^"]+)"', issued))

    assert "Copy it now. You cannot see it again." in text(issued)
    assert acme.send("GET", "/Users", token=token).status_code == 200
    assert token not in admin.get(path)
    assert "30 days left" in text(admin.get(path)) or "29 days left" in text(admin.get(path))


def test_the_set_up_of_an_enterprise_that_is_off_enables_it(cli: Cli, operator: Console) -> None:
    made = cli("enterprise", "create", "Off")
    path = f"/console/enterprises/{made['id']}/set-up"

    refused = operator.post(path, 409, days="30").text
    page = operator.follow(path + "/enable")

    assert "SCIM provisioning is disabled for Off" in text(refused)
    assert "SCIM provisioning enabled." in text(page)


def test_the_progress_follows_what_entra_sends(acme: Enterprise, admin: Console) -> None:
    path = of(acme) + "/set-up/progress?live=1"

    def arrived() -> tuple[int, int, bool]:
        page = admin.get(path)
        return page.count('class="arrived"'), page.count('class="refused"'), "data-live-ends" in page

    seen = [arrived()]
    with acme.send("GET", "/Users", query={"filter": 'emails[type eq "work"].value eq "x@y.example"'}) as answer:
        answer.get_data()
    seen.append(arrived())
    acme.send("POST", "/Users", user_body(roles=[{"value": "Nobody", "primary": True}]))
    seen.append(arrived())
    user = acme.create()
    seen.append(arrived())
    acme.send("PATCH", f"/Users/{user['id']}", patch_body(replace("title", "Clerk")))
    seen.append(arrived())

    assert seen == [(0, 0, False), (1, 0, False), (1, 1, False), (3, 0, True), (3, 0, True)]
    assert "test.user@contoso.example" in admin.get(path)


def values(page: str) -> dict[str, str]:
    """Return the values to copy by their label."""
    return dict(
        re.findall(
            r'<label for="[^"]+">([^<]+)</label>\s*<div class="copy-row">\s*<input id="[^"]+" value="([^"]*)"', page
        )
    )


def integrations(cli: Cli) -> list[tuple[str, str | None, str | None]]:
    return [(each["name"], each["scope"], each["provider"]) for each in cli("integration", "list", "Acme")]


def test_entra_is_connected_with_client_credentials(acme: Enterprise, admin: Console, cli: Cli) -> None:
    page = admin.follow(of(acme) + "/set-up/secret?provider=entra&way=oauth", overlap_hours="24")

    shown = values(page)
    assert shown == {
        "Client Secret": shown["Client Secret"],
        "Tenant URL": "http://localhost/api/scim/v2",
        "Token Endpoint": "http://localhost/api/authenticate",
        "Client Identifier": acme.made["client_id"],
    }
    assert "OAuth2 client credentials grant" in text(page)
    for secret in (shown["Client Secret"], acme.made["client_secret"]):
        form = {"grant_type": "client_credentials", "client_id": acme.made["client_id"], "client_secret": secret}
        token = acme.app.test_client().post("/api/authenticate", data=form).get_json()["access_token"]
        assert acme.send("GET", "/Users", token=token).status_code == 200
    assert integrations(cli) == [("Microsoft Entra ID", "scim", "entra")]
    assert shown["Client Secret"] not in admin.get(of(acme) + "/set-up?way=oauth")


def test_a_secret_that_leaked_is_replaced_at_once(acme: Enterprise, admin: Console) -> None:
    admin.post(of(acme) + "/set-up/secret?provider=entra&way=oauth", overlap_hours="0")

    form = {"grant_type": "client_credentials"} | {name: acme.made[name] for name in ("client_id", "client_secret")}
    assert acme.app.test_client().post("/api/authenticate", data=form).status_code == 401


def test_a_wrong_overlap_is_shown_at_its_field(acme: Enterprise, admin: Console) -> None:
    page = admin.post(of(acme) + "/set-up/secret?provider=entra&way=oauth", 400, overlap_hours="soon").text

    assert "overlap_hours" in page
    assert 'value="soon"' in page
    assert 'aria-current="true">OAuth 2.0 client credentials' in page


@pytest.mark.parametrize(
    ("provider", "name", "labels"),
    [
        ("okta", "Okta", {"SCIM connector base URL", "Authorization"}),
        ("onelogin", "OneLogin", {"SCIM Base URL", "SCIM Bearer Token"}),
        ("authentik", "authentik", {"URL", "Token"}),
        ("keycloak", "Keycloak", {"SCIM 2.0 endpoint", "Auth password/token"}),
        ("ping", "Ping Identity", {"SCIM URL", "Access token"}),
        ("jumpcloud", "JumpCloud", {"Base URL", "Token Key"}),
        ("sailpoint", "SailPoint", {"Base URL", "API token"}),
        ("other", "the identity provider", {"SCIM URL", "Token"}),
        ("nonsense", "the identity provider", {"SCIM URL", "Token"}),
    ],
)
def test_another_provider_is_connected_in_its_own_words(
    acme: Enterprise, admin: Console, cli: Cli, provider: str, name: str, labels: set[str]
) -> None:
    path = f"{of(acme)}/set-up?provider={provider}"
    before = admin.get(path)
    page = admin.follow(path, days="30")

    assert f"Connect {name}" in text(before)
    assert set(values(page)) == labels
    main = text(page[page.index('class="steps"') :])
    assert "Entra" not in main
    (token,) = set(re.findall(r'value="(scimsvc_[^"]+)"', page))
    assert acme.send("GET", "/Users", token=token).status_code == 200
    assert integrations(cli)[1][1:] == ("scim", "other" if provider == "nonsense" else provider)


def test_the_page_remembers_the_provider(acme: Enterprise, admin: Console, cli: Cli) -> None:
    assert "Connect Entra" in admin.get(of(acme) + "/set-up")

    cli("integration", "create", "Acme", "Okta", "--scope", "scim", "--provider", "okta")

    assert "Connect Okta" in admin.get(of(acme) + "/set-up")
    assert "Waiting for Okta to test the connection" in admin.get(of(acme) + "/set-up/progress?live=1")


def test_the_errors_of_a_connected_provider_fit_it(acme: Enterprise, admin: Console) -> None:
    page = admin.follow(of(acme) + "/set-up?provider=okta", days="30")
    (token,) = set(re.findall(r'value="(scimsvc_[^"]+)"', page))

    answer = acme.send("POST", "/Users", user_body(userName=None), token=token)

    assert answer.get_json()["detail"].endswith("In the identity provider, map it to an attribute that every user has.")


def test_a_way_that_a_provider_does_not_offer_is_not_shown(acme: Enterprise, admin: Console) -> None:
    page = admin.get(of(acme) + "/set-up?provider=okta&way=oauth")

    assert "client credentials" not in text(page)
    assert "Create a token" in text(page)


def test_an_enterprise_is_created_for_its_provider(app: Flask, operator: Console, cli: Cli) -> None:
    operator.post("/console/enterprises/new", name="Contoso", provider="okta", scim_enabled="on")
    cli("enterprise", "create", "Fabrikam", "--provider", "other")
    cli("enterprise", "create", "Northwind")

    def first(enterprise: str) -> tuple[str, str, str | None]:
        (integration,) = cli("integration", "list", enterprise)
        return integration["name"], integration["scope"], integration["provider"]

    assert first("Contoso") == ("Okta", "scim", "okta")
    assert first("Fabrikam") == ("Identity provider", "scim", "other")
    assert first("Northwind") == ("Microsoft Entra ID", "scim", None)
