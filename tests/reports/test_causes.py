"""Open refusals by cause: their titles, their remedies, and when they are closed."""

from datetime import timedelta
from typing import Any

import pytest

from scimsvc import clock
from scimsvc.enterprises import enterprises
from scimsvc.reports import causes
from scimsvc.reports.cause_words import Action
from scimsvc.reports.open_causes import OpenCause, list_open_causes
from scimsvc.store.tenancy import reading_in
from tests.support.client import Enterprise, replace, user_body
from tests.support.types import Cli
from tests.support.urns import GROUP_URN


def open_causes(enterprise: Enterprise) -> list[OpenCause]:
    with enterprise.app.app_context(), reading_in(enterprise.made["id"]) as tenant:
        return list_open_causes(tenant)


def told(enterprise: Enterprise) -> list[tuple[Any, ...]]:
    return [
        (each.cause, each.refusals, [person.email or person.user_name or person.user_id for person in each.people])
        for each in open_causes(enterprise)
    ]


def refuse_role(enterprise: Enterprise, email: str, role: str = "Power User") -> None:
    answer = enterprise.send("POST", "/Users", user_body(email, roles=[{"value": role, "primary": True}]))
    assert answer.status_code == 400


def test_refusals_are_grouped_by_cause_and_role_value(acme: Enterprise) -> None:
    refuse_role(acme, "a@x.example")
    refuse_role(acme, "b@x.example", "POWER USER")
    refuse_role(acme, "b@x.example")
    refuse_role(acme, "c@x.example", "Janitor")
    acme.create(email="taken@x.example")
    acme.send("POST", "/Users", user_body(None, emails=None, userName="Nobody"))

    assert told(acme) == [
        ("unknown-role", 2, ["b@x.example", "a@x.example"]),
        ("no-email", 1, ["Nobody"]),
        ("unknown-role", 1, ["c@x.example"]),
    ]


def test_an_unknown_role_has_its_remedies(acme: Enterprise) -> None:
    refuse_role(acme, "a@x.example")

    (cause,) = open_causes(acme)

    assert cause.title == "Unknown role “Power User”"
    assert "Power User" in (cause.detail or "")
    assert cause.is_fixed is False
    assert [(each.action, each.value) for each in cause.remedies] == [
        (Action.ADD_ALIAS, "Power User"),
        (Action.CREATE_ROLE, "Power User"),
    ]


def test_a_fixed_cause_is_closed_by_the_next_success(acme: Enterprise, cli: Cli) -> None:
    refuse_role(acme, "a@x.example")
    cli("role", "update", "Acme", "User", "--alias", "power user")
    assert [each.is_fixed for each in open_causes(acme)] == [True]

    acme.create(email="A@x.example", roles=[{"value": "Power User", "primary": True}])

    assert open_causes(acme) == []


def test_a_refusal_about_an_existing_user_is_closed_by_its_id(acme: Enterprise) -> None:
    user = acme.create()
    assert acme.patch(user, replace("title", 5)).status_code == 400
    assert told(acme) == [("400", 1, ["test.user@contoso.example"])]

    acme.patch(user, replace("title", "Boss"))

    assert open_causes(acme) == []


@pytest.mark.parametrize(
    ("change", "cause", "action"),
    [
        ({"paused": True}, "paused", Action.RESUME),
        ({"removal_limit": {"users": 0, "hours": 1}}, "removal-limit", Action.RELEASE),
        ({"scim_enabled": False}, "scim-off", Action.SETTINGS),
    ],
)
def test_a_stopped_write_is_fixed_by_a_setting_of_the_enterprise(
    acme: Enterprise, change: dict[str, Any], cause: str, action: Action
) -> None:
    user = acme.create()
    with acme.app.app_context():
        enterprises.update_enterprise("Acme", change)
    acme.patch(user, replace("active", False))

    (held,) = open_causes(acme)
    with acme.app.app_context():
        undone = {"paused": False, "removal_limit": None, "scim_enabled": True}
        enterprises.update_enterprise("Acme", {name: undone[name] for name in change})
    (fixed,) = open_causes(acme)

    assert (held.cause, held.is_fixed, held.remedies[0].action) == (cause, False, action)
    assert fixed.is_fixed is True


def test_refusals_for_an_address_name_the_user_to_look_at(acme: Enterprise) -> None:
    owner = acme.create(email="taken@x.example")
    acme.send("POST", "/Users", user_body("taken@x.example"))

    (cause,) = open_causes(acme)

    assert cause.cause == "email-taken"
    assert "match users" in cause.advice
    assert [(each.action, each.value) for each in cause.remedies] == [(Action.SHOW_HOLDER, owner["id"])]


def test_an_update_to_a_taken_address_has_its_own_advice(acme: Enterprise) -> None:
    owner = acme.create(email="taken@x.example")
    user = acme.create(email="other@x.example", userName="Other")
    acme.patch(user, replace('emails[type eq "work"].value', "taken@x.example"))

    (cause,) = open_causes(acme)

    assert cause.cause == "email-taken"
    assert "change one of the two addresses" in cause.advice
    assert "Change one of the two addresses." in (cause.detail or "")
    assert [(each.action, each.value) for each in cause.remedies] == [
        (Action.SHOW_HOLDER, owner["id"]),
        (Action.SHOW_USER, "other@x.example"),
    ]


def test_a_refusal_without_a_user_is_open_for_a_day(acme: Enterprise, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.send("POST", "/Groups", {"schemas": [GROUP_URN]})
    assert told(acme) == [("no-group-name", 1, [])]

    later = clock.now() + timedelta(days=1, seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)

    assert open_causes(acme) == []


def test_a_token_that_was_refused_is_open_until_its_client_is_let_in(acme: Enterprise, cli: Cli) -> None:
    revoked = cli("token", "issue", "Acme")
    cli("token", "revoke", revoked["id"])
    assert acme.send("GET", "/Users", token=revoked["access_token"]).status_code == 401
    assert told(acme) == [("token", 1, [])]

    acme.send("GET", "/Users").close()  # uses are stored after the response

    assert open_causes(acme) == []


def test_every_cause_has_words(acme: Enterprise) -> None:
    from scimsvc.protocol.reasons import Reason

    for cause in Reason:
        words = causes.explain_cause(cause, 400, value="{value} %s", email="a@x.example")
        assert words["title"]
        assert words["cause"] == cause
        assert words["advice"]
    assert causes.explain_cause(None, 503)["title"] == "The service could not write"
    assert causes.explain_cause(None, 400)["remedies"][0].action is Action.EXPLAIN


def test_another_enterprises_refusals_are_not_seen(acme: Enterprise, cli: Cli) -> None:
    refuse_role(acme, "a@x.example")
    other = cli("enterprise", "create", "Other")

    assert open_causes(Enterprise(acme.app, other, "")) == []
