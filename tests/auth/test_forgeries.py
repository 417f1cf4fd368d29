"""Attempts to bypass the token: odd paths, forged tokens, other clocks."""

import base64
import hashlib
import hmac
import json
import time
import zlib
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from scimsvc import clock
from tests.support.apps import SECRET_KEY
from tests.support.client import SCIM, Enterprise, assert_scim_error, user_body
from tests.support.cpu import crowd

SPELLINGS = [
    "//Users",
    "/./Users",
    "/%55sers",
    "/Users;x",
    "/Users/",
    "/Users/..",
    "/Users%2f",
    "/Users/%2e%2e/Users",
    "/x/../Users",
    "/%2e/Users",
]


DETOURS = [{}, {"X-Original-URL": "/healthz"}, {"X-Rewrite-URL": "/healthz"}, {"X-HTTP-Method-Override": "OPTIONS"}, {"X-Forwarded-Prefix": "/healthz"}]  # fmt: skip


@pytest.mark.requirement("R17")
def test_no_spelling_of_a_path_bypasses_the_token(acme: Enterprise) -> None:
    acme.create()

    for path, headers, method in product(SPELLINGS, DETOURS, ("GET", "POST", "DELETE")):
        answer = acme.app.test_client().open(SCIM + path, method=method, headers=headers, json=user_body())
        assert answer.status_code in (401, 404), (path, headers, method)
        assert "contoso" not in answer.text
    assert len(acme.find("id pr")) == 1


def _jwt(algorithm: str, key: bytes, claims: dict[str, Any]) -> str:
    parts = [_encoded(json.dumps(part).encode()) for part in ({"alg": algorithm, "typ": "JWT"}, claims)]
    signature = b"" if algorithm == "none" else hmac.new(key, ".".join(parts).encode(), hashlib.sha256).digest()
    return ".".join([*parts, _encoded(signature)])


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@pytest.mark.requirement("R29")
def test_every_forgery_gets_the_same_detail(acme: Enterprise) -> None:
    claims = {"sub": acme.made["id"], "scope": "scim", "exp": 2**33}
    signature = acme.token.rpartition(".")[2]
    bomb = _encoded(zlib.compress(b"[" * 50_000_000, 9))
    forged = [
        _jwt("none", b"", claims),
        *(_jwt("HS256", key, claims) for key in (b"", b"secret", SECRET_KEY.encode())),
        f".{bomb}.{signature}",
        f"scimsvc_.{bomb}.{signature}",
        f"scimsvc_{bomb}.{signature}",
        "scimsvc_" + "A" * 200_000,
        "scimsvc_" + ".".join("A" * 50_000),
    ]

    begin = time.monotonic()
    answers = [acme.send("GET", "/Users", token=text) for text in forged]

    assert time.monotonic() - begin < 2 * crowd()
    for answer in answers:
        assert_scim_error(answer, 401, None, "token")
    assert len({answer.get_json(force=True)["detail"] for answer in answers}) == 1


@pytest.mark.requirement("R30")
def test_tokens_stay_valid_after_the_clock_is_set_back(acme: Enterprise, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now()

    for minutes in (5, 60 * 24):
        monkeypatch.setattr(clock, "now", lambda minutes=minutes: now - timedelta(minutes=minutes))
        assert acme.send("GET", "/Users").status_code == 200
