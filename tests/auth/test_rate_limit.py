"""Rate limits: SCIM requests of an enterprise per second, and wrong client secrets per minute."""

from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from scimsvc.auth.errors import TooManyWrongSecrets
from scimsvc.auth.throttling import MOST_WRONG, WINDOW_SECONDS, RateLimit, WrongSecrets
from scimsvc.protocol.errors import TooManyRequests
from tests.support.apps import make_enterprise
from tests.support.client import Enterprise, assert_scim_error, user_body
from tests.support.types import MakeApp


class Clock:
    """A clock that a test advances."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


# Requests per second.


def admitted(limit: RateLimit, enterprise: str = "a", most: int = 1000) -> int:
    """Return the number of simultaneous requests that ``limit`` allows."""
    for number in range(most):
        try:
            limit.take(enterprise)
        except TooManyRequests:
            return number
    return most


def test_without_a_limit_everything_is_allowed(clock: Clock) -> None:
    assert admitted(RateLimit(0, clock)) == 1000


@pytest.mark.parametrize("rate", [1.0, 2.5, 50.0])
def test_a_rate_is_kept_over_time(clock: Clock, rate: float) -> None:
    limit = RateLimit(rate, clock)
    admitted(limit)

    later = []
    for _ in range(100):
        clock.seconds += 0.1
        later.append(admitted(limit))

    assert sum(later) == pytest.approx(rate * 10, abs=1)


def test_unused_requests_are_saved_up_only_to_a_bound(clock: Clock) -> None:
    limit = RateLimit(5, clock)
    burst = admitted(limit)

    clock.seconds += 3600

    assert admitted(limit) == burst
    assert burst < 100


@pytest.mark.parametrize(("rate", "wait"), [(0.01, "100"), (0.4, "3"), (1, "1"), (100, "1")])
def test_a_refusal_says_when_the_next_request_is_allowed(clock: Clock, rate: float, wait: str) -> None:
    limit = RateLimit(rate, clock)
    admitted(limit)

    with pytest.raises(TooManyRequests, match=f"More than {rate:g} SCIM requests a second") as refusal:
        limit.take("a")

    assert refusal.value.headers == {"Retry-After": wait}
    clock.seconds += float(wait)
    assert admitted(limit) >= 1


def test_each_enterprise_has_a_separate_rate(clock: Clock) -> None:
    limit = RateLimit(2, clock)
    admitted(limit, "a")

    assert admitted(limit, "a") == 0
    assert admitted(limit, "b") >= 2


@pytest.mark.requirement("R47")
def test_a_request_over_the_limit_is_a_scim_error(make_app: MakeApp) -> None:
    app = make_app(RATE_LIMIT="0.01")
    busy, quiet = make_enterprise(app, "Busy"), make_enterprise(app, "Quiet")

    answers = [busy.send("POST", "/Users", user_body(f"u{n}@contoso.example")) for n in range(100)]

    refused = [answer for answer in answers if answer.status_code != 201]
    assert 0 < len(refused) < 100
    assert answers[-len(refused) :] == refused
    for answer in refused:
        assert_scim_error(answer, 429, None, "0.01 SCIM requests a second")
        assert 1 <= int(answer.headers["Retry-After"]) <= 100
        assert answer.headers["X-Request-ID"]
    assert_scim_error(busy.send("GET", "/nothing"), 429, None)
    assert quiet.send("GET", "/Users").status_code == 200
    assert busy.send("GET", "/Users", token="x").status_code == 401
    assert app.test_client().get("/healthz").status_code == 200
    assert [ask(busy).status_code for _ in range(5)] == [200] * 5


# Wrong client secrets per minute.


def ask(enterprise: Enterprise, **options: Any) -> TestResponse:
    """Send a token request, by default with the client's credentials."""
    form = {"grant_type": "client_credentials"} | {
        name: enterprise.made[name] for name in ("client_id", "client_secret")
    }
    given = {name: options.pop(name) for name in ("client_id", "client_secret") if name in options}
    path = options.pop("path", "/api/authenticate")
    return enterprise.app.test_client().post(path, data=form | given | {"token": "x"}, **options)


def wrong(enterprise: Enterprise, **options: Any) -> list[int]:
    return [ask(enterprise, client_secret=f"wrong {n}", **options).status_code for n in range(MOST_WRONG)]


@pytest.mark.requirement("R38")
def test_twenty_wrong_secrets_are_enough(acme: Enterprise) -> None:
    assert wrong(acme) == [401] * 20

    for answer in (ask(acme, client_secret="wrong"), ask(acme), ask(acme, path="/api/revoke")):
        assert (answer.status_code, answer.headers["Content-Type"]) == (429, "application/json")
        assert set(answer.get_json()) == {"error", "error_description"}
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.requirement("R38")
def test_a_valid_token_still_works_after_wrong_secrets(acme: Enterprise) -> None:
    wrong(acme)

    assert ask(acme).status_code == 429
    assert acme.send("GET", "/Users").status_code == 200
    assert acme.create()["active"] is True


def test_another_client_and_another_address_are_not_limited(app: Flask, acme: Enterprise) -> None:
    other = make_enterprise(app, "Other")
    wrong(acme)

    assert ask(acme).status_code == 429
    assert ask(other).status_code == 200
    assert ask(acme, environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 200


def test_an_unknown_client_is_counted_like_a_known_one(acme: Enterprise) -> None:
    for client_id in ("unknown", "\0", "é"):
        assert wrong(acme, client_id=client_id) == [401] * 20
        assert ask(acme, client_id=client_id).status_code == 429
    assert ask(acme).status_code == 200


def test_right_secrets_are_not_counted(acme: Enterprise) -> None:
    assert [ask(acme).status_code for _ in range(2 * MOST_WRONG)] == [200] * 2 * MOST_WRONG
    assert wrong(acme)[:-1] == [401] * (MOST_WRONG - 1)


@pytest.mark.parametrize(("proxies", "status"), [(0, 429), (1, 200)], ids=["none trusted", "one trusted"])
def test_an_address_is_what_a_trusted_proxy_says(make_app: MakeApp, proxies: int, status: int) -> None:
    enterprise = make_enterprise(make_app(TRUSTED_PROXIES=proxies), "Behind")
    wrong(enterprise, headers={"X-Forwarded-For": "192.0.2.1"})

    assert ask(enterprise, headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 429
    assert ask(enterprise, headers={"X-Forwarded-For": "192.0.2.2"}).status_code == status
    assert ask(enterprise, headers={"X-Forwarded-For": "192.0.2.2, 192.0.2.1"}).status_code == 429


def test_the_limit_ends_after_a_minute(clock: Clock) -> None:
    secrets = WrongSecrets(clock)
    for _ in range(MOST_WRONG):
        secrets.check("address", "client")
        secrets.note("address", "client")
        clock.seconds += 1

    with pytest.raises(TooManyWrongSecrets) as refusal:
        secrets.check("address", "client")

    assert (MOST_WRONG, WINDOW_SECONDS) == (20, 60)
    assert refusal.value.retry_after == pytest.approx(WINDOW_SECONDS - MOST_WRONG, abs=1)
    clock.seconds += refusal.value.retry_after or 0
    secrets.check("address", "client")


def test_slow_mistakes_are_never_limited(clock: Clock) -> None:
    secrets = WrongSecrets(clock)

    for _ in range(10 * MOST_WRONG):
        secrets.check("address", "client")
        secrets.note("address", "client")
        clock.seconds += WINDOW_SECONDS / (MOST_WRONG - 1)
