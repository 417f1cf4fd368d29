"""The provisioning log keeps whom a refused request was about (contract section 9)."""

from typing import Any

import pytest

from scimsvc.protocol.urns import BULK_REQUEST
from tests.support.apps import make_api, run_command
from tests.support.client import Enterprise, patch_body, replace, user_body
from tests.support.records import log_of

ADELE: dict[str, Any] = {"userName": "Adele Vance", "externalId": "adele.vance"}


def refused(enterprise: Enterprise) -> tuple[str | None, str | None, str | None]:
    """Return the address, the userName and the externalId of the newest refusal."""
    entry = log_of(enterprise, outcome="refused")[0]
    return entry["email"], entry["user_name"], entry["external_id"]


CORE = "urn:ietf:params:scim:schemas:core:2.0:User:"
SENT = [
    pytest.param(user_body(None, emails=None, **ADELE), (None, "Adele Vance", "adele.vance"), id="without an address"),
    pytest.param(
        user_body("adele@x.example", roles=["Signer"], **ADELE),
        ("adele@x.example", "Adele Vance", "adele.vance"),
        id="with everything",
    ),
    pytest.param(
        {"USERNAME": "Adele Vance", f"{CORE}externalId": "adele.vance", "emails": 5},
        (None, "Adele Vance", "adele.vance"),
        id="in other spellings",
    ),
    pytest.param(
        user_body(None, emails=None, userName="u" * 5000, externalId="e" * 5000),
        (None, "u" * 512, "e" * 512),
        id="long",
    ),
    pytest.param(user_body(None, emails=None, userName=["x"], externalId={"a": 1}), (None, None, None), id="no texts"),
    pytest.param(["x"], (None, None, None), id="no object"),
]


@pytest.mark.parametrize(("body", "expected"), SENT)
def test_a_refused_creation_names_the_person_as_sent(acme: Enterprise, body: Any, expected: Any) -> None:
    assert acme.send("POST", "/Users", body).status_code == 400

    assert refused(acme) == expected


@pytest.mark.parametrize(
    "operations",
    [
        [replace("userName", "Adele Vance"), replace("externalId", "adele.vance"),
         replace('emails[type eq "work"].value', "adele@x.example")],
        [{"op": "replace", "value": {**ADELE, 'emails[type eq "work"].value': "adele@x.example"}}],
        [{"op": "add", "value": {**ADELE, "emails": [{"type": "work", "value": "adele@x.example"}]}}],
    ],
)  # fmt: skip
def test_a_refused_patch_of_an_unknown_user_names_the_person_as_sent(acme: Enterprise, operations: list[Any]) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"

    assert acme.send("PATCH", f"/Users/{unknown}", patch_body(*operations)).status_code == 404

    assert refused(acme) == ("adele@x.example", "Adele Vance", "adele.vance")


def test_a_refusal_about_a_stored_user_names_the_stored_user(acme: Enterprise) -> None:
    adele = acme.create(email="adele@x.example", **ADELE)
    stored = ("adele@x.example", "Adele Vance", "adele.vance")
    path = f"/Users/{adele['id']}"
    wrong = user_body("other@x.example", userName="Other", roles=["Signer"])

    for method, body in (("PATCH", patch_body(replace("userName", 5))), ("PUT", wrong), ("PUT", "{")):
        assert acme.send(method, path, body).status_code == 400
        assert refused(acme) == stored
    run_command(acme.app, "enterprise", "pause", "Acme")
    held: list[tuple[str, Any]] = [("PATCH", patch_body(replace("active", False))), ("DELETE", None)]
    for method, body in held:
        assert acme.send(method, path, body).status_code == 503
        assert refused(acme) == stored
    run_command(acme.app, "enterprise", "resume", "Acme")
    operation = {"method": "PATCH", "path": path, "data": patch_body(replace("title", 5))}
    acme.send("POST", "/Bulk", {"schemas": [BULK_REQUEST], "Operations": [operation]})
    assert refused(acme) == stored


def test_a_refusal_about_a_deleted_user_names_the_user_from_the_log(acme: Enterprise) -> None:
    adele = acme.create(email="adele@x.example", **ADELE)
    acme.send("DELETE", f"/Users/{adele['id']}")

    assert acme.patch(adele, replace("title", "Boss")).status_code == 404

    assert refused(acme) == ("adele@x.example", None, None)


def test_a_successful_write_stores_no_further_names(acme: Enterprise) -> None:
    acme.create(**ADELE)

    (entry,) = log_of(acme)
    assert (entry["user_name"], entry["external_id"]) == (None, None)


def test_the_names_are_in_the_api_and_in_the_listing_of_the_command(acme: Enterprise) -> None:
    acme.send("POST", "/Users", user_body(None, emails=None, **ADELE))

    (entry,) = make_api(acme).get("/provisioning-log")["items"]
    shown = acme.app.test_cli_runner().invoke(args=["log", "Acme"]).output

    assert (entry["email"], entry["user_name"], entry["external_id"]) == (None, "Adele Vance", "adele.vance")
    assert "create        Adele Vance  400 invalidValue" in " ".join(shown.splitlines()[:1])
