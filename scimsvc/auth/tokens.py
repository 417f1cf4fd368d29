"""Access tokens: signed and verified.

A token is ``scimsvc_`` and what itsdangerous makes of the enterprise, the token's id and its expiry: signed with
HMAC-SHA-256 under a salt per scope, readable by anyone who has it, forged by nobody. Whether it was revoked stands
in the database, by its id and never by its text.
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

SECRET_PREFIX = "scimsvc_cs_"  # noqa: S105  # what every secret begins with
#: What every one-time link ends in begins with; the request log leaves out what begins so.
LINK_PREFIX = TOKEN_PREFIX + "link_"


class TokenSigner:
    """Signs and verifies tokens with the deployment's keys, newest first."""

    def __init__(self, keys: Sequence[str]) -> None:
        # itsdangerous wants the keys oldest first and signs with the last.
        oldest_first = list(reversed(keys))
        self._signers = {
            scope: Signer(oldest_first, f"scimsvc.{scope}-token", key_derivation="hmac", digest_method=hashlib.sha256)
            for scope in SCOPES
        }
        # What a token says is the same for ever; whether it still counts is asked elsewhere, each time.
        self._read = lru_cache(maxsize=4096)(self._verify_signature)

    def issue(self, scope: str, claims: Claims) -> str:
        """Return a token for ``scope``."""
        payload = [claims.enterprise_id, claims.token_id, int(claims.expires_at.timestamp())]
        signed = self._signers[scope].sign(base64_encode(write_json(payload)))
        return TOKEN_PREFIX + signed.decode("ascii")

    def verify(self, token: str, scope: str, now: datetime) -> Claims:
        """Return what ``token`` says, if it was issued for ``scope`` and has not expired.

        Raises ``InvalidToken`` or ``InsufficientScope``.
        """
        claims = self._read(token, scope)
        if claims is None:
            other = self.read_any(token)
            if other is not None:
                raise InsufficientScope(_OTHER_SCOPE[scope], other)
            raise InvalidToken("the access token is not one that this service issued; copy it again, whole")
        if now >= claims.expires_at:
            raise InvalidToken(
                f"the access token expired at {claims.expires_at:%Y-%m-%dT%H:%M:%SZ}; "
                "issue a new one and put it into Entra's Secret Token field"
                if scope == SCIM_SCOPE
                else f"the access token expired at {claims.expires_at:%Y-%m-%dT%H:%M:%SZ}; fetch a new one",
                claims,
            )
        return claims

    def _verify_signature(self, token: str, scope: str) -> Claims | None:
        text = token.removeprefix(TOKEN_PREFIX)
        if not token.startswith(TOKEN_PREFIX) or len(token) > _LONGEST_TOKEN or not _is_canonical(text):
            return None
        try:
            payload = base64_decode(self._signers[scope].unsign(text))
            enterprise_id, token_id, expires_at = json.loads(payload)
            return Claims(enterprise_id, token_id, datetime.fromtimestamp(expires_at, UTC))
        except (BadData, ValueError, TypeError, OverflowError):
            return None

    def read_any(self, token: str) -> Claims | None:
        """Return what ``token`` says whatever its scope or expiry, or None where it was not issued here."""
        return next(filter(None, (self._read(token, scope) for scope in SCOPES)), None)


_LONGEST_TOKEN = 512
_OTHER_SCOPE = {
    SCIM_SCOPE: f"this is an API token, good for {API_PREFIX} alone; fetch a SCIM token with the header X-SCIM: true",
    API_SCOPE: f"this is a SCIM token, good for {SCIM_PREFIX} alone; fetch a token without the header X-SCIM",
}


def _is_canonical(text: str) -> bool:
    """Tell whether ``text`` is the one spelling of its bytes: base64 has others, which would verify as well."""
    try:
        return all(base64_encode(base64_decode(part)) == part.encode("ascii") for part in text.split("."))
    except (BadData, UnicodeEncodeError):
        return False


def new_token_id() -> str:
    """Return a random identifier of 128 bits, in characters that no shell or option parser minds."""
    return secrets.token_hex(16)


def new_client_secret() -> str:
    """Return a random client secret of 256 bits."""
    return SECRET_PREFIX + secrets.token_urlsafe(32)


def new_link() -> str:
    """Return the random end of a one-time link, of 256 bits."""
    return LINK_PREFIX + secrets.token_urlsafe(32)


def digest_secret(secret: str) -> str:
    """Return what is kept of a client secret or a link: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
