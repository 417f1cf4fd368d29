"""One client sends as many requests as it can. Others are answered within a second."""

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask import Flask

from tests.support.attacks import Arena, Reply, arena, assert_answered, assert_harmless, at_once
from tests.support.hostile import FORM

pytestmark = [pytest.mark.slow, pytest.mark.system]

SECONDS = 3.0


@pytest.fixture
def place(app: Flask, tmp_path: Path) -> Iterator[Arena]:
    with arena(app, tmp_path / "live") as made:
        yield made


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
        at_once(40, flood)

    assert_harmless(harm)
