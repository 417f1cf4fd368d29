"""Verify the signature of an ID token with the provider's keys. Imported with the first sign-in."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key
from joserfc.jws import JWSRegistry


class UnknownKey(JoseError):
    """None of the keys verifies the token."""

    error = "unknown_key"


def verify(text: str, key_set: Mapping[str, Any], algorithms: Collection[str]) -> jwt.Token:
    """Return the ID token ``text`` if one of the keys and ``algorithms`` signed it.

    Raises ``UnknownKey`` if no key has its key ID or verifies it, or another ``JoseError``.
    """
    keys = list(_keys(key_set))

    def find_key(token: Any) -> Key:
        key_id = token.headers().get("kid")
        found = [key for key in keys if key_id is None or key.kid == key_id]
        if len(found) != 1:  # a token without a key ID is unambiguous if the provider has only one key
            raise UnknownKey
        return found[0]

    registry = JWSRegistry(algorithms=list(algorithms), strict_check_header=False)
    try:
        return jwt.decode(text, find_key, registry=registry)
    except BadSignatureError:
        raise UnknownKey from None


def _keys(key_set: Mapping[str, Any]) -> Iterator[RSAKey | ECKey | OKPKey]:
    """Yield the public keys for signatures. Others, and those of unknown kinds, are skipped."""
    for each in key_set.get("keys", ()):
        if isinstance(each, dict) and each.get("kty") in ("RSA", "EC", "OKP") and each.get("use", "sig") == "sig":
            try:
                key = import_key(each)
            except (JoseError, ValueError, TypeError, KeyError):
                continue
            if isinstance(key, RSAKey | ECKey | OKPKey):
                yield key
