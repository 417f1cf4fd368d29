"""A SCIM token near its end raises an alert at each stage, unless its successor is in use."""

import logging

import pytest

from tests.support.alerts import AlertWatch
from tests.support.client import Enterprise
from tests.support.types import Cli


@pytest.fixture
def token(acme: Enterprise, cli: Cli, watch: AlertWatch) -> str:
    """A token for 40 days that is in use. The token of ``acme`` is revoked."""
    for each in cli("token", "list", "Acme"):
        cli("token", "revoke", each["id"])
    token: str = cli("token", "issue", "Acme", "--days=40", "--name", "Entra production")["access_token"]
    watch.use(token)
    return token


def test_each_stage_is_announced_once_and_the_urgent_ones_daily(watch: AlertWatch, token: str) -> None:
    announced = {day: watch.check_in(days=1) for day in range(1, 50)}

    assert {day: events for day, events in announced.items() if events} == {
        **{40 - days: [("token_expiring", days, False)] for days in (30, 14, 7, 3, 1)},
        38: [("token_expiring", 3, True)],
        40: [("token_expiring", 0, False)],
        **{day: [("token_expiring", 0, True)] for day in range(41, 47)},
    }


def test_an_event_has_what_a_person_needs(
    watch: AlertWatch, token: str, cli: Cli, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("scimsvc").propagate = True
    watch.check_in(days=34)
    (listed,) = (each for each in cli("token", "list", "Acme") if each["revoked_at"] is None)

    (event,) = watch.events()

    assert event == {
        "type": "alert.token_expiring",
        "enterprise_id": watch.enterprise.made["id"],
        "enterprise": "Acme",
        "since": event["since"],
        "is_reminder": False,
        "is_urgent": False,
        "title": "SCIM token “Entra production” expires within 7 days",
        "url": f"/console/enterprises/{watch.enterprise.made['id']}/tokens/{listed['id']}/rotate",
        "token_id": listed["id"],
        "token_name": "Entra production",
        "integration_id": event["integration_id"],
        "integration": "Microsoft Entra ID",
        "client_id": listed["client_id"],
        "provider": None,
        "expires_at": listed["expires_at"],
        "days_left": 7,
        "was_used": True,
    }
    (warning,) = (record.getMessage() for record in caplog.records if record.levelname == "WARNING")
    assert warning == (
        "Acme: SCIM token “Entra production” expires within 7 days. Create a new token and enter it as the Secret Token "
        "in Entra. The old token can stay valid until the new one is in use."
    )


def test_a_successor_ends_the_alert_when_it_is_in_use(watch: AlertWatch, token: str, cli: Cli) -> None:
    watch.time.move(days=38)
    watch.use(token)
    assert watch.check() == [("token_expiring", 3, False)]

    successor = cli("token", "issue", "Acme", "--days=365")["access_token"]
    assert watch.check_in(days=1.5) == [("token_expiring", 1, False)]  # not entered in Entra
    watch.use(successor)

    assert [watch.check_in(days=1) for _ in range(3)] == [[], [], []]
    assert cli("token", "list", "Acme")[-1]["days_left"] > 300


def test_two_tokens_in_use_at_the_same_time_both_count(watch: AlertWatch, token: str, cli: Cli) -> None:
    other = cli("token", "issue", "Acme", "--days=365")["access_token"]
    watch.time.move(days=38)
    watch.use(token)
    watch.time.move(minutes=30)
    watch.use(other)

    assert watch.check() == [("token_expiring", 3, False)]


def test_an_unused_token_counts_only_while_no_other_is_in_use(watch: AlertWatch, cli: Cli) -> None:
    cli("token", "issue", "Acme", "--days=8")
    assert watch.check_in(days=5.5) == [("token_expiring", 3, False), ("token_expiring", 3, False)]

    watch.use(cli("token", "issue", "Acme", "--days=365")["access_token"])

    assert watch.check_in(days=1) == []


@pytest.mark.parametrize("end", ["revoke", "suspend", "scim off"])
def test_an_alert_ends_with_the_token_and_with_provisioning(watch: AlertWatch, token: str, cli: Cli, end: str) -> None:
    assert len(watch.check_in(days=38)) == 1
    if end == "revoke":
        cli("token", "revoke", cli("token", "list", "Acme")[-1]["id"])
    elif end == "suspend":
        cli("enterprise", "suspend", "Acme")
    else:
        cli("enterprise", "update", "Acme", "--no-enable-scim")

    assert watch.check_in(days=1.2) == []


def test_a_stage_that_a_new_token_has_already_reached_does_not_count(watch: AlertWatch) -> None:
    """The token of ``acme`` is valid for a week."""
    announced = [watch.check_in(hours=6) for _ in range(18)]

    assert [events for events in announced if events] == [[("token_expiring", 3, False)]]


def test_a_service_that_was_down_tells_only_the_present_stage(watch: AlertWatch, token: str) -> None:
    assert watch.check_in(days=38.5) == [("token_expiring", 3, False)]


def test_another_process_does_not_tell_again(watch: AlertWatch, token: str) -> None:
    assert len(watch.check_in(days=38)) == 1
    watch.restart()

    assert watch.check_in(minutes=1) == []


def test_an_alert_that_flickers_is_announced_once_a_day(watch: AlertWatch, token: str, cli: Cli) -> None:
    assert watch.check_in(days=30) == [("token_expiring", 14, False)]
    for _ in range(3):
        cli("enterprise", "update", "Acme", "--no-enable-scim")
        assert watch.check_in(minutes=1) == []
        cli("enterprise", "update", "Acme", "--enable-scim")
        assert watch.check_in(minutes=1) == []

    cli("enterprise", "update", "Acme", "--no-enable-scim")
    assert watch.check_in(days=1) == []
    cli("enterprise", "update", "Acme", "--enable-scim")
    assert watch.check_in(minutes=1) == [("token_expiring", 14, False)]


def test_tokens_that_clients_renew_themselves_raise_no_alert(watch: AlertWatch, cli: Cli) -> None:
    for each in cli("token", "list", "Acme"):
        cli("token", "revoke", each["id"])
    watch.use(cli("token", "issue", "Acme", "--days=1")["access_token"])

    assert [watch.check_in(hours=8) for _ in range(5)] == [[]] * 5
