"""One user in detail: directory and effective values, the role and its reason, and the history."""

from typing import Any

import pytest

from scimsvc.enterprises import manual_users
from scimsvc.errors import NoSuchThing
from scimsvc.reports.user_details import show_user_details
from tests.support.client import Enterprise, replace, user_body
from tests.support.records import edit_profile
from tests.support.types import Cli
from tests.support.urns import ENTERPRISE_URN


def details_of(enterprise: Enterprise, user_id: str) -> dict[str, Any]:
    with enterprise.app.app_context():
        return show_user_details(enterprise.made["id"], user_id)


def test_directory_and_effective_values_are_compared(acme: Enterprise) -> None:
    user = acme.create(title="Engineer", **{ENTERPRISE_URN: {"organization": "Contoso", "department": "R&D"}})
    edit_profile(acme, user["id"], title="Chief")

    details = details_of(acme, user["id"])

    values = {each["name"]: (each["directory"], each["effective"], each["differs"]) for each in details["values"]}
    assert values["title"] == ("Engineer", "Chief", True)
    assert values["organization"] == ("Contoso", "Contoso", False)
    assert values["email"] == ("test.user@contoso.example", "test.user@contoso.example", False)
    assert {"path": "department", "value": "R&D"} in details["further"]
    assert not {each["path"] for each in details["further"]} & {"title", "organization", "userName"}


@pytest.mark.parametrize(
    ("roles", "role"),
    [
        (None, ("DefaultEnterprise", None, "default")),
        ([{"value": "user"}], ("User", "user", "name")),
        ([{"value": "PowerSigner"}], ("Power Signer", "PowerSigner", "alias")),
    ],
)
def test_the_role_says_why(acme: Enterprise, roles: Any, role: tuple[Any, ...]) -> None:
    user = acme.create(roles=roles)

    found = details_of(acme, user["id"])["role"]

    assert (found["name"], found["value"], found["reason"]) == role


def test_a_role_that_was_renamed_since_says_so(acme: Enterprise, cli: Cli) -> None:
    user = acme.create(roles=[{"value": "User"}])
    cli("role", "update", "Acme", "User", "--rename", "Member")

    details = details_of(acme, user["id"])

    assert (details["role"]["name"], details["role"]["reason"]) == ("Member", "renamed")
    assert (details["history"][0]["kind"], details["history"][0]["origin"]) == ("edit", "role")


def test_the_history_has_writes_refusals_and_edits(acme: Enterprise) -> None:
    acme.send("POST", "/Users", user_body(roles=[{"value": "Nobody"}]))
    user = acme.create()
    edit_profile(acme, user["id"], title="Chief")
    acme.patch(user, replace("active", False))

    history = details_of(acme, user["id"])["history"]

    shown = [(each["kind"], each.get("outcome"), each["effect"], each.get("origin")) for each in history]
    assert shown == [
        ("scim", "ok", "disabled", None),
        ("edit", None, "updated", "user"),
        ("scim", "ok", "created", None),
        ("scim", "refused", None, None),
    ]
    assert history[-1]["why"]["cause"] == "unknown-role"


def test_a_manual_user_has_no_directory_values(acme: Enterprise) -> None:
    with acme.app.app_context():
        user = manual_users.create_manual_user(
            "Acme", {"email": "m@x.example", "user_name": "M", "title": "Boss", "role": "User"}
        )
        manual_users.update_manual_user("Acme", user["id"], {"title": "Lead"})

    details = details_of(acme, user["id"])

    assert {each["directory"] for each in details["values"]} == {None}
    assert details["role"]["reason"] == "hand"
    assert [(each["effect"], each["origin"]) for each in details["history"]] == [
        ("updated", "administrator"),
        ("created", "administrator"),
    ]


def test_another_enterprises_user_is_not_found(acme: Enterprise, cli: Cli) -> None:
    user = acme.create()
    other = cli("enterprise", "create", "Other")

    with pytest.raises(NoSuchThing):
        details_of(Enterprise(acme.app, other, ""), user["id"])
