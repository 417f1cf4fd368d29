"""Settings of an enterprise: SCIM provisioning, unique userNames, and refusal of unknown attributes."""

from typing import Any

import pytest

from tests.support.client import Enterprise, assert_scim_error, replace, user_body
from tests.support.types import Cli


def test_the_switch_opens_and_closes_the_door_at_once(acme: Enterprise, cli: Cli) -> None:
    user = acme.create()

    cli("enterprise", "update", "Acme", "--no-enable-scim")
    assert_scim_error(acme.send("GET", "/Users"), 403, None, "disabled", "Acme")
    cli("enterprise", "update", "Acme", "--enable-scim")

    assert acme.get(user) == user


def test_unique_user_names_when_the_enterprise_wants_them(acme: Enterprise, cli: Cli) -> None:
    user = acme.create(userName="Straße")
    other = acme.create(email="other@contoso.example", userName="Other")
    cli("enterprise", "update", "Acme", "--unique-user-name")

    for answer in (
        acme.send("POST", "/Users", user_body("third@contoso.example", userName="STRASSE")),
        acme.send("PUT", f"/Users/{other['id']}", user_body("other@contoso.example", userName="STRASSE")),
        acme.patch(other, replace("userName", "STRASSE")),
    ):
        assert_scim_error(answer, 409, "uniqueness", "userName", "STRASSE")
    assert acme.patch(user, replace("userName", "STRASSE")).status_code == 200

    cli("enterprise", "update", "Acme", "--no-unique-user-name")
    assert acme.patch(other, replace("userName", "STRASSE")).status_code == 200


@pytest.mark.parametrize(
    ("method", "body", "scim_type"),
    [
        ("POST", user_body("b@contoso.example", bogus=1), "invalidSyntax"),
        ("PUT", user_body(name={"bogus": 1}), "invalidSyntax"),
        ("PATCH", replace("bogus", 1), "invalidPath"),
        ("PATCH", {"op": "replace", "value": {"bogus": 1}}, "invalidPath"),
    ],
)
def test_unknown_attributes_are_rejected_when_the_enterprise_wants_it(
    acme: Enterprise, cli: Cli, method: str, body: dict[str, Any], scim_type: str
) -> None:
    user = acme.create(password="taken and dropped")
    cli("enterprise", "update", "Acme", "--reject-unknown-attributes")

    if method == "PATCH":
        answer = acme.patch(user, replace("title", "x"), body)
    else:
        answer = acme.send(method, "/Users" if method == "POST" else f"/Users/{user['id']}", body)

    assert_scim_error(answer, 400, scim_type, "bogus")
    assert acme.get(user) == user
    assert acme.send("PUT", f"/Users/{user['id']}", user_body(password="x")).status_code == 200
