"""The page that connects Entra: what to enter, the token, and the progress of the first requests."""

import re

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


def test_the_set_up_shows_what_to_enter(acme: Enterprise, admin: Console, cli: Cli) -> None:
    cli("role", "add", "Acme", "Chief Signer")

    page = admin.get(of(acme) + "/set-up")

    assert 'value="http://localhost/api/scim/v2"' in page
    assert [code(f"`{value}`") for value in re.findall(r'<code id="role-\d+">([^<]+)</code>', page)] == [
        *("DefaultEnterprise", "PowerSigner", "SigningHub_Admin", "User"),
    ]
    assert "Add an alias without spaces" in text(page)
    assert "SingleAppRoleAssignment([appRoleAssignments])" in text(page)
    assert text(page).count("mandatory") == 2


def test_a_token_is_shown_once_with_its_tenant_url(acme: Enterprise, admin: Console) -> None:
    path = of(acme) + "/set-up"
    issued = admin.post(path, 200, days="30").text
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
