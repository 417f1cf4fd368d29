"""Clients that do not read or do not finish their requests, and clients that wait, delay no one else."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from flask import Flask

from tests.support.attacks import Arena, arena, assert_answered, assert_harmless, at_once, fill_log
from tests.support.client import SCIM, user_body
from tests.support.long_runs import LONG, outside_the_database

pytestmark = [pytest.mark.slow, pytest.mark.system]

#: Seconds of an attack that lasts.
SECONDS = 10.0 if LONG else 2.0


@pytest.fixture
def place(app: Flask, tmp_path: Path) -> Iterator[Arena]:
    with arena(app, tmp_path / "live") as made:
        yield made


def test_downloads_that_no_one_reads_delay_no_one(place: Arena) -> None:
    fill_log(place, 80_000)

    with place.watched() as harm, ExitStack() as stack:
        for _ in range(6):
            connection = stack.enter_context(place.connect(buffer=4096))
            connection.sendall(place.head("GET", place.console_path("/log.csv")))
        time.sleep(SECONDS)

    assert_harmless(harm)


@outside_the_database
def test_lists_that_no_one_reads_delay_no_one(place: Arena) -> None:
    for number in range(100):
        assert (
            place.scim("POST", "/Users", user_body(f"u{number}@attacker.example", nickName="n" * 200_000)).status == 201
        )

    with place.watched() as harm, ExitStack() as stack:
        for _ in range(12):
            connection = stack.enter_context(place.connect(buffer=4096))
            connection.sendall(place.head("GET", f"{SCIM}/Users?count=1000") * 5)
        time.sleep(SECONDS)

    assert_harmless(harm)


@outside_the_database
def test_a_thousand_half_requests_delay_no_one(place: Arena) -> None:
    half = place.head("POST", f"{SCIM}/Users", "Content-Length: 1000")
    with place.watched() as harm, ExitStack() as stack:
        for number in range(1010):
            try:
                connection = stack.enter_context(place.connect())
                connection.settimeout(1)
                connection.sendall(half[: (20, len(half))[number % 2]])
            except OSError:  # the service accepts no more connections of this client
                continue
        time.sleep(SECONDS)

    assert_harmless(harm)


@outside_the_database
def test_half_requests_with_long_heads_from_many_addresses_delay_no_one(place: Arena) -> None:
    half = place.head("GET", "/x" + "y" * 50_000)[:-3]
    with place.watched() as harm, ExitStack() as stack:
        for number in range(1010):
            try:
                connection = stack.enter_context(place.connect(address=f"127.0.5.{1 + number % 50}"))
                connection.settimeout(1)
                connection.sendall(half)
            except OSError:
                continue
        time.sleep(SECONDS)

    assert_harmless(harm)


@outside_the_database
def test_slow_bodies_delay_no_one(place: Arena) -> None:
    head = place.head("POST", f"{SCIM}/Users", "Content-Type: application/json", "Content-Length: 100000")
    with place.watched() as harm, ExitStack() as stack:
        connections: list[socket.socket] = []
        for _ in range(100):
            try:
                connections.append(stack.enter_context(place.connect()))
                connections[-1].sendall(head)
            except OSError:
                continue
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            for connection in connections:
                try:
                    connection.send(b" ")
                except OSError:
                    continue
            time.sleep(0.05)

    assert_harmless(harm)


@outside_the_database
def test_long_polls_delay_no_one(place: Arena) -> None:
    last = place.api("GET", "/changes?limit=1").json()["next"]

    with place.watched() as harm:
        replies = at_once(30, lambda _: place.api("GET", f"/changes?after={last}&wait=4"))

    assert_harmless(harm)
    assert_answered(replies, 200, 429, 503)
