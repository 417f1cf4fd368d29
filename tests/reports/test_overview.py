"""The overview of an enterprise: users, provisioning over time, tokens, and settings that stop writes."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from scimsvc import clock
from scimsvc.enterprises import enterprises
from scimsvc.reports import overview
from scimsvc.reports.hourly_counts import RANGES, HourlyCounts
from tests.support.apps import run_command
from tests.support.client import Enterprise, replace, user_body
from tests.support.types import Cli

NOON = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)


def overview_of(
    enterprise: Enterprise, cache: HourlyCounts | None = None, time_range: str = "24h", zone: tzinfo = UTC
) -> dict[str, Any]:
    with enterprise.app.app_context():
        return overview.show_overview(
            enterprise.made["id"], cache or HourlyCounts(), time_range=RANGES[time_range], zone=zone
        )


def at(monkeypatch: pytest.MonkeyPatch, instant: datetime) -> None:
    monkeypatch.setattr(clock, "now", lambda: instant)


def counts(spans: list[dict[str, Any]]) -> dict[str, tuple[int, ...]]:
    """Return the counts of the spans that have any, by the start of the span."""
    series = ("created", "changed", "disabled", "refused")
    counted = {span["start"]: tuple(span[name] for name in series) for span in spans}
    return {start: numbers for start, numbers in counted.items() if any(numbers)}


def test_an_enterprise_without_anything_has_an_overview(acme: Enterprise) -> None:
    seen = overview_of(acme)

    assert seen["users"]["total"] == 0
    assert {role["name"]: role["users"] for role in seen["users"]["roles"]} == {
        "DefaultEnterprise": 0, "Power Signer": 0, "SigningHub_Admin": 0, "User": 0,
    }  # fmt: skip
    assert (seen["last_success"], seen["last_request"], seen["causes"]) == (None, None, [])
    assert seen["stops"] == {"scim_enabled": True, "paused": False, "removal_limit": None}
    assert len(seen["provisioning"]) == 24
    assert len(overview_of(acme, time_range="30d")["provisioning"]) == 30


def test_users_are_counted_by_state_and_role(acme: Enterprise) -> None:
    acme.create(email="a@x.example", roles=[{"value": "User"}])
    acme.create(email="b@x.example", roles=[{"value": "User"}], active=False)
    acme.create(email="c@x.example")
    acme.create(email="d@x.example", roles=[{"value": "DefaultEnterprise"}])

    users = overview_of(acme)["users"]

    assert (users["total"], users["active"], users["disabled"]) == (4, 3, 1)
    assert [(role["name"], role["users"]) for role in users["roles"]][:2] == [("DefaultEnterprise", 2), ("User", 2)]


def test_provisioning_is_counted_by_hour_and_day(acme: Enterprise, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, NOON - timedelta(days=3))
    token = {"token": run_command(acme.app, "token", "issue", "Acme", "--days", "30")["access_token"]}
    acme.token = token["token"]
    user = acme.create()
    at(monkeypatch, NOON - timedelta(hours=2))
    acme.patch(user, replace("title", "Boss"))
    acme.patch(user, replace("title", "Boss"))
    acme.patch(user, replace("active", False))
    acme.send("POST", "/Users", user_body("other@x.example", roles=[{"value": "Nobody"}]))
    at(monkeypatch, NOON)
    acme.patch(user, replace("active", True))
    acme.send("DELETE", f"/Users/{user['id']}")

    cache = HourlyCounts()
    hours = overview_of(acme, cache)["provisioning"]
    days = overview_of(acme, cache, "30d")["provisioning"]

    assert counts(hours) == {
        "2026-11-24T10:00:00.000Z": (0, 1, 1, 1),
        "2026-11-24T12:00:00.000Z": (0, 1, 1, 0),
    }
    assert counts(days) == {
        "2026-11-21T00:00:00.000Z": (1, 0, 0, 0),
        "2026-11-24T00:00:00.000Z": (0, 2, 2, 1),
    }
    assert counts(overview_of(acme, cache)["provisioning"]) == counts(hours)
    assert counts(overview_of(acme, cache, "30d")["provisioning"]) == counts(days)
    assert hours[-1]["start"] == "2026-11-24T12:00:00.000Z"
    assert days[0]["start"] == "2026-10-26T00:00:00.000Z"
    assert (hours[-1]["end"], days[0]["end"]) == ("2026-11-24T12:30:00.000Z", "2026-10-27T00:00:00.000Z")


def test_days_begin_at_midnight_in_the_time_zone(acme: Enterprise, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, datetime(2026, 11, 23, 23, 30, tzinfo=UTC))
    acme.token = run_command(acme.app, "token", "issue", "Acme", "--days", "30")["access_token"]
    acme.create()
    at(monkeypatch, NOON)
    berlin = ZoneInfo("Europe/Berlin")

    days = overview_of(acme, time_range="30d", zone=berlin)["provisioning"]
    quarters = overview_of(acme, time_range="7d", zone=berlin)["provisioning"]

    assert list(counts(days)) == ["2026-11-23T23:00:00.000Z"]
    assert list(counts(quarters)) == ["2026-11-23T23:00:00.000Z"]
    assert [span["start"] for span in days[:2]] == ["2026-10-25T23:00:00.000Z", "2026-10-26T23:00:00.000Z"]
    assert (len(days), len(quarters), quarters[-1]["start"]) == (30, 28, "2026-11-24T11:00:00.000Z")


def test_hours_that_are_over_are_remembered_and_the_last_one_is_not(
    acme: Enterprise, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme.token = run_command(acme.app, "token", "issue", "Acme", "--days", "30")["access_token"]
    now = clock.now().replace(minute=30)
    cache = HourlyCounts()
    at(monkeypatch, now)
    user = acme.create()
    first = counts(overview_of(acme, cache)["provisioning"])
    acme.patch(user, replace("title", "Boss"))
    at(monkeypatch, now + timedelta(hours=1))
    acme.patch(user, replace("title", "Lead"))

    later = overview_of(acme, cache)["provisioning"]

    assert list(first.values()) == [(1, 0, 0, 0)]
    assert list(counts(later).values()) == [(1, 1, 0, 0), (0, 1, 0, 0)]
    assert counts(overview_of(acme, cache)["provisioning"]) == counts(later)


def test_another_enterprises_users_and_log_are_not_counted(acme: Enterprise, cli: Cli) -> None:
    acme.create()
    made = cli("enterprise", "create", "Other", "--enable-scim")

    seen = overview_of(Enterprise(acme.app, made, ""))

    assert seen["users"]["total"] == 0
    assert counts(seen["provisioning"]) == {}
    assert seen["tokens"] == []


@pytest.mark.parametrize(
    ("days", "state"), [(20, "good"), (15, "good"), (14, "soon"), (4, "soon"), (3, "urgent"), (2, "urgent")]
)
def test_a_token_near_its_expiry_is_marked(app: Any, cli: Cli, days: int, state: str) -> None:
    made = cli("enterprise", "create", "Acme", "--enable-scim")
    cli("token", "issue", "Acme", "--days", str(days))

    (token,) = overview_of(Enterprise(app, made, ""))["tokens"]

    assert token["state"] == state
    assert days - 1 < token["days_left"] <= days
    assert "access_token" not in token


def test_expired_and_self_renewed_tokens_need_no_attention(app: Any, cli: Cli) -> None:
    made = cli("enterprise", "create", "Acme", "--enable-scim")
    cli("token", "revoke", cli("token", "issue", "Acme")["id"])
    cli("token", "issue", "Acme", "--api")
    app.test_client().post(
        "/api/authenticate",
        data={
            "grant_type": "client_credentials",
            "client_id": made["client_id"],
            "client_secret": made["client_secret"],
            "scope": "scim",
        },
    )

    seen = overview_of(Enterprise(app, made, ""))

    assert (seen["tokens"], seen["fetches_tokens"]) == ([], True)


def test_settings_that_stop_writes_are_reported(acme: Enterprise) -> None:
    user = acme.create()
    with acme.app.app_context():
        enterprises.update_enterprise("Acme", {"paused": True, "removal_limit": {"users": 1, "hours": 24}})
    assert overview_of(acme)["stops"]["paused"] is True
    with acme.app.app_context():
        enterprises.update_enterprise("Acme", {"paused": False})
    acme.patch(user, replace("active", False))

    removal_limit = overview_of(acme)["stops"]["removal_limit"]

    assert removal_limit == {"is_reached": True, "removed": 1, "limit": 1, "hours": 24, "released_until": None}


def test_the_last_success_and_the_last_request_are_reported(acme: Enterprise) -> None:
    acme.send("POST", "/Users", user_body()).close()  # uses are stored after the response

    seen = overview_of(acme)

    assert seen["last_success"] is not None
    assert seen["last_request"] is not None
