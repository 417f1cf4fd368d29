"""Counters and caches of a process forget their oldest entries."""

from datetime import datetime, timedelta

import pytest

from scimsvc import clock
from scimsvc.activity.refused_clients import Allowance
from scimsvc.auth.last_uses import LastUses
from scimsvc.bounded import Bounded
from scimsvc.protocol.users import USERS
from scimsvc.reports import hourly_counts
from scimsvc.reports.hourly_counts import HourlyCounts
from scimsvc.store.engine.transactions import reading
from scimsvc.store.enterprises import RequestSettings
from scimsvc.vocabulary import SCIM_SCOPE
from scimsvc.web.state import Caller
from tests.support.client import Enterprise, user_body


def test_the_oldest_entries_are_forgotten() -> None:
    bounded: Bounded[str, int] = Bounded(2)
    for key, value in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        bounded.put(key, value)

    assert dict(bounded) == {"a": 3, "c": 4}


def test_the_clients_of_logged_refusals_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Allowance, "MOST_CLIENTS", 2)
    allowance = Allowance()
    for client in ("a", "b", "c"):
        allowance.may_log("enterprise", client)

    assert len(allowance._hours) == 2


def test_uses_are_written_before_their_number_grows(acme: Enterprise, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LastUses, "MOST_NOTED", 3)
    uses = LastUses()
    with acme.app.app_context():
        uses.write()
    now = clock.now()

    assert [uses.note(caller(f"{n}", now), now) for n in range(4)] == [False, False, True, False]


def caller(token_id: str, now: datetime) -> Caller:
    settings = RequestSettings(*[None] * len(RequestSettings._fields))  # type: ignore[arg-type]
    expires_at = now + timedelta(days=1)
    return Caller(
        "enterprise", "Acme", settings, "integration", "Entra", "client", token_id, expires_at, SCIM_SCOPE, USERS, False
    )


def test_the_hours_of_all_reports_are_bounded(acme: Enterprise, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hourly_counts, "_MOST_HOURS", 0)
    acme.send("POST", "/Users", user_body("a@acme.example"))
    counts, now = HourlyCounts(), clock.now() + timedelta(hours=3)

    with acme.app.app_context(), reading() as connection:
        hours = counts.hours(connection, acme.made["id"], first=now - timedelta(hours=9), now=now)

    assert sum(each["created"] for each in hours.values()) == 1
    assert len(counts._settled) == 0
