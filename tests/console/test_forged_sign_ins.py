"""Single sign-on refuses every response that does not prove who signs in, and a provider that fails."""

import base64
import hmac
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from joserfc.jwk import OctKey, RSAKey

from scimsvc import clock
from scimsvc.console import provider_calls
from scimsvc.console.identity_provider import KEPT
from tests.support.console import Console, make_admin, text
from tests.support.providers import CLIENT_SECRET, SUBJECT, ForgingProvider, forging_provider, free_port, single_sign_on
from tests.support.records import audit_of
from tests.support.types import MakeApp

ANNA = "anna@contoso.example"
BEGIN = "/console/sign-in/single-sign-on"


@pytest.fixture(scope="module")
def running() -> Iterator[ForgingProvider]:
    with forging_provider() as provider:
        yield provider


@pytest.fixture
def provider(running: ForgingProvider) -> ForgingProvider:
    new = ForgingProvider(key=running.key)
    for name in ("published", "forge", "sign", "document", "requests", "codes", "refusals"):
        setattr(running, name, getattr(new, name))
    running.claims = {"email": ANNA, "email_verified": True}
    running.publish(running.key)
    return running


@pytest.fixture
def app(make_app: MakeApp, provider: ForgingProvider) -> Flask:
    app = make_app(**single_sign_on(provider.issuer))
    make_admin(app, ANNA)
    return app


def sign_in(app: Flask, provider: ForgingProvider, browser: Console | None = None, **changes: str) -> Any:
    """Sign in at the provider, and return the answer to its response with ``changes`` of its parameters."""
    browser = browser or Console(app)
    begun = browser.send("GET", BEGIN)
    assert begun.status_code == 303, begun.text
    return browser.send("GET", provider.authorize(begun.headers["Location"], **changes))


def test_an_honest_response_signs_in(app: Flask, provider: ForgingProvider) -> None:
    answer = sign_in(app, provider, iss=provider.issuer)

    assert answer.status_code == 303
    assert provider.refusals == []  # client, code, redirect URI and PKCE verifier are right


CHANGES: dict[str, dict[str, str]] = {
    "another state": {"state": "x" * 32},
    "no state": {"state": ""},
    "a state that is not ASCII": {"state": "ü"},
    "another issuer in the response": {"iss": "https://evil.example"},
    "no code": {"code": ""},
    "an unknown code": {"code": "code-of-someone-else"},
    "an error": {"error": "access_denied"},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_a_changed_response_is_refused(app: Flask, provider: ForgingProvider, changes: dict[str, str]) -> None:
    browser = Console(app)

    answer = sign_in(app, provider, browser, **changes)

    assert_refused(browser, answer)


def assert_refused(browser: Console, answer: Any) -> None:
    assert answer.status_code == 403, answer.text
    assert "Not signed in" in answer.text
    assert browser.send("GET", "/console/account").status_code == 302
    assert browser.browser.get_cookie("scimsvc_console_single_sign_on", path="/console") is None
    entry = audit_of(browser.app)[0]
    assert entry["action"] == "admin.sign_in_refused"
    assert entry["after"]["reason"].startswith("single sign-on: ")


CLAIMS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "another nonce": lambda claims: claims | {"nonce": "of another sign-in"},
    "no nonce": lambda claims: without(claims, "nonce"),
    "another audience": lambda claims: claims | {"aud": "another-client"},
    "no audience": lambda claims: without(claims, "aud"),
    "two audiences without an authorized party": lambda claims: claims | {"aud": ["other", "scimsvc-console"]},
    "another authorized party": lambda claims: claims | {"azp": "other"},
    "another issuer": lambda claims: claims | {"iss": "https://evil.example"},
    "no issuer": lambda claims: without(claims, "iss"),
    "expired": lambda claims: claims | {"exp": claims["iat"] - 120},
    "no expiry": lambda claims: without(claims, "exp"),
    "an expiry that is text": lambda claims: claims | {"exp": "tomorrow"},
    "issued in the future": lambda claims: claims | {"iat": claims["iat"] + 600},
    "valid later": lambda claims: claims | {"nbf": claims["iat"] + 600},
    "no subject": lambda claims: without(claims, "sub"),
    "an empty subject": lambda claims: claims | {"sub": ""},
    "a subject that is a number": lambda claims: claims | {"sub": 7},
    "a long subject": lambda claims: claims | {"sub": "s" * 256},
    "a subject with NUL": lambda claims: claims | {"sub": "a\0b"},
    "a hash of another access token": lambda claims: claims | {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}


def without(claims: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in claims.items() if key != name}


@pytest.mark.parametrize("forge", CLAIMS.values(), ids=CLAIMS)
def test_an_id_token_with_wrong_claims_is_refused(
    app: Flask, provider: ForgingProvider, forge: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    provider.forge = forge
    browser = Console(app)

    answer = sign_in(app, provider, browser)

    assert_refused(browser, answer)
    assert "response is not valid" in answer.text


Sign = Callable[[ForgingProvider, dict[str, Any]], str]


def unsigned(provider: ForgingProvider, claims: dict[str, Any]) -> str:
    """Return the claims without a signature."""
    _, body, _ = provider.signed(claims).split(".")
    return f"eyJhbGciOiJub25lIn0.{body}."  # {"alg":"none"}


def with_public_key_as_secret(provider: ForgingProvider, claims: dict[str, Any]) -> str:
    _, body, _ = provider.signed(claims).split(".")
    signed = encoded(b'{"alg":"HS256","kid":"first"}') + "." + body
    signature = hmac.digest(provider.key.as_pem(private=False), signed.encode(), "sha256")
    return f"{signed}.{encoded(signature)}"


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


SIGNATURES: dict[str, Sign] = {
    "none": unsigned,
    "the client secret": lambda provider, claims: provider.signed(
        claims, OctKey.import_key(CLIENT_SECRET * 2), alg="HS256"
    ),
    "the public key as secret": with_public_key_as_secret,
    "another key with the same ID": lambda provider, claims: provider.signed(claims, RSAKey.generate_key(2048)),
    "a key that is not published": lambda provider, claims: provider.signed(
        claims, RSAKey.generate_key(2048), kid="other"
    ),
    "a changed body": lambda provider, claims: changed(provider.signed(claims)),
    "not a token": lambda provider, claims: "a.b.c",
    "empty": lambda provider, claims: "",
}


def changed(token: str) -> str:
    head, body, signature = token.split(".")
    return ".".join((head, body[:-4] + "AAAA", signature))


@pytest.mark.parametrize("sign", SIGNATURES.values(), ids=SIGNATURES)
def test_an_id_token_that_the_provider_did_not_sign_is_refused(
    app: Flask, provider: ForgingProvider, sign: Sign
) -> None:
    provider.sign = sign
    browser = Console(app)

    answer = sign_in(app, provider, browser)

    assert_refused(browser, answer)


def test_a_new_key_of_the_provider_is_read_when_it_is_first_used(app: Flask, provider: ForgingProvider) -> None:
    assert sign_in(app, provider).status_code == 303
    new = RSAKey.generate_key(2048, {"kid": "second"})
    provider.publish(provider.key, new)
    provider.sign = lambda self, claims: self.signed(claims, new, kid="second")

    answer = sign_in(app, provider)

    assert answer.status_code == 303
    assert provider.requests.count("/keys") == 2


def test_keys_of_unknown_kinds_are_skipped(app: Flask, provider: ForgingProvider) -> None:
    provider.published += [{"kty": "new", "kid": "x"}, {"kty": "RSA", "kid": "broken"}, {"kty": "EC"}]

    assert sign_in(app, provider).status_code == 303


def test_documents_are_read_once_and_again_after_an_hour(
    app: Flask, provider: ForgingProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        sign_in(app, provider)
    before = list(provider.requests)
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + KEPT)
    Console(app).send("GET", BEGIN)

    assert [before.count(path) for path in ("/.well-known/openid-configuration", "/keys")] == [1, 1]
    assert provider.requests[len(before) :] == ["/.well-known/openid-configuration"]


DOCUMENTS: dict[str, dict[str, Any]] = {
    "another issuer": {"issuer": "https://evil.example"},
    "a template as issuer": {"issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"},
    "no token endpoint": {"token_endpoint": None},
    "keys without HTTPS": {"jwks_uri": "http://keys.example/keys"},
    "keys in a file": {"jwks_uri": "file:///etc/passwd"},
    "a token endpoint in the network": {"token_endpoint": "http://169.254.169.254/latest"},
    "a page that is a script": {"authorization_endpoint": "javascript:alert(1)"},
}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_wrong_discovery_document_is_logged_and_not_used(
    app: Flask, provider: ForgingProvider, document: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    provider.document = document

    with caplog.at_level(logging.WARNING, "scimsvc"):
        answer = Console(app).send("GET", BEGIN)

    assert answer.status_code == 503
    assert "is not configured correctly" in answer.text
    assert "SCIMSVC_OIDC_ISSUER cannot be used: its discovery document" in caplog.text


def test_redirects_of_the_provider_are_not_followed(app: Flask, provider: ForgingProvider) -> None:
    provider.document = {"jwks_uri": f"{provider.issuer}/moved"}

    answer = sign_in(app, provider)

    assert answer.status_code == 503
    assert "does not respond" in answer.text


@pytest.fixture
def silent_issuer() -> Iterator[str]:
    """A provider that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_provider_that_hangs_does_not_delay_the_request_or_later_ones(
    make_app: MakeApp, silent_issuer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_calls, "PATIENCE", timedelta(seconds=1.5))
    app = make_app(**single_sign_on(silent_issuer))
    seconds = []
    for _ in range(2):
        began = time.monotonic()
        answer = Console(app).send("GET", BEGIN)
        seconds.append(time.monotonic() - began)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "10"
        assert "The provider of single sign-on does not respond. Try again in a minute." in text(answer.text)

    assert 1.5 <= seconds[0] < 10
    assert seconds[1] < 1.5
    assert "Sign in" in Console(app).get("/console/sign-in")


def test_only_few_requests_wait_for_the_provider_at_once(
    make_app: MakeApp, silent_issuer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_calls, "PATIENCE", timedelta(seconds=4))
    app = make_app(**single_sign_on(silent_issuer))
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda: answers.append(Console(app).send("GET", BEGIN).text))
        for _ in range(provider_calls.MOST_CALLS + 2)
    ]
    for thread in threads:
        thread.start()
    while len(answers) < 2:
        time.sleep(0.02)
    early = list(answers)
    for thread in threads:
        thread.join()

    assert len(early) == 2
    assert all("Too many people are signing in" in page for page in early)


def test_a_provider_that_is_down_gets_a_page_that_says_so(make_app: MakeApp) -> None:
    app = make_app(**single_sign_on(f"http://127.0.0.1:{free_port()}"))

    answer = Console(app).send("GET", BEGIN)

    assert answer.status_code == 503
    assert "Not signed in" in answer.text


def test_the_subject_signs_in_and_no_secret_is_recorded(
    app: Flask, provider: ForgingProvider, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "scimsvc"):
        sign_in(app, provider)

    linked = next(entry for entry in audit_of(app) if entry["action"] == "admin.identity_linked")
    assert linked["after"] == {"issuer": provider.issuer, "subject": SUBJECT, "email": ANNA}
    assert CLIENT_SECRET not in caplog.text
    assert "code-0" not in caplog.text
