"""Signed tokens: their form, their verification, and the texts of refusals."""

import hashlib
import json
import re
import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from itsdangerous import Signer
from itsdangerous.encoding import base64_decode, base64_encode

from scimsvc.auth.errors import Claims, InsufficientScope, InvalidToken
from scimsvc.auth.tokens import TokenSigner, digest_secret, new_client_secret, new_token_id
from scimsvc.protocol.json_text import write_json
from scimsvc.settings.keys import key_id
from scimsvc.vocabulary import API_SCOPE, API_SCOPES, SCIM_SCOPE, SCOPES

KEY, OTHER_KEY = "a" * 32, "b" * 32
EXPIRY = datetime(2026, 12, 1, 8, 30, 15, tzinfo=UTC)
BEFORE = EXPIRY - timedelta(seconds=1)
CLAIMS = Claims("1c9b8f0e-5d0c-4a43-9d4e-0f6f4b8f8a10", "9f86d081884c7d659a2feaa0c55ad015", EXPIRY, SCIM_SCOPE)
URL_SAFE = string.ascii_letters + string.digits + "-_"


def claims_of(scope: str) -> Claims:
    return replace(CLAIMS, scope=scope)


def path_scope(scope: str) -> str:
    """Return the scope of the path that tokens of ``scope`` open: SCIM or the enterprise API."""
    return SCIM_SCOPE if scope == SCIM_SCOPE else API_SCOPE


@pytest.fixture
def signer() -> TokenSigner:
    return TokenSigner([KEY])


@pytest.mark.parametrize("scope", SCOPES)
def test_a_token_is_opaque_short_and_safe_in_urls(signer: TokenSigner, scope: str) -> None:
    token = signer.issue(claims_of(scope))

    assert re.fullmatch(r"scimsvc_[\w-]+(\.[\w-]+)+", token, re.ASCII)
    assert len(token) < 200
    assert signer.verify(token, path_scope(scope), BEFORE) == claims_of(scope)


@pytest.mark.parametrize("scope", API_SCOPES)
def test_a_token_of_one_path_is_insufficient_for_the_other(signer: TokenSigner, scope: str) -> None:
    with pytest.raises(InsufficientScope, match=r"API token.*only for /api/v1.*X-SCIM") as refusal:
        signer.verify(signer.issue(claims_of(scope)), SCIM_SCOPE, BEFORE)
    assert refusal.value.needed == SCIM_SCOPE
    with pytest.raises(InsufficientScope, match=r"SCIM token.*only for /api/scim/v2.*scope=api") as refusal:
        signer.verify(signer.issue(CLAIMS), API_SCOPE, BEFORE)
    assert refusal.value.needed == API_SCOPE


def test_a_token_names_its_key_and_one_without_a_key_id_stays_valid(signer: TokenSigner) -> None:
    content = base64_decode(signer.issue(CLAIMS).removeprefix("scimsvc_").partition(".")[0])
    old = base64_encode(write_json(json.loads(content)[:3]))
    salt = Signer(KEY, "scimsvc.scim-token", key_derivation="hmac", digest_method=hashlib.sha256)

    assert json.loads(content)[3] == key_id(KEY)
    assert signer.verify("scimsvc_" + salt.sign(old).decode(), SCIM_SCOPE, BEFORE) == CLAIMS


def test_the_refusal_of_an_unknown_key_names_the_key_and_what_to_do(signer: TokenSigner) -> None:
    with pytest.raises(InvalidToken, match=rf"the key {key_id(OTHER_KEY)} .*SCIMSVC_SECRET_KEY"):
        signer.verify(TokenSigner([OTHER_KEY]).issue(CLAIMS), SCIM_SCOPE, BEFORE)


@pytest.mark.parametrize(
    "content", [b"", b"[", b"{}", b"[1,2,3]", b"[1,2,3,4]", b'[1,2,3,"<b>"]', b'["","",0,"zzzzzzzz"]', b"[" * 300]
)
def test_only_a_key_id_is_read_from_an_unverified_token(signer: TokenSigner, content: bytes) -> None:
    with pytest.raises(InvalidToken, match=r"^This service did not issue the access token\. Copy"):
        signer.verify(f"scimsvc_{base64_encode(content).decode()}.abc", SCIM_SCOPE, BEFORE)


@pytest.mark.requirement("R30")
@pytest.mark.parametrize("scope", SCOPES)
def test_a_token_expires_at_its_second(signer: TokenSigner, scope: str) -> None:
    token = signer.issue(claims_of(scope))

    assert signer.verify(token, path_scope(scope), EXPIRY - timedelta(microseconds=1)) == claims_of(scope)
    for late in (timedelta(0), timedelta(days=10_000)):
        with pytest.raises(InvalidToken, match=r"expired at 2026-12-01T08:30:15Z"):
            signer.verify(token, path_scope(scope), EXPIRY + late)


def test_every_character_of_a_token_counts(signer: TokenSigner) -> None:
    token = signer.issue(CLAIMS)
    changed = [
        token[:place] + other + token[place + 1 :]
        for place, character in enumerate(token)
        for other in URL_SAFE + ".=+/ é\0"
        if other != character
    ]

    accepted = [text for text in changed if is_accepted(signer, text)]

    assert len(changed) > 10_000
    assert accepted == []


@pytest.mark.requirement("R29")
@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda token: token + "=", id="padded"),
        pytest.param(lambda token: token + "==", id="padded twice"),
        pytest.param(lambda token: token.replace(".", "=."), id="first part padded"),
        pytest.param(lambda token: token + ".", id="empty part at the end"),
        pytest.param(lambda token: token.replace("_", "_.", 1), id="empty part in front"),
        pytest.param(lambda token: token[:-1], id="cut"),
        pytest.param(lambda token: token + "A", id="longer"),
        pytest.param(lambda token: token + "\n", id="new line"),
        pytest.param(lambda token: token + "é", id="no ASCII"),
        pytest.param(lambda token: token.rpartition(".")[0], id="without its signature"),
        pytest.param(lambda token: token.rpartition(".")[0] + ".", id="with an empty signature"),
        pytest.param(lambda token: "scimsvc_" + token.rpartition(".")[2], id="signature alone"),
        pytest.param(lambda token: "scimsvc_" + ".".join(reversed(token[8:].split("."))), id="parts swapped"),
        pytest.param(lambda token: "scimsvc_" + token, id="prefix twice"),
        pytest.param(lambda token: token[8:], id="no prefix"),
        pytest.param(lambda token: token.replace("scimsvc_", "SCIMSVC_"), id="prefix in capitals"),
        pytest.param(lambda token: token.replace("-", "+").replace("_", "/") + "+", id="other alphabet"),
        pytest.param(lambda token: "", id="nothing"),
        pytest.param(lambda token: "scimsvc_", id="prefix alone"),
        pytest.param(lambda token: "scimsvc_.", id="two empty parts"),
        pytest.param(lambda token: "scimsvc_" + "A" * 1_000_000, id="a million characters"),
    ],
)
@pytest.mark.parametrize("scope", SCOPES)
def test_a_token_that_was_not_issued_is_refused(signer: TokenSigner, scope: str, spoil: object) -> None:
    text = spoil(signer.issue(claims_of(scope)))  # type: ignore[operator]

    with pytest.raises(InvalidToken, match="did not issue the access token"):
        signer.verify(text, path_scope(scope), BEFORE)
    assert signer.read_any(text) is None


def test_a_forged_payload_under_a_genuine_signature_is_refused(signer: TokenSigner) -> None:
    mine = signer.issue(CLAIMS)
    other = signer.issue(replace(CLAIMS, enterprise_id="another enterprise"))

    assert not is_accepted(signer, other.rpartition(".")[0] + "." + mine.rpartition(".")[2])
    assert not is_accepted(signer, mine.rpartition(".")[0] + "." + other.rpartition(".")[2])


@pytest.mark.requirement("R35")
def test_the_newest_key_signs_and_all_verify() -> None:
    old, new, both = TokenSigner([OTHER_KEY]), TokenSigner([KEY]), TokenSigner([KEY, OTHER_KEY])

    assert both.verify(old.issue(CLAIMS), SCIM_SCOPE, BEFORE) == CLAIMS
    assert both.issue(CLAIMS) == new.issue(CLAIMS)
    assert not is_accepted(old, both.issue(CLAIMS))
    assert not is_accepted(new, old.issue(CLAIMS))


@pytest.mark.parametrize("scope", SCOPES)
def test_a_token_is_recognised_whatever_its_scope_or_expiry(signer: TokenSigner, scope: str) -> None:
    assert signer.read_any(signer.issue(claims_of(scope))) == claims_of(scope)


@pytest.mark.requirement("R33")
def test_secrets_and_ids_are_new_each_time_and_long() -> None:
    secrets, ids = {new_client_secret() for _ in range(100)}, {new_token_id() for _ in range(100)}

    assert (len(secrets), len(ids)) == (100, 100)
    assert all(re.fullmatch(r"scimsvc_cs_[\w-]{43}", secret, re.ASCII) for secret in secrets)
    assert all(re.fullmatch(r"\w[\w-]{21,}", token_id, re.ASCII) for token_id in ids)


@pytest.mark.parametrize("secret", ["", "é", "\0", "\ud800"])
def test_different_texts_have_different_digests(secret: str) -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", digest_secret(secret))
    assert digest_secret(secret) != digest_secret(secret + "x")


def is_accepted(signer: TokenSigner, text: str) -> bool:
    try:
        signer.verify(text, SCIM_SCOPE, BEFORE)
    except InvalidToken:
        return False
    return True
