"""The bearer rules of the SCIM paths: which tokens open them, and how the others are refused (contract section 4)."""

import re
import string
import time
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from scimsvc import clock
from scimsvc.auth.callers import Callers
from tests.support.apps import SECRET_KEY, make_enterprise
from tests.support.client import CONTENT_TYPE, SCIM, Enterprise, assert_scim_error, user_body
from tests.support.types import Cli, MakeApp

URL_SAFE = string.ascii_letters + string.digits + "-_"
ISSUE_AGAIN = "did not issue the access token"


def ask(
    app: Flask, authorization: str | None, path: str = "/Users", method: str = "GET", **options: Any
) -> TestResponse:
    """Send a request whose only credential is ``authorization``."""
    headers = {} if authorization is None else {"Authorization": authorization}
    return app.test_client().open(SCIM + path, method=method, headers=headers | options.pop("headers", {}), **options)


def assert_unauthorized(answer: TestResponse, *words: str) -> None:
    """Assert that ``answer`` refuses a token by RFC 6750 section 3, with the same text as detail and description."""
    assert_scim_error(answer, 401, None, *words)
    challenge = answer.headers["WWW-Authenticate"]
    match = re.fullmatch(r'Bearer realm="scim", error="invalid_token", error_description="([ !#-\[\]-~]+)"', challenge)
    assert match is not None, challenge
    for word in words:
        assert word in match[1]


@pytest.mark.requirement("R12", "R13")
@pytest.mark.parametrize("authorization", [None, "", "Basic YTpi", "Token x", "scimsvc_x", "Digest a=b", "Bearerx y"])
def test_the_refusal_of_a_missing_token_says_what_to_send(app: Flask, authorization: str | None) -> None:
    answer = ask(app, authorization)

    assert_unauthorized(answer, "Authorization: Bearer scimsvc_")


@pytest.mark.parametrize("form", [
    "Bearer {}", "bearer {}", "BEARER {}", "bEaReR   {} ", "Bearer Bearer {}", "bearer BEARER {}", "Bearer Bearer Bearer {}",
])  # fmt: skip
def test_the_scheme_may_have_any_spelling(acme: Enterprise, form: str) -> None:
    assert ask(acme.app, form.format(acme.token)).status_code == 200


@pytest.mark.requirement("R14")
@pytest.mark.parametrize("form", [
    "Bearer", "Bearer Bearer", "Bearer x {}", "Bearer {} x", "Bearer {0} {0}", "Bearer {},Bearer {}", "Bearer Basic {}",
    "Bearer {}=", "Bearer {}==", "Bearer {}.", "Bearer .{}", "Bearer {}A", "Bearer \"{}\"", "Bearer é{}", "Bearer {}é", "Bearer ;{}",
    "Bearer scimsvc_{}", "Bearer scimsvc_", "Bearer scimsvc_.", "Bearer x", "Bearer \xff", "Bearer null", "Bearer {{}}",
])  # fmt: skip
def test_a_malformed_token_is_refused(acme: Enterprise, form: str) -> None:
    assert_unauthorized(ask(acme.app, form.format(acme.token, acme.token)), "token")


@pytest.mark.requirement("R29")
def test_every_single_character_of_a_token_counts(acme: Enterprise) -> None:
    token = acme.token
    for place, character in enumerate(token):
        # The neighbor in the alphabet differs only in the last bit, which some decoders drop.
        neighbour = URL_SAFE[URL_SAFE.index(character) ^ 1] if character in URL_SAFE else "A"
        for other in {neighbour, "A" if character != "A" else "B", "."} - {character}:
            answer = ask(acme.app, f"Bearer {token[:place]}{other}{token[place + 1 :]}")
            assert answer.status_code == 401, (place, other)
    assert_unauthorized(answer, ISSUE_AGAIN)


@pytest.mark.requirement("R29")
def test_a_token_in_other_parts_of_a_request_is_refused(acme: Enterprise) -> None:
    payload, _, signature = acme.token.removeprefix("scimsvc_").rpartition(".")
    spoilt = [f"{signature}.{payload}", payload, f"{payload}.", f".{signature}", f"{payload}.{signature[:-1]}",
              f"{payload}=.{signature}", f".{payload}.{signature}", f"{payload[1:]}.{signature}", f"{payload}{signature}"]  # fmt: skip

    for text in spoilt:
        assert_unauthorized(ask(acme.app, f"Bearer scimsvc_{text}"), ISSUE_AGAIN)
    assert ask(acme.app, f"Bearer scimsvc_{payload}.{signature}").status_code == 200


@pytest.mark.requirement("R30")
def test_an_expired_token_says_that_it_expired_and_when(
    acme: Enterprise, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = cli("token", "issue", "Acme", "--days", "3")
    (listed,) = [token for token in cli("token", "list", "Acme") if token["id"] == issued["id"]]
    expires_at = clock.parse_timestamp(listed["expires_at"])
    named = f"expired at {expires_at:%Y-%m-%dT%H:%M:%SZ}"

    monkeypatch.setattr(clock, "now", lambda: expires_at - timedelta(seconds=1))
    assert acme.send("GET", "/Users", token=issued["access_token"]).status_code == 200
    for late in (timedelta(0), timedelta(seconds=1), timedelta(days=4000)):
        monkeypatch.setattr(clock, "now", lambda late=late: expires_at + late)
        assert_unauthorized(acme.send("GET", "/Users", token=issued["access_token"]), named, "new one")


@pytest.mark.requirement("R18", "R32")
def test_a_revoked_token_ends_within_a_second_in_every_process(acme: Enterprise, cli: Cli, make_app: MakeApp) -> None:
    other_process = make_app()
    entra = cli("integration", "create", "Acme", "Entra")
    tokens = {
        "revoked": cli("token", "issue", "Acme")["access_token"],
        "of a revoked integration": cli("token", "issue", "Acme", "--integration", entra["client_id"])["access_token"],
        "good": acme.token,
    }
    assert {
        ask(each, f"Bearer {token}").status_code for token in tokens.values() for each in (acme.app, other_process)
    } == {200}

    cli("token", "revoke", tokens["revoked"])
    cli("integration", "revoke", "Acme", entra["client_id"])

    for each in (acme.app, other_process):
        if each is other_process:
            time.sleep(Callers.SECONDS)  # another process may cache callers for this time
        assert_unauthorized(ask(each, f"Bearer {tokens['revoked']}"), "revoked")
        assert_unauthorized(ask(each, f"Bearer {tokens['of a revoked integration']}"), "revoked")
        assert ask(each, f"Bearer {tokens['good']}").status_code == 200


@pytest.mark.requirement("R18")
def test_the_tokens_of_a_deleted_enterprise_end_with_it(acme: Enterprise, cli: Cli, make_app: MakeApp) -> None:
    other = make_enterprise(acme.app, "Other")
    other_process = make_app()

    cli("enterprise", "delete", "Acme", "--yes")

    for each in (acme.app, other_process):
        assert_unauthorized(ask(each, f"Bearer {acme.token}"))
        assert ask(each, f"Bearer {other.token}").status_code == 200


@pytest.mark.requirement("R13")
def test_an_api_token_is_insufficient(acme: Enterprise, cli: Cli) -> None:
    token = cli("token", "issue", "Acme", "--api")["access_token"]

    for method, path in (
        ("GET", "/Users"),
        ("POST", "/Users"),
        ("GET", "/Schemas"),
        ("GET", "/nothing"),
        ("PUT", "/Users"),
    ):
        answer = ask(acme.app, f"Bearer {token}", path, method)
        assert_scim_error(
            answer, 403, None, "API token", "scope=scim", "?scope=scim", "X-SCIM: true", "limited to the scope scim"
        )
        assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="scim", error="insufficient_scope", ')


@pytest.mark.requirement("R14", "R50")
def test_a_token_counts_only_in_the_header(acme: Enterprise) -> None:
    app, token = acme.app, acme.token
    cookies = app.test_client()
    for name in ("access_token", "token", "Authorization"):
        cookies.set_cookie(name, token)
    form: Any = {"data": {"access_token": token}, "content_type": "application/x-www-form-urlencoded"}
    json: Any = {"json": user_body() | {"access_token": token}}

    answers = [
        ask(app, None, query_string={"access_token": token}),
        ask(app, None, query_string={"Authorization": f"Bearer {token}", "token": token}),
        ask(app, None, method="POST", **form),
        ask(app, None, method="POST", **json),
        cookies.get(f"{SCIM}/Users"),
        ask(app, None, headers={"X-Authorization": f"Bearer {token}", "X-SCIM": "true"}),
        app.test_client().get(f"{SCIM}/Users", auth=("Bearer", token)),
    ]

    for answer in answers:
        assert_scim_error(answer, 401, None, "Authorization: Bearer")
    assert acme.find("id pr") == []


UNOPENED = [
    ("GET", ""),
    ("GET", "/nothing"),
    ("GET", "/Users/nobody"),
    ("GET", "/Users?filter=("),
    ("GET", "/Users?count=abc"),
    ("PUT", "/Users"),
    ("BREW", "/Users"),
    ("OPTIONS", "/Users"),
    ("POST", "/Users"),
    ("POST", "/Bulk"),
    ("POST", "/.search"),
    ("GET", "/Me"),
    ("GET", "/Groups"),
    ("GET", "/ServiceProviderConfig"),
    ("GET", "/ResourceTypes"),
    ("GET", "/Schemas"),
    ("GET", "//Users//"),
    ("GET", "/%55sers"),
    ("GET", "%2fUsers"),
]


@pytest.mark.requirement("R12", "R17")
@pytest.mark.parametrize("authorization", [None, "Bearer scimsvc_x.y"], ids=["no token", "a bad token"])
@pytest.mark.parametrize("body", [None, b"{", b"x" * (2**20 + 1)], ids=["nothing", "half an object", "too much"])
def test_the_token_is_checked_before_anything_else(app: Flask, authorization: str | None, body: bytes | None) -> None:
    for content_type in (CONTENT_TYPE, "text/plain"):
        for method, path in UNOPENED:
            answer = ask(app, authorization, path, method, data=body, headers={"Content-Type": content_type})
            assert answer.status_code == 401, (method, path)
            assert "Allow" not in answer.headers
            assert_scim_error(answer, 401, None, "token")


def test_a_head_without_a_token_is_refused_as_well(acme: Enterprise) -> None:
    refused = ask(acme.app, None, method="HEAD")

    assert (refused.status_code, refused.data) == (401, b"")
    assert ask(acme.app, f"Bearer {acme.token}", method="HEAD").status_code == 200


@pytest.mark.requirement("R18")
def test_a_disabled_enterprise_refuses_every_path_and_writes_nothing(acme: Enterprise, cli: Cli) -> None:
    user = acme.create()
    cli("enterprise", "update", "Acme", "--no-enable-scim")

    for method, path in (*UNOPENED, ("DELETE", f"/Users/{user['id']}")):
        answer = acme.send(method, path, user_body("b@contoso.example") if method == "POST" else None)
        assert_scim_error(answer, 403, None, "SCIM provisioning is disabled for Acme", "Settings")
    cli("enterprise", "update", "Acme", "--enable-scim")

    assert acme.find("id pr") == [user]


def test_a_disabled_enterprise_still_refuses_a_bad_token_as_such(acme: Enterprise, cli: Cli) -> None:
    cli("enterprise", "update", "Acme", "--no-enable-scim")

    assert_unauthorized(acme.send("GET", "/Users", token=acme.token + "x"), ISSUE_AGAIN)


@pytest.mark.requirement("R35")
def test_tokens_survive_a_change_of_the_key_while_the_old_key_is_kept(acme: Enterprise, make_app: MakeApp) -> None:
    new = "another key that is of no use elsewhere either 0123456789"

    assert ask(make_app(SECRET_KEY=f"{new}, {SECRET_KEY}"), f"Bearer {acme.token}").status_code == 200
    assert_unauthorized(ask(make_app(SECRET_KEY=new), f"Bearer {acme.token}"), ISSUE_AGAIN)


def test_no_refusal_repeats_the_token(acme: Enterprise, cli: Cli) -> None:
    api_token = cli("token", "issue", "Acme", "--api")["access_token"]

    for token in (acme.token + "=", acme.token[:-4], api_token):
        answer = ask(acme.app, f"Bearer {token}", f"/Users/{token}")
        assert answer.status_code in (401, 403)
        assert token[:40] not in answer.text + str(answer.headers)
