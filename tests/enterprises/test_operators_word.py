"""Decisions of the operator that the enterprise cannot undo: a suspension, and a removal limit."""

from collections.abc import Callable
from typing import Any

import pytest

from scimsvc.enterprises import enterprises
from scimsvc.enterprises.suspension import reactivate_enterprise, suspend_enterprise
from scimsvc.scim.explain import explain
from tests.support.apps import make_api
from tests.support.client import Enterprise, assert_scim_error, replace, user_body
from tests.support.console import Console, make_admin
from tests.support.types import Cli

SUSPENDED = ("operator of this service suspended Acme", "The reason is: The contract ended.", "Contact the operator")
Change = Callable[[], Any]


@pytest.fixture
def suspended(acme: Enterprise) -> Enterprise:
    make_api(acme)
    with acme.app.app_context():
        suspend_enterprise("Acme", reason="The contract ended")
    return acme


def test_every_scim_request_of_a_suspended_enterprise_is_refused(acme: Enterprise) -> None:
    user = acme.create()
    with acme.app.app_context():
        suspend_enterprise("Acme", reason="The contract ended")

    answers = [
        acme.send("GET", "/Users"),
        acme.send("GET", "/Schemas"),
        acme.send("POST", "/Users", user_body("b@x.example")),
        acme.patch(user, replace("active", False)),
        acme.send("DELETE", f"/Users/{user['id']}"),
        acme.send("GET", "/Unknown"),
    ]

    for answer in answers:
        assert_scim_error(answer, 403, None, *SUSPENDED)
    with acme.app.app_context():
        reactivate_enterprise("Acme")
    assert acme.send("GET", f"/Users/{user['id']}").get_json() == user


def test_the_api_of_a_suspended_enterprise_is_refused(acme: Enterprise) -> None:
    api = make_api(acme)
    with acme.app.app_context():
        suspend_enterprise("Acme", reason="The contract ended")

    answers = [api.send("GET", "/enterprise"), api.send("PATCH", "/enterprise", {"paused": False})]

    for answer in answers:
        assert answer.status_code == 403
        assert answer.mimetype == "application/problem+json"
        assert all(words in answer.get_json()["detail"] for words in SUSPENDED)


@pytest.mark.parametrize("scope", ["scim", "api"])
def test_a_suspended_enterprise_gets_no_tokens(suspended: Enterprise, scope: str) -> None:
    client = {name: suspended.made[name] for name in ("client_id", "client_secret")}
    form = {"grant_type": "client_credentials", "scope": scope} | client

    answer = suspended.app.test_client().post("/api/authenticate", data=form)

    assert (answer.status_code, answer.get_json()["error"]) == (400, "unauthorized_client")
    assert "suspended Acme" in answer.get_json()["error_description"]


def test_a_suspension_closes_the_console_to_administrators_only(suspended: Enterprise) -> None:
    administrator = Console(suspended.app, make_admin(suspended.app, "admin@x.example", "Acme"))
    operator = Console(suspended.app, make_admin(suspended.app, "operator@x.example"))
    base = f"/console/enterprises/{suspended.made['id']}"

    pages = [administrator.get(f"{base}{path}", 403) for path in ("", "/settings", "/users", "/log.csv")]

    assert all(SUSPENDED[0] in page and SUSPENDED[1] in page for page in pages)
    administrator.get("/console/account")
    for path in ("reactivate", "settings/pause", "settings/rules", "delete"):
        administrator.post(f"{base}/{path}", 403)
    assert "This enterprise is suspended." in operator.get(f"{base}/settings")


def test_an_operator_suspends_and_reactivates_in_the_console(acme: Enterprise) -> None:
    operator = Console(acme.app, make_admin(acme.app, "operator@x.example"))
    base = f"/console/enterprises/{acme.made['id']}"

    operator.get(f"{base}/suspend")
    listed = operator.follow(f"{base}/suspend", reason="The contract ended")
    refused = acme.send("GET", "/Users").status_code
    operator.follow(f"{base}/reactivate")

    assert "Enterprise Acme suspended." in listed
    assert refused == 403
    assert acme.send("GET", "/Users").status_code == 200


def test_an_administrator_cannot_suspend(acme: Enterprise) -> None:
    administrator = Console(acme.app, make_admin(acme.app, "admin@x.example", "Acme"))
    base = f"/console/enterprises/{acme.made['id']}"

    for path in ("/suspend", "/reactivate"):
        administrator.post(f"{base}{path}", 404, reason="x")

    assert acme.send("GET", "/Users").status_code == 200


def test_the_commands_show_a_suspension(acme: Enterprise, cli: Cli) -> None:
    suspended = cli("enterprise", "suspend", "Acme", "--reason", "The contract ended")
    shown = cli("enterprise", "show", "Acme")
    [listed] = cli("enterprise", "list")
    reactivated = cli("enterprise", "reactivate", "Acme")

    assert suspended == shown == listed
    assert (shown["suspended"], shown["suspension"]) == (True, "The contract ended")
    assert (reactivated["suspended"], reactivated["suspension"]) == (False, None)


@pytest.mark.parametrize("reason", ["two\nlines", "\x1b[31m", "x" * 501])
def test_a_reason_is_one_line(acme: Enterprise, cli: Cli, reason: str) -> None:
    with pytest.raises(AssertionError, match="Enter"):
        cli("enterprise", "suspend", "Acme", "--reason", reason)

    assert acme.send("GET", "/Users").status_code == 200


# The removal limit.

CAP = {"users": 10, "percent": 20, "hours": 24}
ALLOWED = [CAP, CAP | {"users": 9}, CAP | {"percent": 1}, CAP | {"hours": 48}, CAP | {"users": 0, "percent": 1}]
REFUSED = [None, CAP | {"users": 11}, CAP | {"percent": 21}, CAP | {"hours": 23}, {"users": 10}, {"percent": 20}]


@pytest.fixture
def capped(acme: Enterprise) -> Enterprise:
    with acme.app.app_context():
        enterprises.update_enterprise("Acme", {"removal_limit": CAP}, by_operator=True)
    return acme


@pytest.mark.parametrize("limit", ALLOWED, ids=str)
def test_the_enterprise_may_lower_the_operators_limit(capped: Enterprise, limit: dict[str, int]) -> None:
    api = make_api(capped)

    lowered = api.send("PATCH", "/enterprise", {"removal_limit": limit})
    raised_again = api.send("PATCH", "/enterprise", {"removal_limit": CAP})

    assert (lowered.status_code, lowered.get_json()["removal_limit"]) == (200, limit)
    assert (raised_again.status_code, raised_again.get_json()["removal_limit"]) == (200, CAP)


@pytest.mark.parametrize("limit", REFUSED, ids=str)
def test_the_enterprise_cannot_raise_the_operators_limit(capped: Enterprise, limit: dict[str, int] | None) -> None:
    answer = make_api(capped).send("PATCH", "/enterprise", {"removal_limit": limit})

    assert answer.status_code == 403
    assert "limits removals in Acme to 10 users or 20 percent within 24 hours" in answer.get_json()["detail"]
    with capped.app.app_context():
        assert enterprises.show_enterprise("Acme")["removal_limit"] == CAP


def test_only_the_operator_releases_the_operators_limit(capped: Enterprise, cli: Cli) -> None:
    administrator = Console(capped.app, make_admin(capped.app, "admin@x.example", "Acme"))
    settings = f"/console/enterprises/{capped.made['id']}/settings"

    shown = administrator.get(settings)
    administrator.post(f"{settings}/release", 403)
    administrator.post(f"{settings}/no-removal-limit", 403)
    released = cli("enterprise", "release", "Acme")

    assert "allows at most 10 users or 20 percent within 24 hours" in shown
    assert "Remove limit" not in shown
    assert released["released_until"] is not None


def test_a_refused_removal_names_who_can_allow_it(acme: Enterprise) -> None:
    user = acme.create()
    with acme.app.app_context():
        enterprises.update_enterprise("Acme", {"removal_limit": {"users": 0}}, by_operator=True)

    answer = acme.patch(user, replace("active", False))

    assert_scim_error(answer, 503, None, "ask the operator of this service to allow them")


def test_the_operator_can_remove_the_limit(capped: Enterprise, cli: Cli) -> None:
    cli("enterprise", "update", "Acme", "--no-removal-limit")

    answer = make_api(capped).send("PATCH", "/enterprise", {"removal_limit": {"users": 100}})

    assert answer.status_code == 200


def test_an_enterprise_without_an_operators_limit_decides_itself(acme: Enterprise) -> None:
    api = make_api(acme)

    statuses = [
        api.send("PATCH", "/enterprise", {"removal_limit": limit}).status_code
        for limit in ({"users": 1}, {"users": 1000}, None)
    ]

    assert statuses == [200, 200, 200]


def test_explaining_shows_the_suspension(suspended: Enterprise) -> None:
    body = {"method": "GET", "path": "/Users"}

    with suspended.app.app_context():
        explained = explain("Acme", body, base="http://localhost/api/scim/v2")

    assert (explained["status"], explained["outcome"]) == (403, "refused")
