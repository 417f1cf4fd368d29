"""The rate limit: requests of an enterprise per second, counted apart for each kind of path."""

import pytest
from flask import Flask

from scimsvc.auth import rate_limit as limits
from scimsvc.auth.rate_limit import API, CONSOLE, LOWEST_OTHER_RATE, SCIM, TOKEN, RateLimit
from scimsvc.protocol.errors import TooManyRequests
from tests.support.apps import make_api, make_enterprise
from tests.support.client import assert_scim_error, user_body
from tests.support.console import Console, make_admin, of, text
from tests.support.tokens import request_token
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


def admitted(limit: RateLimit, enterprise: str = "a", most: int = 1000, kind: str = SCIM) -> int:
    """Return the number of simultaneous requests that ``limit`` allows."""
    for number in range(most):
        try:
            limit.take(enterprise, kind)
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
    assert [request_token(busy).status_code for _ in range(5)] == [200] * 5


@pytest.mark.parametrize("kind", [API, TOKEN, CONSOLE])
def test_other_requests_are_counted_apart_at_a_rate_that_people_can_work_with(clock: Clock, kind: str) -> None:
    slow, fast = RateLimit(0.5, clock), RateLimit(50, clock)
    for limit in (slow, fast):
        admitted(limit)

    assert admitted(slow, kind=kind) == LOWEST_OTHER_RATE
    assert admitted(fast, kind=kind) == 50
    assert admitted(fast, kind=kind) == 0


def test_buckets_are_bounded_and_the_oldest_are_forgotten(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_MOST_BUCKETS", 3)
    limit = RateLimit(1, clock)
    for enterprise in ("a", "b", "c"):
        admitted(limit, enterprise)

    assert [admitted(limit, enterprise) for enterprise in ("a", "b", "c")] == [0, 0, 0]
    admitted(limit, "d")
    assert admitted(limit, "a") == 1
    assert len(limit._buckets) == 3


def test_the_rate_covers_the_enterprise_api_the_token_endpoint_and_the_console(app: Flask, clock: Clock) -> None:
    limits.rate_limit.init_app(app, RateLimit(10, clock))
    busy, quiet = make_enterprise(app, "Busy"), make_enterprise(app, "Quiet")
    api, other = make_api(busy), make_api(quiet)
    console = Console(app, make_admin(app, "admin@busy.example", "Busy"))
    operator = Console(app, make_admin(app, "operator@example.com"))

    problems = [api.send("GET", "/roles") for _ in range(11)]
    tokens = [request_token(busy) for _ in range(11)]
    pages = [console.send("GET", of(busy)) for _ in range(11)]

    for answers in (problems, tokens, pages):
        assert [each.status_code for each in answers] == [200] * 10 + [429]
    problem, refused, page = problems[-1], tokens[-1], pages[-1]
    assert problem.mimetype == "application/problem+json"
    assert problem.get_json()["detail"] == "More than 10 API requests a second were sent. Retry in 1 s."
    assert refused.mimetype == "application/json"
    assert refused.get_json()["error_description"] == "More than 10 token requests a second were sent. Retry in 1 s."
    assert page.mimetype == "text/html"
    assert "More than 10 console requests a second" in text(page.text)
    assert [each.headers["Retry-After"] for each in (problem, refused, page)] == ["1"] * 3
    assert busy.send("GET", "/Users").status_code == 200
    assert other.send("GET", "/roles").status_code == 200
    assert operator.send("GET", of(busy)).status_code == 200
