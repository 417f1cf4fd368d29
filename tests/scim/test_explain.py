"""Explain shows the effect of a request without writing anything (contract section 8)."""

import json
from typing import Any

import pytest
from sqlalchemy import text

from scimsvc.errors import InvalidInput
from scimsvc.extensions import db
from scimsvc.scim.explain import explain
from tests.support.client import SCIM, Enterprise, patch_body, replace, user_body
from tests.support.records import feed_of, log_of

TABLES = ("users", "provisioning_log", "changes", "roles", "enterprises")


def explained(acme: Enterprise, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """Explain the request, and check that the database did not change."""
    before = _rows(acme)
    with acme.app.app_context():
        told = explain(
            "Acme",
            {"method": method, "path": path, "body": body},
            base="https://app.example/api/scim/v2",
        )
    assert _rows(acme) == before
    json.dumps(told)
    return told


def _rows(acme: Enterprise) -> list[Any]:
    with acme.app.app_context(), db.engine.connect() as connection:
        return [sorted(map(repr, connection.execute(text(f"SELECT * FROM {table}")))) for table in TABLES]


def test_a_creation(acme: Enterprise) -> None:
    body = user_body(active="True", roles=[{"value": "PowerSigner", "primary": "True"}], extra=1)

    told = explained(acme, "POST", "/Users", body)

    assert (told["outcome"], told["status"], told["operation"], told["user"]) == ("ok", 201, "create", None)
    assert (told["tolerances"], told["ignored"]) == (["text-boolean"], ["extra"])
    assert told["request"]["active"] is True
    assert {"attribute": "userName", "before": None, "after": "Test User"} in told["changes"]
    assert told["role"] == {
        "name": "Power Signer",
        "reason": "The value 'PowerSigner' of 'roles' is an alias of this role.",
    }


def test_a_creation_that_an_existing_user_is_in_the_way_of(acme: Enterprise) -> None:
    user = acme.create()

    told = explained(acme, "POST", f"{SCIM}/Users", json.dumps(user_body("TEST.user@contoso.example")))

    assert (told["outcome"], told["status"], told["scim_type"]) == ("refused", 409, "uniqueness")
    assert told["user"]["id"] == user["id"]
    assert "already" in told["detail"]


def test_a_patch(acme: Enterprise) -> None:
    user = acme.create(title="Old", roles=["User"])
    body = patch_body(
        {"op": "Replace", "path": "TITLE", "value": "New"}, {"op": "Add", "value": {"name.givenName": "T"}}
    )

    told = explained(acme, "PATCH", f"https://app.example{SCIM}/Users/{user['id']}?aadOptscim062020", body)

    assert (told["outcome"], told["status"], told["user"]["title"]) == ("ok", 200, "Old")
    assert told["tolerances"] == ["op-case", "path-as-key"]
    assert told["request"] == [
        {"op": "replace", "path": "title", "value": "New"},
        {"op": "add", "path": "name.givenName", "value": "T"},
    ]
    assert [each for each in told["changes"] if "effective" not in each] == [
        {"attribute": "name.givenName", "before": None, "after": "T"},
        {"attribute": "title", "before": "Old", "after": "New"},
    ]
    assert told["role"]["name"] == "User"
    assert "does not mention roles" in told["role"]["reason"]


def test_a_refusal(acme: Enterprise) -> None:
    user = acme.create()

    told = explained(acme, "PATCH", f"/Users/{user['id']}", patch_body(replace("roles", "Signer")))

    assert (told["outcome"], told["status"], told["scim_type"]) == ("refused", 400, "invalidValue")
    assert "Role 'Signer' does not exist in Acme" in told["detail"]
    assert (told["changes"], told["role"], told["user"]["id"]) == ([], None, user["id"])


def test_a_deletion_a_match_and_bulk(acme: Enterprise) -> None:
    user = acme.create()
    operations = [{"method": "DELETE", "path": f"/Users/{user['id']}"}]
    bulk = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations}

    deletion = explained(acme, "DELETE", f"/Users/{user['id']}")
    match = explained(acme, "GET", '/Users?filter=email[type eq "work"].value eq "TEST.user@contoso.example"')
    many = explained(acme, "POST", "/Bulk", bulk)

    assert (deletion["status"], deletion["user"]["id"]) == (204, user["id"])
    assert match["users"] == [{"id": user["id"], "email": "test.user@contoso.example"}]
    assert [each["operation"] for each in many["operations"]] == ["delete"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/Users", "{", 400),
        ("POST", "/Users", None, 400),
        ("PATCH", "/Users/nobody", patch_body(replace("title", "x")), 404),
        ("PATCH", "/Users", patch_body(replace("title", "x")), 405),
        ("POST", "/Groups", {}, 400),
        ("GET", "/Nothing", None, 404),
        ("GET", "/Users?filter=x", None, 400),
        ("GET", "/Users/nobody", None, 404),
    ],
)
def test_a_refused_request_is_explained_with_its_status(
    acme: Enterprise, method: str, path: str, body: Any, status: int
) -> None:
    told = explained(acme, method, path, body)

    assert (told["outcome"], told["status"]) == ("refused", status)


def test_an_invalid_request_is_refused(acme: Enterprise) -> None:
    with pytest.raises(InvalidInput) as refused:
        explained(acme, "BREW", "")

    assert set(refused.value.errors) == {"method", "path"}
    assert (log_of(acme), feed_of(acme)["items"]) == ([], [])
