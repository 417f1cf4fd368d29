"""One client sends as many requests as it can. Others are answered within a second."""

import itertools
import json
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask import Flask

from scimsvc import clock
from tests.support.attacks import (
    Arena,
    Reply,
    arena,
    assert_answered,
    assert_harmless,
    at_once,
    copy_user,
    fill_log,
    statuses,
)
from tests.support.client import user_body
from tests.support.cpu import crowd
from tests.support.hostile import FORM
from tests.support.live import SCIMSVC
from tests.support.long_runs import LONG, outside_the_database

pytestmark = [pytest.mark.slow, pytest.mark.system]

#: Seconds of an attack that lasts.
SECONDS = 10.0 if LONG else 2.0


@pytest.fixture
def place(app: Flask, tmp_path: Path) -> Iterator[Arena]:
    with arena(app, tmp_path / "live") as made:
        yield made


@outside_the_database
def test_wrong_passwords_from_many_addresses_delay_no_one(place: Arena) -> None:
    page = place.send("GET", "/console/sign-in")
    cookie = page.headers["Set-Cookie"].partition(";")[0]
    token = page.content.decode().partition('name="csrf_token" value="')[2].partition('"')[0]
    headers = {"Content-Type": FORM, "Cookie": cookie, "Referer": place.live.base_url}
    end = time.monotonic() + SECONDS

    def flood(number: int) -> Reply:
        turn = 0
        while True:
            form = {"csrf_token": token, "email": f"u{number}.{turn}@x.example", "password": f"wrong password {turn}"}
            address = f"127.0.{1 + turn % 200}.{1 + number}"
            reply = place.send("POST", "/console/sign-in", urlencode(form), headers, address=address)
            assert_answered([reply], 400, 429, 503)
            turn += 1
            if time.monotonic() > end:
                return reply

    with place.watched() as harm:
        end = time.monotonic() + SECONDS
        at_once(24, flood)

    assert_harmless(harm)


@outside_the_database
def test_wrong_secrets_from_many_addresses_delay_no_one(place: Arena) -> None:
    client_id = place.attacker.made.get("client_id", "x")
    end = time.monotonic() + SECONDS

    def flood(number: int) -> Reply:
        turn = 0
        while True:
            form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": f"wrong{turn}" * 5}
            address = f"127.0.{1 + turn % 200}.{1 + number}"
            reply = place.send("POST", "/api/authenticate", urlencode(form), {"Content-Type": FORM}, address=address)
            assert_answered([reply], 401, 429, 503)
            turn += 1
            if time.monotonic() > end:
                return reply

    with place.watched() as harm:
        end = time.monotonic() + SECONDS
        at_once(24, flood)

    assert_harmless(harm)


def test_fifty_connections_of_one_enterprise_get_no_error_and_delay_no_one(place: Arena) -> None:
    elements = [{"value": f"value {n:<30}", "display": f"display {n:<30}"} for n in range(500)]
    counts: list[dict[int, int]] = []

    def create(number: int) -> Reply:
        replies = [
            place.scim("POST", "/Users", json.dumps(user_body(f"u{number}.{turn}@attacker.example", ims=elements)))
            for turn in range(4)
        ]
        counts.append(statuses(replies))
        return replies[-1]

    with place.watched() as harm:
        at_once(50, create)

    assert counts == [{201: 4}] * 50
    assert_harmless(harm)


def test_a_role_of_many_users_that_is_renamed_again_and_again_delays_no_one(place: Arena) -> None:
    users = 30_000 if LONG else 4_000
    created = place.scim("POST", "/Users", user_body("x@attacker.example", roles=["User"]))
    assert created.status == 201, created.content
    copy_user(place, users)
    names = itertools.cycle(["Member", "User"])
    path = next(f"/roles/{each['id']}" for each in place.api("GET", "/roles").json()["items"] if each["name"] == "User")
    end = time.monotonic() + SECONDS

    def rename(_: int) -> Reply:
        while True:
            reply = place.api("PATCH", path, {"name": next(names)})
            assert_answered([reply], 200, 429, 503)
            if time.monotonic() > end:
                return reply

    with place.watched() as harm:
        end = time.monotonic() + SECONDS
        at_once(2, rename)

    assert place.api("GET", path).json()["users"] == users + 1
    assert_harmless(harm)


def test_pruning_costs_a_writer_little(app: Flask, tmp_path: Path) -> None:
    old = clock.now() - timedelta(days=200)
    with arena(app, tmp_path / "live") as place:
        with place.watched(pause=0.01) as quiet:
            time.sleep(1)
        fill_log(place, 120_000, at=old)
        with place.watched(settle=0.0, pause=0.01) as harm:
            command = [SCIMSVC, "log", "prune"]
            with subprocess.Popen(command, env=place.environment, stdout=subprocess.DEVNULL) as pruning:
                try:
                    pruning.wait(SECONDS)
                except subprocess.TimeoutExpired:
                    pruning.terminate()

    assert_harmless(harm, longest=0.5)
    assert harm.report.median["write"] < 2 * crowd() * max(quiet.report.median["write"], 0.005)
