"""Strangers and tenants send large texts. The process keeps little of them, and others are answered within a second."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask import Flask

from tests.support.attacks import Arena, arena, assert_answered, assert_harmless, at_once, spooled
from tests.support.client import MEDIA_TYPE, SCIM, user_body
from tests.support.hostile import FORM
from tests.support.long_runs import outside_the_database
from tests.support.urns import BULK_URN

pytestmark = [pytest.mark.slow, pytest.mark.system]


@pytest.fixture
def place(app: Flask, tmp_path: Path) -> Iterator[Arena]:
    with arena(app, tmp_path / "live") as made:
        yield made


@outside_the_database
def test_long_addresses_at_the_sign_in_are_not_kept(place: Arena) -> None:
    page = place.send("GET", "/console/sign-in")
    cookie = page.headers["Set-Cookie"].partition(";")[0]
    token = page.content.decode().partition('name="csrf_token" value="')[2].partition('"')[0]
    # Folding makes three characters of the letter, and the emoji makes each of them four bytes.
    address = "\u0390" * 70_000 + "\U0001f600"

    def sign_in(number: int) -> bytes:
        return urlencode({"csrf_token": token, "email": f"{number}{address}", "password": "x" * 20}).encode()

    headers = {"Content-Type": FORM, "Cookie": cookie, "Referer": place.live.base_url}
    with place.watched() as harm:
        replies = [place.send("POST", "/console/sign-in", sign_in(number), headers) for number in range(25)]

    assert_harmless(harm)
    assert_answered(replies, 400, 413, 422, 429)


@outside_the_database
def test_junk_tokens_and_parameter_names_are_not_kept(place: Arena) -> None:
    def send(number: int) -> list[object]:
        replies = [
            place.send("GET", f"{SCIM}/Users", None, {"Authorization": f"Bearer scimsvc_{part}{'j' * 60_000}"})
            for part in range(number * 200, number * 200 + 200)
        ]
        replies += [
            place.send("GET", f"{SCIM}/Users?p{part}{'n' * 60_000}=1") for part in range(number * 60, number * 60 + 60)
        ]
        assert_answered(replies, 400, 401, 414, 429, 431)
        return [reply.status for reply in replies]

    with place.watched() as harm:
        for number in range(4):
            send(number)

    assert_harmless(harm)


@outside_the_database
def test_refusals_that_could_name_many_roles_stay_small(place: Arena) -> None:
    for number in range(300):
        created = place.api("POST", "/roles", {"name": f"{number}" + "r" * 190})
        assert created.status == 201, created.content
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": f"{n}", "data": user_body(f"b{n}@x.example", roles=["none"])}
        for n in range(200)
    ]
    body = json.dumps({"schemas": [BULK_URN], "Operations": operations})

    with place.watched() as harm:
        replies = at_once(4, lambda _: place.scim("POST", "/Bulk", body))

    assert_harmless(harm)
    assert_answered(replies, 200, 413, 429)
    assert max(len(reply.content) for reply in replies) < 1_500_000


@outside_the_database
def test_long_refused_roles_do_not_fill_the_console(place: Arena) -> None:
    with place.watched() as harm:
        refused = [
            place.scim("POST", "/Users", user_body(f"r{n}@attacker.example", roles=[f"{n}" + "r" * 262_000]))
            for n in range(12)
        ]
        pages = [place.console(path) for path in ("/log", "/log?live=1", "") for _ in range(2)]

    assert_harmless(harm)
    assert_answered(refused, 400)
    assert_answered(pages, 200)
    assert max(len(reply.content) for reply in pages) < 1_000_000


@outside_the_database
def test_unfinished_bodies_without_a_token_are_not_kept(place: Arena) -> None:
    head = f"POST {SCIM}/Users HTTP/1.1\r\nHost: x\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: 16000000\r\n\r\n"
    with place.watched() as harm, ExitStack() as stack:
        for _ in range(8):
            connection = stack.enter_context(place.connect())
            try:
                connection.sendall(head.encode())
                for _ in range(15):
                    connection.sendall(b"x" * 1_000_000)
            except OSError:  # the service closed the connection
                continue
        time.sleep(0.5)
        kept = spooled(place.live.process.pid)

    assert_harmless(harm)
    assert kept < 16_000_000
