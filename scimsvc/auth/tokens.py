"""Sign and verify access tokens.

A token is ``scimsvc_`` followed by the enterprise, the token's ID, its expiry and the ID of the key, which itsdangerous
signs with HMAC-SHA-256 and a salt for each scope. Its content is readable but cannot be changed. The
database stores its ID and whether it was revoked, but not its text.
"""

import hashlib
import json
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from scimsvc.auth.errors import Claims, InsufficientScope, InvalidToken
from scimsvc.paths import API_PREFIX, SCIM_PREFIX
from scimsvc.protocol.advice import Advice
from scimsvc.protocol.json_text import write_json
from scimsvc.settings.keys import KEY_ID, key_id
from scimsvc.vocabulary import API_SCOPE, API_SCOPES, SCIM_SCOPE, SCOPES, TOKEN_PREFIX

SECRET_PREFIX = "scimsvc_cs_"  # noqa: S105  # the prefix of every secret
#: The prefix of the random part of one-time links. The request log leaves out texts with this prefix.
LINK_PREFIX = TOKEN_PREFIX + "link_"


class TokenSigner:
    """Signs and verifies tokens with the deployment's keys, newest first."""

    def __init__(self, keys: Sequence[str]) -> None:
        # itsdangerous expects the oldest key first and signs with the last one.
        oldest_first = list(reversed(keys))
        self._signers = {
            scope: Signer(oldest_first, f"scimsvc.{scope}-token", key_derivation="hmac", digest_method=hashlib.sha256)
            for scope in SCOPES
        }
        #: The IDs of the keys. The first one signs, and all verify.
        self.key_ids = tuple(map(key_id, keys))
        # The content of a token never changes. Expiry and revocation are checked elsewhere, each time. Only tokens of
        # this service are cached, because others raise BadData.
        self._read_signed = lru_cache(maxsize=4096)(self._verify_signature)

    def issue(self, claims: Claims) -> str:
        """Return a token with the content ``claims``."""
        expires_at = int(claims.expires_at.timestamp())
        payload = [claims.enterprise_id, claims.token_id, expires_at, self.key_ids[0]]
        signed = self._signers[claims.scope].sign(base64_encode(write_json(payload)))
        return TOKEN_PREFIX + signed.decode("ascii")

    def verify(self, token: str, scope: str, now: datetime) -> Claims:
        """Return the content of ``token`` if it has not expired and was issued for the path of ``scope``.

        For the enterprise API, ``scope`` is ``api``, and each scope of the API is accepted. Raises ``InvalidToken`` or
        ``InsufficientScope``.
        """
        accepted, others = (API_SCOPES, (SCIM_SCOPE,)) if scope == API_SCOPE else ((SCIM_SCOPE,), API_SCOPES)
        claims = self._read_first(token, accepted)
        if claims is None:
            other = self._read_first(token, others)
            if other is not None:
                raise InsufficientScope(_OTHER_SCOPE[scope], other, needed=scope)
            raise InvalidToken(self._explain(token))
        if now >= claims.expires_at:
            raise expired(claims)
        return claims

    def read_any(self, token: str) -> Claims | None:
        """Return the content of ``token`` of any scope or expiry, or None if this service did not issue it."""
        return self._read_first(token, SCOPES)

    def verifies(self, key: str | None) -> bool:
        """Return whether tokens of the key ID ``key`` can be valid. None is a token without a key ID."""
        return key is None or key in self.key_ids

    def _read_first(self, token: str, scopes: Sequence[str]) -> Claims | None:
        if len(token) > _LONGEST_TOKEN or not token.startswith(TOKEN_PREFIX):
            return None
        for scope in scopes:
            try:
                return self._read_signed(token, scope)
            except (BadData, ValueError, TypeError, OverflowError):
                continue
        return None

    def _verify_signature(self, token: str, scope: str) -> Claims:
        """Return the content of ``token``. Raises ``BadData`` or another error if it was not issued for ``scope``."""
        text = token.removeprefix(TOKEN_PREFIX)
        if not _is_canonical(text):
            raise BadData("The token is not canonical.")
        # A token of an earlier version has no key ID.
        enterprise_id, token_id, expires_at, *_ = json.loads(base64_decode(self._signers[scope].unsign(text)))
        return Claims(enterprise_id, token_id, datetime.fromtimestamp(expires_at, UTC), scope)

    def _explain(self, token: str) -> str:
        """Return why ``token`` is not valid. Its content is not verified, so that only a key ID is read from it."""
        key = _read_key_id(token)
        if key is None or key in self.key_ids:
            return NOT_ISSUED
        return (
            f"This server did not issue the access token, because it does not have the key {key} that signed the "
            "token. Add that key to SCIMSVC_SECRET_KEY, or create a new token with the key of this server."
        )


def _read_key_id(token: str) -> str | None:
    """Return the key ID in the content of ``token``, which may be forged, or None."""
    if len(token) > _LONGEST_TOKEN or not token.startswith(TOKEN_PREFIX):
        return None
    try:
        content = json.loads(base64_decode(token.removeprefix(TOKEN_PREFIX).partition(".")[0]))
    except (BadData, ValueError, RecursionError):
        return None
    key = content[3] if isinstance(content, list) and len(content) == _PARTS else None
    return key if isinstance(key, str) and KEY_ID.fullmatch(key) else None


_PARTS = 4


def expired(claims: Claims) -> InvalidToken:
    """Return the refusal of an expired token."""
    description = f"The access token expired at {claims.expires_at:%Y-%m-%dT%H:%M:%SZ}."
    return InvalidToken(description, claims, advice=_RENEWAL[SCIM_SCOPE if claims.scope == SCIM_SCOPE else API_SCOPE])


NOT_ISSUED = "This service did not issue the access token. Copy the whole token again."
_LONGEST_TOKEN = 512
_RENEWAL = {
    SCIM_SCOPE: Advice(
        "Create a new one in the scimsvc console and paste it into Entra's Secret Token field.",
        "Create a new one in the scimsvc console and enter it in the identity provider.",
    ),
    API_SCOPE: Advice.same("Request a new one."),
}
#: The refusal of a token for other paths, by the scope that the path needs.
_OTHER_SCOPE = {
    SCIM_SCOPE: f"This is an API token, valid only for {API_PREFIX}. Request a SCIM token: "
    "send scope=scim, append ?scope=scim to the token URL, send the header X-SCIM: true, or use an integration that is "
    "limited to the scope scim.",
    API_SCOPE: f"This is a SCIM token, valid only for {SCIM_PREFIX}. Request an API token: send "
    "scope=api and not the header X-SCIM, from an integration that allows it.",
}


def _is_canonical(text: str) -> bool:
    """Return whether ``text`` is the canonical base64 of its bytes. Other spellings would verify too."""
    try:
        return all(base64_encode(base64_decode(part)) == part.encode("ascii") for part in text.split("."))
    except (BadData, UnicodeEncodeError):
        return False


def new_token_id() -> str:
    """Return a random identifier of 128 bits in characters without a meaning for shells and option parsers."""
    return secrets.token_hex(16)


def new_client_secret() -> str:
    """Return a random client secret of 256 bits."""
    return SECRET_PREFIX + secrets.token_urlsafe(32)


def new_link() -> str:
    """Return the random part of a one-time link, of 256 bits."""
    return LINK_PREFIX + secrets.token_urlsafe(32)


def digest_secret(secret: str) -> str:
    """Return the stored digest of a client secret or a link. 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
