"""The rate limit: requests of an enterprise per second."""

import pytest

from scimsvc.auth.rate_limit import RateLimit
from scimsvc.protocol.errors import TooManyRequests
from tests.support.apps import make_enterprise
from tests.support.client import assert_scim_error, user_body
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
    assert [request_token(busy).status_code for _ in range(5)] == [200] * 5
