"""Two users who want each other's addresses."""

from typing import Any

from tests.support.client import Enterprise, assert_scim_error, replace

EMAIL = 'emails[type eq "work"].value'
ANN, BOB = "ann@x.example", "bob@x.example"


def create_ann(acme: Enterprise) -> dict[str, Any]:
    home = {"value": "Ann@Home.example", "type": "home"}
    return acme.create(userName="Ann", emails=[{"value": "Ann@X.example", "type": "work", "primary": True}, home])


def create_bob(acme: Enterprise) -> dict[str, Any]:
    return acme.create(email=BOB, userName="BOB@x.example")


def want_each_other(acme: Enterprise, ann: dict[str, Any], bob: dict[str, Any]) -> None:
    refused = acme.patch(ann, replace(EMAIL, BOB))
    assert_scim_error(refused, 409, "uniqueness", f"Another user in Acme, with the ID {bob['id']}, already has")
    assert_scim_error(acme.patch(bob, replace(EMAIL, ANN)), 409, "uniqueness", ann["id"])
