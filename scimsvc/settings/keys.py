"""Secret keys: create them, derive a key for each purpose from them, and name them without showing them."""

import hashlib
import hmac
import re
import secrets

#: The purpose of the key that signs the console's sessions and forms.
SESSIONS = "console sessions"
_KEY_ID = "key ID"
_ID_LENGTH = 8
#: The entry of an app's configuration that marks a key as temporary, for a command that needs none.
TEMPORARY_KEY = "TEMPORARY_KEY"
#: The form of a key ID.
KEY_ID = re.compile(rf"[0-9a-f]{{{_ID_LENGTH}}}")


def new_secret_key() -> str:
    """Return a random secret key of 384 bits."""
    return secrets.token_urlsafe(48)


def temporary_key() -> dict[str, object]:
    """Return the configuration of an app for a command that needs no key."""
    return {"SECRET_KEY": new_secret_key(), TEMPORARY_KEY: True}


def derive_key(secret_key: str, purpose: str) -> str:
    """Return the key for ``purpose``, in hexadecimal. It reveals neither ``secret_key`` nor the keys of other purposes.

    This is one block of HKDF-Expand (RFC 5869 §2.3). A secret key is long and random, so it needs no extraction.
    """
    information = f"scimsvc {purpose}".encode() + b"\x01"
    return hmac.digest(secret_key.encode(), information, hashlib.sha256).hex()


def key_id(secret_key: str) -> str:
    """Return the key ID of ``secret_key``: eight hexadecimal digits that may be stored and shown."""
    return derive_key(secret_key, _KEY_ID)[:_ID_LENGTH]
