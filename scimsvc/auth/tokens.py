"""Sign and verify access tokens.

A token is ``scimsvc_`` followed by the enterprise, the token's ID and its expiry, which itsdangerous signs with
HMAC-SHA-256 and a salt for each scope. Its content is readable but cannot be changed. The database stores its ID and
whether it was revoked, but not its text.
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
from scimsvc.protocol.json_text import write_json
from scimsvc.vocabulary import API_SCOPE, SCIM_SCOPE, SCOPES, TOKEN_PREFIX

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
        # The content of a token never changes. Expiry and revocation are checked elsewhere, each time. Only tokens of
        # this service are cached, because others raise BadData.
        self._read_signed = lru_cache(maxsize=4096)(self._verify_signature)

    def issue(self, scope: str, claims: Claims) -> str:
        """Return a token for ``scope``."""
        payload = [claims.enterprise_id, claims.token_id, int(claims.expires_at.timestamp())]
        signed = self._signers[scope].sign(base64_encode(write_json(payload)))
        return TOKEN_PREFIX + signed.decode("ascii")

    def verify(self, token: str, scope: str, now: datetime) -> Claims:
        """Return the content of ``token`` if it was issued for ``scope`` and has not expired.

        Raises ``InvalidToken`` or ``InsufficientScope``.
        """
        claims = self._read(token, scope)
        if claims is None:
            other = self.read_any(token)
            if other is not None:
                raise InsufficientScope(_OTHER_SCOPE[scope], other)
            raise InvalidToken(NOT_ISSUED)
        if now >= claims.expires_at:
            raise InvalidToken(
                f"The access token expired at {claims.expires_at:%Y-%m-%dT%H:%M:%SZ}. {_RENEWAL[scope]}", claims
            )
        return claims

    def _read(self, token: str, scope: str) -> Claims | None:
        if len(token) > _LONGEST_TOKEN or not token.startswith(TOKEN_PREFIX):
            return None
        try:
            return self._read_signed(token, scope)
        except (BadData, ValueError, TypeError, OverflowError):
            return None

    def _verify_signature(self, token: str, scope: str) -> Claims:
        """Return the content of ``token``. Raises ``BadData`` or another error if it was not issued for ``scope``."""
        text = token.removeprefix(TOKEN_PREFIX)
        if not _is_canonical(text):
            raise BadData("The token is not canonical.")
        payload = base64_decode(self._signers[scope].unsign(text))
        enterprise_id, token_id, expires_at = json.loads(payload)
        return Claims(enterprise_id, token_id, datetime.fromtimestamp(expires_at, UTC))

    def read_any(self, token: str) -> Claims | None:
        """Return the content of ``token`` of any scope or expiry, or None if this service did not issue it."""
        return next(filter(None, (self._read(token, scope) for scope in SCOPES)), None)


NOT_ISSUED = "This service did not issue the access token. Copy the whole token again."
_LONGEST_TOKEN = 512
_RENEWAL = {
    SCIM_SCOPE: "Create a new one in the scimsvc console and paste it into Entra's Secret Token field.",
    API_SCOPE: "Request a new one.",
}
_OTHER_SCOPE = {
    SCIM_SCOPE: f"This is an API token, valid only for {API_PREFIX}. Request a SCIM token with X-SCIM: true.",
    API_SCOPE: f"This is a SCIM token, valid only for {SCIM_PREFIX}. Request a token without the header X-SCIM.",
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
