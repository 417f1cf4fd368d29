"""The token and revocation endpoints, and their refusals (contract section 4)."""

import base64
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from scimsvc import clock
from tests.support.apps import make_enterprise
from tests.support.client import Enterprise
from tests.support.types import Cli

HOUR, DAY = 3600, 86400
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def _unlimited_client(acme: Enterprise, cli: Cli) -> None:
    """Use an integration without a limit. The first integration gets only SCIM tokens."""
    acme.made = acme.made | cli("integration", "create", "Acme", "Unlimited")


def ask(acme: Enterprise, path: str = "/api/authenticate", **options: Any) -> TestResponse:
    """Send a token request with the client's credentials. Members of ``form`` replace fields; None removes one."""
    form = {"grant_type": "client_credentials"} | credentials(acme) | options.pop("form", {})
    sent = {name: value for name, value in form.items() if value is not None}
    return acme.app.test_client().open(path, **{"method": "POST", "data": sent} | options)


def revoke(acme: Enterprise, **form: Any) -> TestResponse:
    return ask(acme, "/api/revoke", form=form)


def credentials(acme: Enterprise) -> dict[str, Any]:
    return {name: acme.made[name] for name in ("client_id", "client_secret")}


def basic(client_id: str, client_secret: str, scheme: str = "Basic") -> dict[str, str]:
    return {"Authorization": f"{scheme} {base64.b64encode(f'{client_id}:{client_secret}'.encode()).decode()}"}


def scim_status(acme: Enterprise, token: str) -> int:
    return acme.send("GET", "/ServiceProviderConfig", token=token).status_code


def assert_oauth_error(answer: TestResponse, status: int, error: str, *words: str) -> None:
    """Assert that ``answer`` is an error by RFC 6749 section 5.2 whose description contains all ``words``."""
    body = answer.get_json()
    assert (answer.status_code, body["error"]) == (status, error)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers.get("WWW-Authenticate", "").startswith("Basic") is (status == 401)
    assert set(body) == {"error", "error_description"}
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", body["error_description"])
    assert "scimsvc_cs_" not in answer.text
    for word in words:
        assert word in body["error_description"]


@pytest.mark.requirement("R37")
def test_a_client_gets_a_token_for_its_credentials(acme: Enterprise) -> None:
    answer = ask(acme)

    token = answer.get_json()["access_token"]
    expected = {"access_token": token, "token_type": "Bearer", "expires_in": 6 * HOUR, "scope": "api"}
    assert (answer.status_code, answer.get_json()) == (200, expected)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC", "Basic "])
@pytest.mark.parametrize("encode", [str, lambda text: "".join(f"%{ord(c):02x}" for c in text)], ids=["plain", "quoted"])
def test_credentials_may_come_as_http_basic(acme: Enterprise, scheme: str, encode: Callable[[str], str]) -> None:
    client_id, client_secret = map(encode, credentials(acme).values())
    headers = basic(client_id, client_secret, scheme)

    for form in ({"client_id": None}, {"client_id": ""}, {}):
        answer = ask(acme, form={**form, "client_secret": None}, headers=headers)
        assert (answer.status_code, answer.get_json()["scope"]) == (200, "api")


@pytest.mark.parametrize(
    ("header", "scope", "granted", "seconds"),
    [
        pytest.param(None, None, "api", 6 * HOUR, id="nothing asked"),
        pytest.param(None, "", "api", 6 * HOUR, id="empty scope"),
        pytest.param(None, "api", "api", 6 * HOUR, id="scope api"),
        pytest.param(None, "scim", "scim", 6 * HOUR, id="scope scim"),
        pytest.param("true", None, "scim", 7 * DAY, id="header"),
        pytest.param("TRUE", "", "scim", 7 * DAY, id="header in capitals"),
        pytest.param(" True ", "scim", "scim", 7 * DAY, id="header beside scope scim"),
        pytest.param("true", "api", "scim", 7 * DAY, id="header wins over scope api"),
        pytest.param("true", "nonsense", "scim", 7 * DAY, id="header wins over nonsense"),
        pytest.param("false", None, "api", 6 * HOUR, id="header false"),
        pytest.param("1", "scim", "scim", 6 * HOUR, id="header other than true"),
    ],
)
def test_header_and_scope_choose_the_token(
    acme: Enterprise, header: str | None, scope: str | None, granted: str, seconds: int
) -> None:
    answer = ask(acme, form={"scope": scope}, headers={"x-Scim": header} if header else {}).get_json()

    assert (answer["scope"], answer["expires_in"]) == (granted, seconds)
    assert scim_status(acme, answer["access_token"]) == (200 if granted == "scim" else 403)
    assert re.fullmatch(r"scimsvc_[\w-]+(\.[\w-]+)+", answer["access_token"], re.ASCII)
    assert len(answer["access_token"]) < 200


def test_the_settings_at_the_time_of_issue_decide_the_lifetime(
    acme: Enterprise, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = clock.now()
    week = ask(acme, headers={"X-SCIM": "true"}).get_json()
    cli("settings", "set", "scim_token_days", "1")
    cli("settings", "set", "access_token_hours", "2")
    day = ask(acme, headers={"X-SCIM": "true"}).get_json()
    short = ask(acme, form={"scope": "scim"}).get_json()

    assert [each["expires_in"] for each in (week, day, short)] == [7 * DAY, DAY, 2 * HOUR]
    for hours, statuses in ((1, [200, 200, 200]), (3, [200, 200, 401]), (25, [200, 401, 401]), (169, [401, 401, 401])):
        monkeypatch.setattr(clock, "now", lambda hours=hours: start + timedelta(hours=hours))
        assert [scim_status(acme, each["access_token"]) for each in (week, day, short)] == statuses


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        pytest.param({"form": {"grant_type": None}}, "invalid_request", ["grant_type", "client_credentials"], id="none"),
        pytest.param({"form": {"grant_type": ""}}, "invalid_request", ["grant_type"], id="empty grant"),
        pytest.param({"form": {"grant_type": "password"}}, "unsupported_grant_type", ["client_credentials"], id="grant"),
        pytest.param({"form": {"scope": "SCIM"}}, "invalid_scope", ["scim, api"], id="scope in capitals"),
        pytest.param({"form": {"scope": "openid profile"}}, "invalid_scope", ["scim, api"], id="two unknown scopes"),
        pytest.param({"form": {"grant_type": ["client_credentials"] * 2}}, "invalid_request", ["grant_type", "once"], id="2 grants"),
        pytest.param({"form": {"scope": ["scim", "api"]}}, "invalid_request", ["scope", "once"], id="scope twice"),
        pytest.param({"form": {"client_id": ["a", "b"]}}, "invalid_request", ["client_id", "once"], id="client_id twice"),
        pytest.param({"form": {'"é\\\n': ["a", "b"]}}, "invalid_request", ["once"], id="odd name twice"),
        pytest.param({"headers": basic("a", "b")}, "invalid_request", ["twice"], id="secret in the form and as Basic"),
        pytest.param({"data": None, "json": {"grant_type": "client_credentials"}}, "invalid_request", [FORM], id="JSON"),
        pytest.param({"content_type": "multipart/form-data"}, "invalid_request", [FORM], id="multipart"),
        pytest.param({"data": b"grant_type=client_credentials"}, "invalid_request", [FORM], id="no content type"),
        pytest.param({"data": b"", "content_type": FORM}, "invalid_request", ["grant_type"], id="nothing"),
        pytest.param({"data": b"x=" + b"a" * 2**20, "content_type": FORM}, "invalid_request", [], id="too large"),
    ],
)  # fmt: skip
def test_a_wrong_request_is_refused(acme: Enterprise, options: dict[str, Any], error: str, words: list[str]) -> None:
    assert_oauth_error(ask(acme, **options), 400, error, *words)


@pytest.mark.requirement("R37")
@pytest.mark.parametrize("path", ["/api/authenticate", "/api/revoke"])
def test_only_post_is_allowed(acme: Enterprise, path: str) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        answer = ask(acme, path, method=method)
        assert_oauth_error(answer, 405, "invalid_request", method)
        assert "POST" in answer.headers["Allow"]
    assert ask(acme, path, method="HEAD").status_code == 405


NOBODY = [
    pytest.param({"form": {"client_secret": None}}, id="no secret"),
    pytest.param({"form": {"client_id": None}}, id="no ID"),
    pytest.param({"form": {"client_id": "", "client_secret": ""}}, id="empty"),
    pytest.param({"form": {"client_id": "\0"}}, id="NUL"),
    pytest.param({"form": {"client_id": "Jürgen 😀"}}, id="no ASCII"),
    pytest.param({"form": {"client_id": "x" * 100_000}}, id="long"),
    pytest.param({"form": {"client_id": "' OR 1=1 --"}}, id="quote"),
    pytest.param({"form": {"client_secret": "\0é😀"}}, id="odd secret"),
    pytest.param({"data": b"grant_type=client_credentials&client_id=%ff&client_secret=%ed%a0%80&token=x", "content_type": FORM}, id="no UTF-8"),
    *(
        pytest.param({"form": {"client_id": None, "client_secret": None}, "headers": {"Authorization": value}}, id=value)
        for value in (
            "Basic", "Basic ", "Basic !", "Basic \xe9", "Basic YWJj", "Basic Og==", "Basic OmI=", "Basic YTo=", "Basic ADpi",
            "Basic //46eA==", "Basic w7w6w7w=", "Basic YTpi YTpi", "Basic YTpi=", "Bearer YTpi", "Digest x", "YTpi",
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize("options", NOBODY)
def test_a_client_without_valid_credentials_gets_no_token(acme: Enterprise, options: dict[str, Any]) -> None:
    options = options | {"form": {"token": "x"} | options.get("form", {})}

    assert_oauth_error(ask(acme, **options), 401, "invalid_client")
    assert_oauth_error(ask(acme, "/api/revoke", **options), 401, "invalid_client")


@pytest.mark.requirement("R37", "R50")
def test_credentials_in_the_query_are_ignored(acme: Enterprise) -> None:
    form = {"client_id": None, "client_secret": None}

    assert_oauth_error(ask(acme, form=form, query_string=credentials(acme)), 401, "invalid_client", "missing")


@pytest.mark.requirement("R19")
def test_an_unknown_client_and_a_wrong_secret_get_the_same_answer(app: Flask, acme: Enterprise, cli: Cli) -> None:
    other = make_enterprise(app, "Other")
    gone = cli("integration", "create", "Acme", "Gone")
    cli("integration", "revoke", "Acme", gone["client_id"])
    wrong = [
        (acme.made["client_id"], "wrong"),
        ("unknown", acme.made["client_secret"]),
        (acme.made["client_id"].upper(), acme.made["client_secret"]),
        (acme.made["client_id"], acme.made["client_secret"] + " "),
        (acme.made["client_id"], other.made["client_secret"]),
        (gone["client_id"], gone["client_secret"]),
        ("\0", "x"),
    ]

    answers = [ask(acme, form={"client_id": each[0], "client_secret": each[1]}) for each in wrong]
    answers += [ask(acme, form={"client_id": None, "client_secret": None}, headers=basic(*each)) for each in wrong]

    seen = {
        (each.status_code, each.data, *(item for item in each.headers if item[0] != "X-Request-ID")) for each in answers
    }
    assert len(seen) == 1
    assert_oauth_error(answers[0], 401, "invalid_client", "client")


def test_the_clients_of_a_deleted_enterprise_are_unknown(acme: Enterprise, cli: Cli) -> None:
    cli("enterprise", "delete", "Acme", "--yes")

    assert_oauth_error(ask(acme), 401, "invalid_client", "unknown")
    assert_oauth_error(revoke(acme, token=acme.token), 401, "invalid_client", "unknown")


def test_no_scim_token_while_provisioning_is_off(acme: Enterprise, cli: Cli) -> None:
    cli("enterprise", "update", "Acme", "--no-enable-scim")

    for answer in (ask(acme, headers={"X-SCIM": "true"}), ask(acme, form={"scope": "scim"})):
        assert_oauth_error(answer, 400, "unauthorized_client", "disabled", "Acme", "Settings")
    assert ask(acme).get_json()["scope"] == "api"


def test_a_rotated_secret_ends_at_once_or_after_its_overlap(
    acme: Enterprise, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = cli("integration", "rotate", "Acme", acme.made["client_id"], "--overlap", "1")["client_secret"]
    both = [ask(acme).status_code, ask(acme, form={"client_secret": second}).status_code]
    later = clock.now() + timedelta(hours=1, seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    third = cli("integration", "rotate", "Acme", acme.made["client_id"])["client_secret"]

    assert both == [200, 200]
    assert [ask(acme, form={"client_secret": each}).status_code for each in (acme.made["client_secret"], second, third)] == [
        401, 401, 200,
    ]  # fmt: skip
    assert scim_status(acme, acme.token) == 200


@pytest.mark.requirement("R32")
def test_a_revoked_token_ends_and_no_other(acme: Enterprise) -> None:
    tokens = [ask(acme, form={"scope": "scim"}).get_json()["access_token"] for _ in range(2)]

    answers = [revoke(acme, token=tokens[0], token_type_hint="refresh_token") for _ in range(2)]

    assert [(answer.status_code, answer.headers["Cache-Control"]) for answer in answers] == [(200, "no-store")] * 2
    assert [scim_status(acme, token) for token in (*tokens, acme.token)] == [401, 200, 200]


def test_an_api_token_can_be_revoked(acme: Enterprise, cli: Cli) -> None:
    token = ask(acme).get_json()["access_token"]

    assert revoke(acme, token=token).status_code == 200

    assert [each["scope"] for each in cli("token", "list", "Acme") if each["revoked_at"]] == ["api"]


@pytest.mark.parametrize("token", ["x", "\0", "é", "scimsvc_" + "A" * 90 + "." + "A" * 43, "x" * 100_000])
def test_revoking_an_unknown_token_succeeds(acme: Enterprise, token: str) -> None:
    assert revoke(acme, token=token).status_code == 200
    assert scim_status(acme, acme.token) == 200


def test_a_client_cannot_revoke_the_token_of_another_client(app: Flask, acme: Enterprise, cli: Cli) -> None:
    stranger = make_enterprise(app, "Stranger")
    colleague = Enterprise(app, acme.made | cli("integration", "create", "Acme", "Colleague"), acme.token)

    answers = [revoke(each, token=acme.token) for each in (stranger, colleague)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert scim_status(acme, acme.token) == 200
    assert scim_status(stranger, stranger.token) == 200


@pytest.mark.parametrize("form", [{}, {"token": ""}, {"token": ["a", "b"]}])
def test_a_revocation_without_its_token_is_refused(acme: Enterprise, form: dict[str, Any]) -> None:
    assert_oauth_error(revoke(acme, **form), 400, "invalid_request", "token")


@pytest.mark.parametrize("path", ["/api/authenticate/", "/api//authenticate", "/api/%61uthenticate"])
def test_spellings_of_the_path_are_served(acme: Enterprise, path: str) -> None:
    assert ask(acme, path).status_code == 200
