"""The fields and bytes of a form are bounded, and the answer has the format of the path."""

import time
from io import BytesIO
from urllib.parse import urlencode

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from scimsvc.auth.callers import read_bearer
from scimsvc.auth.errors import InvalidToken
from scimsvc.web.form_parser import LONGEST_FORM, LONGEST_FORM_OF_STRANGERS, MOST_FIELDS
from tests.support.client import Enterprise
from tests.support.console import Console, make_admin, of, text
from tests.support.hostile import FORM
from tests.support.tokens import request_token

SIGN_IN = "/console/sign-in"


def post(console: Console, path: str, fields: int, length: int = 0) -> TestResponse:
    """Send a form with a number of ``fields``, of which the last one has ``length`` characters."""
    console.get(SIGN_IN if console.admin is None else "/console/account")
    form = [("csrf_token", console._token), *[("a", "")] * (fields - 2), ("b", "x" * length)]
    return console.send("POST", path, data=urlencode(form), content_type=FORM)


def test_a_form_at_the_limits_is_read(app: Flask) -> None:
    answer = post(Console(app), SIGN_IN, MOST_FIELDS, LONGEST_FORM_OF_STRANGERS - 3000)

    assert answer.status_code == 400
    assert "The e-mail address is unknown" in text(answer.text)


@pytest.mark.parametrize(
    ("fields", "length"),
    [(MOST_FIELDS + 1, 0), (240_000, 0), (3, LONGEST_FORM_OF_STRANGERS)],
    ids=["one field too many", "very many fields", "long"],
)
def test_a_form_over_a_limit_is_refused_with_a_page(app: Flask, fields: int, length: int) -> None:
    answer = post(Console(app), SIGN_IN, fields, length)

    assert (answer.status_code, answer.mimetype) == (413, "text/html")
    assert "The form is too large. Send at most 128000 bytes in at most 500 fields." in text(answer.text)


def test_a_form_of_many_parts_is_refused(app: Flask) -> None:
    console = Console(app)
    console.get(SIGN_IN)

    answer = console.send(
        "POST", SIGN_IN, data={f"field{n}": "x" for n in range(MOST_FIELDS + 1)} | {"f": (BytesIO(), "f")}
    )

    assert answer.status_code == 413


def test_a_form_of_unknown_length_is_limited_too(app: Flask) -> None:
    client = app.test_client()

    for content, detail in (
        (b"grant_type=x&scope=" + b"x" * LONGEST_FORM_OF_STRANGERS, "The form is too large."),
        (b"grant_type=x&scope=" + b"x" * 1000, "The grant_type must be client_credentials."),
    ):
        answer = client.post(
            "/api/authenticate",
            input_stream=BytesIO(content),
            content_type=FORM,
            environ_overrides={"wsgi.input_terminated": True},
        )
        assert answer.status_code == 400
        assert detail in answer.get_json()["error_description"]


def test_an_administrator_may_send_a_longer_form(acme: Enterprise) -> None:
    console = Console(acme.app, make_admin(acme.app, "admin@acme.example", "Acme"))
    path = of(acme) + "/roles/new"

    assert post(console, path, 3, LONGEST_FORM - 1000).status_code == 400
    assert post(console, path, 3, LONGEST_FORM).status_code == 413


@pytest.mark.parametrize("path", ["/api/authenticate", "/api/revoke"])
def test_the_token_endpoint_refuses_a_large_form_as_json(acme: Enterprise, path: str) -> None:
    many = {f"field{n}": "" for n in range(MOST_FIELDS)}

    for answer in (
        acme.app.test_client().post(path, data=many | {"grant_type": "client_credentials", "token": "x"}),
        request_token(acme, path=path, client_secret="x" * LONGEST_FORM_OF_STRANGERS),
    ):
        assert (answer.status_code, answer.mimetype) == (400, "application/json")
        assert answer.get_json() == {
            "error": "invalid_request",
            "error_description": "The form is too large. Send at most 128000 bytes in at most 500 fields.",
        }


@pytest.mark.parametrize("words", [9_000, 100_000])
def test_a_repeated_word_costs_no_time(acme: Enterprise, words: int) -> None:
    header = "Bearer " * words + acme.token
    begin = time.thread_time()

    for _ in range(100):
        with pytest.raises(InvalidToken, match="did not issue"):
            read_bearer(header)

    assert time.thread_time() - begin < 0.1
    assert acme.send("GET", "/Users", token="Bearer " * 5 + acme.token).status_code == 200
