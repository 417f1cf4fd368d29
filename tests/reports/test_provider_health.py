"""The health of the provider, and the token whose expiry matters."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from scimsvc import clock
from scimsvc.reports.open_causes import OpenCause
from scimsvc.reports.provider_health import ProviderHealth, read_health
from scimsvc.reports.token_expiry import find_expiring
from scimsvc.store.cycles import note_requests
from scimsvc.store.engine.transactions import writing
from scimsvc.store.tenancy import reading_in
from scimsvc.store.tokens import TokenRow
from tests.support.apps import run_command
from tests.support.client import Enterprise

CAUSE = OpenCause(
    key="", cause="unknown-role", title="", advice="", remedies=(), refusals=1, operations={}, people=(), since="",
    last="", detail=None, is_fixed=False, is_on_hold=False, entries=(),
)  # fmt: skip


@pytest.fixture
def health(acme: Enterprise) -> Callable[..., ProviderHealth]:
    def read(*causes: OpenCause, users: int = 10, every: timedelta | None = None) -> ProviderHealth:
        now = clock.now()
        if every is not None:
            (integration,) = run_command(acme.app, "integration", "list", "Acme")
            with acme.app.app_context(), writing() as connection:
                for number in range(4, 0, -1):
                    at = now - number * every
                    note_requests(connection, acme.made["id"], integration["id"], first_at=at, last_at=at)
        with acme.app.app_context(), reading_in("Acme") as tenant:
            return read_health(tenant, causes, users=users, now=now)

    return read


@pytest.mark.parametrize(
    ("refusals", "users", "risk"),
    [
        (4_000, 3_000, "many-failures"),
        (2_400, 10, None),
        (5_000, 7_000, "failures"),
        (5_000, 9_000, "many-failures"),
        (5_000, 90_000, None),
    ],
)
def test_many_failures_are_a_risk_of_quarantine(
    health: Callable[..., ProviderHealth], refusals: int, users: int, risk: str | None
) -> None:
    assert health(replace(CAUSE, refusals=refusals), users=users).risk == risk
    assert health(replace(CAUSE, refusals=refusals, is_fixed=True), users=users).risk is None


def test_refused_credentials_and_daily_cycles_are_signs_of_quarantine(health: Callable[..., ProviderHealth]) -> None:
    first = health()
    assert (first.rhythm, first.is_silent, first.risk) == (None, False, None)
    assert health(replace(CAUSE, cause="token")).risk == "credentials"
    daily = health(every=timedelta(days=1))
    assert (daily.risk, daily.is_running, daily.is_silent) == ("daily", False, False)


def test_a_provider_with_short_cycles_is_healthy(health: Callable[..., ProviderHealth]) -> None:
    seen = health(every=timedelta(minutes=40))

    assert seen.rhythm is not None
    assert (seen.rhythm.usual_cycle, seen.risk) == (timedelta(minutes=40), None)


def token(name: str, expires: str, used: str | None = None, integration: str = "i") -> TokenRow:
    return TokenRow(name, "e", "E", integration, "c", "scim", name, None, None, "2026-01-01", expires, used, None)


@pytest.mark.parametrize(
    ("tokens", "expiring"),
    [
        ([], None),
        ([token("old", "2026-12-01"), token("new", "2027-05-01")], "new"),
        ([token("old", "2026-12-01", "2026-11-01"), token("new", "2027-05-01")], "old"),
        ([token("old", "2026-12-01", "2026-11-01"), token("new", "2027-05-01", "2026-11-02")], "new"),
        ([token("a", "2026-12-01", "2026-11-01"), token("b", "2026-12-24", "2026-11-02", "j")], "a"),
    ],
)
def test_the_token_in_use_or_else_the_last_one_matters(tokens: list[TokenRow], expiring: str | None) -> None:
    found = find_expiring(tokens)

    assert (found.id if found else None) == expiring
