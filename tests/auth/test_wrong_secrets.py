"""Wrong client secrets are counted for each client and address, without stopping honest clients."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, text

from scimsvc import clock, fast_paths
from scimsvc.auth.attempts import Attempts, limit
from scimsvc.auth.throttling import MOST_FOR_CLIENT, MOST_SECRETS_FROM_ADDRESS, MOST_WRONG
from scimsvc.extensions import db
from tests.support.apps import make_enterprise
from tests.support.client import Enterprise
from tests.support.tokens import request_token
from tests.support.types import MakeApp


@pytest.fixture
def advance(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Advance the clock by a number of seconds. Otherwise it does not move."""
    times = [clock.now()]
    monkeypatch.setattr(clock, "now", lambda: times[-1])
    return lambda seconds: times.append(times[-1] + timedelta(seconds=seconds))


def _from(address: str) -> dict[str, Any]:
    return {"environ_base": {"REMOTE_ADDR": address}}


def wrong(enterprise: Enterprise, **options: Any) -> list[int]:
    return [request_token(enterprise, client_secret=f"wrong {n}", **options).status_code for n in range(MOST_WRONG)]


@pytest.mark.requirement("R38")
def test_twenty_wrong_secrets_are_enough(acme: Enterprise) -> None:
    assert wrong(acme) == [401] * 20

    for answer in (
        request_token(acme, client_secret="wrong"),
        request_token(acme),
        request_token(acme, path="/api/revoke"),
    ):
        assert (answer.status_code, answer.headers["Content-Type"]) == (429, "application/json")
        assert set(answer.get_json()) == {"error", "error_description"}
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.requirement("R38")
def test_a_valid_token_still_works_after_wrong_secrets(acme: Enterprise) -> None:
    wrong(acme)

    assert request_token(acme).status_code == 429
    assert acme.send("GET", "/Users").status_code == 200
    assert acme.create()["active"] is True


def test_another_client_and_another_address_are_not_limited(app: Flask, acme: Enterprise) -> None:
    other = make_enterprise(app, "Other")
    wrong(acme)

    assert request_token(acme).status_code == 429
    assert request_token(other).status_code == 200
    assert request_token(acme, environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 200


def test_an_unknown_client_is_counted_like_a_known_one(acme: Enterprise) -> None:
    for client_id in ("unknown", "\0", "é"):
        assert wrong(acme, client_id=client_id) == [401] * 20
        assert request_token(acme, client_id=client_id).status_code == 429
    assert request_token(acme).status_code == 200


def test_right_secrets_are_not_counted(acme: Enterprise) -> None:
    assert [request_token(acme).status_code for _ in range(2 * MOST_WRONG)] == [200] * 2 * MOST_WRONG
    assert wrong(acme)[:-1] == [401] * (MOST_WRONG - 1)


@pytest.mark.parametrize(("proxies", "status"), [(0, 429), (1, 200)], ids=["none trusted", "one trusted"])
def test_an_address_is_what_a_trusted_proxy_says(make_app: MakeApp, proxies: int, status: int) -> None:
    enterprise = make_enterprise(make_app(TRUSTED_PROXIES=proxies), "Behind")
    wrong(enterprise, headers={"X-Forwarded-For": "192.0.2.1"})

    assert request_token(enterprise, headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 429
    assert request_token(enterprise, headers={"X-Forwarded-For": "192.0.2.2"}).status_code == status
    assert request_token(enterprise, headers={"X-Forwarded-For": "192.0.2.2, 192.0.2.1"}).status_code == 429


def test_the_limit_ends_a_minute_after_the_first_wrong_secret(
    acme: Enterprise, advance: Callable[[float], None]
) -> None:
    for _ in range(MOST_WRONG):
        assert request_token(acme, client_secret="wrong").status_code == 401
        advance(1)

    refused = request_token(acme)

    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "40")
    advance(39)
    assert request_token(acme).status_code == 429
    advance(1)
    assert request_token(acme).status_code == 200


def test_slow_mistakes_are_never_limited(acme: Enterprise, advance: Callable[[float], None]) -> None:
    for _ in range(4 * MOST_WRONG):
        assert request_token(acme, client_secret="wrong").status_code == 401
        advance(60 / (MOST_WRONG - 1))


def test_counts_from_before_the_clock_was_set_back_are_ignored(
    acme: Enterprise, advance: Callable[[float], None]
) -> None:
    wrong(acme)

    advance(-86_400)

    assert wrong(acme) == [401] * MOST_WRONG
    assert request_token(acme).status_code == 429
    advance(60)
    assert request_token(acme).status_code == 200


def test_a_second_process_of_the_database_counts_on(acme: Enterprise, make_app: MakeApp) -> None:
    other = Enterprise(make_app(), acme.made, acme.token)
    statuses = [
        request_token(each, client_secret="wrong").status_code for _ in range(MOST_WRONG // 2) for each in (acme, other)
    ]

    assert statuses == [401] * MOST_WRONG
    assert [request_token(each).status_code for each in (acme, other)] == [429, 429]


def test_a_stranger_on_the_same_address_does_not_stop_a_client_that_was_right_before(
    acme: Enterprise, make_app: MakeApp
) -> None:
    other = Enterprise(make_app(), acme.made, acme.token)
    assert request_token(acme).status_code == 200
    wrong(acme)

    assert [request_token(each).status_code for each in (acme, other)] == [200, 200]
    assert request_token(acme, client_secret="wrong").status_code == 429
    assert request_token(acme, **_from("192.0.2.7")).status_code == 200


def test_strangers_on_many_addresses_do_not_stop_the_right_secret(acme: Enterprise) -> None:
    statuses = [
        request_token(acme, client_secret="wrong", **_from(f"192.0.2.{n}")).status_code for n in range(MOST_FOR_CLIENT)
    ]

    assert statuses == [401] * MOST_FOR_CLIENT
    assert request_token(acme, client_secret="wrong", **_from("192.0.2.200")).status_code == 429
    assert request_token(acme, **_from("192.0.2.200")).status_code == 200


def test_an_address_that_tries_many_clients_is_refused_until_it_is_right(acme: Enterprise) -> None:
    statuses = [request_token(acme, client_id=f"client {n}").status_code for n in range(MOST_SECRETS_FROM_ADDRESS)]

    assert statuses == [401] * MOST_SECRETS_FROM_ADDRESS
    assert request_token(acme, client_id="another").status_code == 429
    assert request_token(acme).status_code == 200


def test_addresses_of_one_ipv6_network_count_as_one(acme: Enterprise) -> None:
    for n in range(MOST_WRONG):
        assert request_token(acme, client_secret="wrong", **_from(f"2001:db8::{n:x}:1")).status_code == 401

    assert request_token(acme, **_from("2001:db8::ffff:1")).status_code == 429
    assert request_token(acme, **_from("2001:db8:0:1::1")).status_code == 200


def test_a_refused_attempt_writes_nothing_and_a_right_one_reads_once(acme: Enterprise) -> None:
    statements: list[str] = []
    request_token(acme)
    with acme.app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    with fast_paths.disabled():
        assert request_token(acme).status_code == 200
        of_right = [each for each in statements if "attempts" in each]
        wrong(acme)
        statements.clear()
        assert request_token(acme, client_secret="wrong").status_code == 429

    assert len(of_right) == 1
    assert [each.split()[0] for each in statements if each.split()[0] not in ("BEGIN", "ROLLBACK")] == ["SELECT"] * 2


def test_counts_that_have_expired_are_deleted(acme: Enterprise, advance: Callable[[float], None]) -> None:
    for n in range(10):
        request_token(acme, client_id=f"client {n}", **_from(f"192.0.2.{n}"))
    advance(61)

    request_token(acme, client_secret="wrong")

    with acme.app.app_context(), db.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM attempts")).scalar_one() == 4


def test_simultaneous_attempts_are_counted_before_they_are_made(app: Flask) -> None:
    attempts, limits = Attempts(), [limit(5, "pair"), limit(100, "all")]
    begin = threading.Barrier(16)
    waits: list[int] = []

    def attempt() -> None:
        with app.app_context():
            begin.wait()
            waits.append(attempts.take(limits))

    threads = [threading.Thread(target=attempt) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(wait > 0 for wait in waits) == [False] * 5 + [True] * 11
    with app.app_context(), db.engine.connect() as connection:
        counts = connection.execute(text("SELECT count FROM attempts")).scalars()
        assert sorted(counts) == [5, 5]


def test_the_process_counts_while_the_database_cannot_be_written(acme: Enterprise) -> None:
    with acme.app.app_context(), db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE attempts RENAME TO elsewhere"))
    try:
        assert wrong(acme) == [401] * MOST_WRONG
        assert request_token(acme).status_code == 429
        assert request_token(acme, **_from("192.0.2.7")).status_code == 200
    finally:
        with acme.app.app_context(), db.engine.begin() as connection:
            connection.execute(text("ALTER TABLE elsewhere RENAME TO attempts"))
