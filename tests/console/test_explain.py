"""The page that explains a request: its effect, the reason, and fixes of a refusal, without writing anything."""

import json
import re

import pytest

from tests.support.client import Enterprise, patch_body, replace, user_body
from tests.support.console import Console, errors, of, text, typed
from tests.support.records import log_of
from tests.support.scim_groups import create_group
from tests.support.types import Cli


def explain(admin: Console, enterprise: Enterprise, status: int = 200, **fields: str) -> str:
    return admin.post(f"{of(enterprise)}/explain", status, **fields).text


def test_a_creation_is_explained_and_nothing_is_written(acme: Enterprise, admin: Console) -> None:
    body = json.dumps(user_body(roles=[{"value": "PowerSigner", "primary": "True"}], unheard="of"))

    page = explain(admin, acme, method="POST", path="/Users", body=body)

    words = text(page)
    assert "This request would be applied 201" in words
    assert "Matches no existing user" in words
    assert "Power Signer : The value 'PowerSigner' of 'roles' is an alias of this role." in words
    assert "Tolerated: true or false sent as text" in words
    assert "Ignored because no schema defines it: unheard" in words
    assert "userName none Test User" in words
    assert typed(page, "body") == body
    assert acme.find("id pr") == []
    assert log_of(acme) == []


def test_a_request_about_a_group_shows_the_users_whose_role_would_change(
    acme: Enterprise, admin: Console, cli: Cli
) -> None:
    group = create_group(acme, members=[acme.create()["id"]])
    cli("role", "add", "Acme", "Seller", "--group", "Sales")

    words = text(explain(admin, acme, method="DELETE", path=f"/Groups/{group['id']}"))

    assert "Roles of users User Before After test.user@contoso.example Seller DefaultEnterprise" in words


def test_a_whole_request_is_pasted(acme: Enterprise, admin: Console) -> None:
    user = acme.create(title="Engineer")
    pasted = (
        f"PATCH https://scim.example/api/scim/v2/Users/{user['id']} HTTP/1.1\r\nHost: scim.example\r\n"
        f"Content-Type: application/scim+json\r\n\r\n{json.dumps(patch_body(replace('title', 'Boss')))}"
    )

    words = text(explain(admin, acme, method="POST", path="/Users", body=pasted))

    assert "This request would be applied 200" in words
    assert "Matches test.user@contoso.example" in words
    assert "title Engineer Boss" in words
    assert acme.get(user)["title"] == "Engineer"


def test_a_refusal_has_its_remedies(acme: Enterprise, admin: Console) -> None:
    body = json.dumps(user_body(roles=[{"value": "<i>Janitor</i>"}]))

    page = explain(admin, acme, method="POST", path="/Users", body=body)

    assert "This request would be refused 400 invalidValue" in text(page)
    assert "Unknown role “<i>Janitor</i>”" in text(page)
    assert "<i>Janitor" not in page
    assert re.search(r'href="[^"]+/roles/new\?name=%3Ci%3EJanitor', page)


@pytest.mark.parametrize(
    ("method", "path", "body", "words"),
    [
        ("POST", "/Users", "{", "This request would be refused 400 invalidSyntax"),
        ("POST", "/Users", "", "This request would be refused 400 invalidSyntax"),
        ("POST", "/Groups", "{}", "This request would be refused 400 invalidValue"),
        ("GET", '/Users?filter=userName eq "x"', "", "Finds no users"),
        ("DELETE", "/Users/2df894f6-6cca-4d98-9f0c-f0c2bb4671dd", "", "This request would be refused 404"),
        ("POST", "/Users", "GET /Users", "This request would be applied 200"),
    ],
)
def test_every_kind_of_request_is_explained(
    acme: Enterprise, admin: Console, method: str, path: str, body: str, words: str
) -> None:
    assert words in text(explain(admin, acme, method=method, path=path, body=body))


def test_the_operations_of_bulk_are_explained_one_by_one(acme: Enterprise, admin: Console) -> None:
    bulk = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [{"method": "POST", "path": "/Users", "bulkId": "a", "data": user_body()}],
    }

    words = text(explain(admin, acme, method="POST", path="/Bulk", body=json.dumps(bulk)))

    assert "Operation 1: create" in words


def test_an_invalid_request_is_reported_at_its_field(acme: Enterprise, admin: Console) -> None:
    page = explain(admin, acme, 400, method="BREW", path="/Users", body="{}")

    assert list(errors(page)) == ["method"]
    assert typed(page, "body") == "{}"


def test_an_administrator_explains_only_requests_of_one_enterprise(acme: Enterprise, admin: Console) -> None:
    page = admin.get(f"{of(acme)}/explain?raw=1")

    assert "Paste a SCIM request to see what it would do" in text(page)
