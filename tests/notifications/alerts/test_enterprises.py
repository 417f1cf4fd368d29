"""Refusals, the removal limit, silent providers and disabled webhooks raise alerts that close by themselves."""

from typing import Any

import pytest
from sqlalchemy import event

from scimsvc.extensions import db
from scimsvc.store.fast import driver
from tests.support.alerts import AlertWatch
from tests.support.apps import make_enterprise
from tests.support.client import Enterprise, replace, user_body
from tests.support.types import Cli


def refuse(enterprise: Enterprise, number: int, role: str = "Unknown") -> None:
    body = user_body(f"refused{number}@x.example", roles=[{"value": role, "primary": True}])
    assert enterprise.send("POST", "/Users", body).status_code == 400


def accept(enterprise: Enterprise, number: int) -> None:
    assert enterprise.send("POST", "/Users", user_body(f"refused{number}@x.example")).status_code == 201


@pytest.fixture
def threshold(cli: Cli) -> int:
    """The number of refusals that raises an alert."""
    assert cli("enterprise", "update", "Acme", "--alert-refusals", "3")["alert_refusals"] == 3
    return 3


# Refusals.


def test_refusals_from_the_threshold_on_are_told_once_with_their_causes(watch: AlertWatch, threshold: int) -> None:
    for number in range(threshold - 1):
        refuse(watch.enterprise, number)
    assert watch.check() == []

    refuse(watch.enterprise, threshold, "Other")
    assert watch.check() == [("refusals", 0, False)]
    refuse(watch.enterprise, threshold + 1)
    assert watch.check_in(days=2) == []

    (announced,) = watch.events()
    assert announced["title"] == "3 requests from the identity provider refused"
    assert announced["url"] == f"/console/enterprises/{watch.enterprise.made['id']}"
    assert (announced["refusals"], announced["threshold"], announced["more_causes"]) == (3, 3, 0)
    assert [(cause["title"], cause["refusals"]) for cause in announced["causes"]] == [
        ("Unknown role “Unknown”", 2),
        ("Unknown role “Other”", 1),
    ]


def test_the_alert_closes_when_the_requests_succeed_and_is_quiet_for_a_day(watch: AlertWatch, threshold: int) -> None:
    for number in range(threshold):
        refuse(watch.enterprise, number)
    assert len(watch.check()) == 1
    accept(watch.enterprise, 0)
    assert watch.check() == []
    for number, hours in ((10, 1), (11, 22)):
        refuse(watch.enterprise, number)
        assert watch.check_in(hours=hours) == []  # opened again
        accept(watch.enterprise, number)
        assert watch.check() == []

    refuse(watch.enterprise, 12)
    assert watch.check_in(hours=1) == [("refusals", 0, False)]


def test_refusals_that_people_chose_or_fixed_do_not_count(watch: AlertWatch, threshold: int, cli: Cli) -> None:
    cli("enterprise", "pause", "Acme")
    for number in range(threshold + 1):
        assert watch.enterprise.send("POST", "/Users", user_body(f"{number}@x.example")).status_code == 503
    cli("enterprise", "resume", "Acme")
    for number in range(threshold):
        refuse(watch.enterprise, number, "Sales")
    cli("role", "add", "Acme", "Sales")

    assert watch.check() == []


def test_no_threshold_means_no_alert(watch: AlertWatch, cli: Cli) -> None:
    assert cli("enterprise", "show", "Acme")["alert_refusals"] == 10
    assert cli("enterprise", "update", "Acme", "--no-alert-refusals")["alert_refusals"] is None
    for number in range(12):
        refuse(watch.enterprise, number)

    assert watch.check() == []


# The removal limit.


def test_a_reached_removal_limit_is_announced_daily_until_it_is_released(watch: AlertWatch, cli: Cli) -> None:
    acme = watch.enterprise
    cli("enterprise", "update", "Acme", "--removal-limit", "2", "--removal-hours", "72")
    users = [acme.create(email=f"{number}@x.example") for number in range(4)]
    statuses = [acme.patch(user, replace("active", False)).status_code for user in users]

    assert (statuses, watch.check()) == ([200, 200, 503, 503], [("removal_limit", 0, False)])
    assert watch.check_in(hours=23) == []
    assert watch.check_in(hours=2) == [("removal_limit", 0, True)]
    announced = watch.events()[0]
    assert announced["title"] == "Removal limit reached: 2 users disabled or deleted within 72 hours"
    assert {name: announced[name] for name in ("removed", "limit", "hours", "waiting")} == {
        "removed": 2, "limit": 2, "hours": 72, "waiting": 2,
    }  # fmt: skip

    cli("enterprise", "release", "Acme")
    assert watch.check_in(days=2) == []


# Silent providers.


def run_cycles(watch: AlertWatch, number: int) -> None:
    for _ in range(number):
        watch.use(watch.enterprise.token)
        watch.keep_checking(minutes=40)


def test_a_silent_provider_is_announced_and_the_alert_closes_with_its_next_request(watch: AlertWatch) -> None:
    run_cycles(watch, 5)
    assert watch.keep_checking(hours=1) == []

    assert watch.keep_checking(hours=1) == [("silent", 0, False)]

    announced = watch.events()[0]
    assert announced["title"] == "No more requests from Entra"
    assert (announced["usual_cycle_minutes"], announced["integration"], announced["is_urgent"]) == (
        40,
        "Microsoft Entra ID",
        True,
    )
    watch.use(watch.enterprise.token)
    assert watch.check_in(minutes=5) == []


def test_a_provider_is_not_silent_while_the_service_was_down(watch: AlertWatch) -> None:
    run_cycles(watch, 5)
    watch.restart()
    assert watch.check_in(hours=6) == []
    assert watch.keep_checking(minutes=30) == []
    watch.use(watch.enterprise.token)

    assert watch.keep_checking(hours=2) == []


def test_a_provider_that_is_still_silent_after_a_pause_of_the_service_is_announced(watch: AlertWatch) -> None:
    run_cycles(watch, 5)
    watch.restart()
    assert watch.check_in(hours=6) == []

    assert watch.keep_checking(hours=1, minutes=10) == [("silent", 0, False)]


def test_a_revoked_token_is_no_silence(watch: AlertWatch, cli: Cli) -> None:
    run_cycles(watch, 5)
    cli("token", "revoke", cli("token", "list", "Acme")[0]["id"])

    assert watch.keep_checking(hours=4) == []


# All enterprises.


def test_a_check_costs_the_same_statements_for_many_enterprises(
    watch: AlertWatch, threshold: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(threshold):
        refuse(watch.enterprise, number)
    assert len(watch.check()) == 1
    alone = count_statements(watch, monkeypatch)
    others = [make_enterprise(watch.enterprise.app, f"Other {number}") for number in range(3)]
    for number in range(threshold):
        refuse(others[0], number)
    assert watch.check() == []  # the threshold of the others is 10

    assert count_statements(watch, monkeypatch) == alone <= 10
    assert {announced["enterprise"] for announced in watch.events()} == {"Acme"}


def count_statements(watch: AlertWatch, monkeypatch: pytest.MonkeyPatch) -> int:
    count, execute = [0], driver.execute

    def counting(*args: Any) -> Any:
        count[0] += 1
        return execute(*args)

    def note(*_: Any) -> None:
        count[0] += 1

    monkeypatch.setattr(driver, "execute", counting)
    with watch.enterprise.app.app_context():
        event.listen(db.engine, "before_cursor_execute", note)
        watch.check()
        event.remove(db.engine, "before_cursor_execute", note)
    return count[0]
