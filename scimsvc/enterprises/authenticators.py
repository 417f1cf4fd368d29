"""Codes of authenticator apps (TOTP, RFC 6238), and recovery codes.

The secret of an app is derived from a secret key of the service, the account, and a random salt. The database has only
the salt, so that a copy of the database creates no codes.
"""

import base64
import hmac
import secrets
from collections.abc import Callable
from datetime import datetime

from scimsvc.auth.tokens import digest_secret
from scimsvc.protocol.attributes import fold
from scimsvc.settings.keys import derive_key

#: How long a code is shown, in seconds, and its number of digits. Apps ignore other values.
STEP = 30
DIGITS = 6
#: Clocks of phones differ, so that the codes before and after the current one are accepted too (RFC 6238 §5.2).
_ACCEPTED_STEPS = (0, -1, 1)
#: 160 bits, as RFC 4226 §4 recommends.
_SECRET_BYTES = 20

RECOVERY_CODES = 10
#: Characters without those that look like others. 24 of them have 118 bits, so their digest needs no slow hash.
_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"
_GROUPS, _IN_GROUP = 6, 4


def new_salt() -> str:
    """Return a random salt of 128 bits."""
    return secrets.token_hex(16)


def derive_secret(secret_key: str, admin_id: str, salt: str) -> str:
    """Return the secret of an authenticator app, in base32."""
    key = bytes.fromhex(derive_key(secret_key, f"second factor {admin_id} {salt}"))
    return base64.b32encode(key[:_SECRET_BYTES]).decode()


def matching_step(secret: str, code: str, at: datetime) -> int | None:
    """Return the step since 1970 whose code is ``code``, or None if the code is not valid at the time ``at``."""
    current, code_of = int(at.timestamp()) // STEP, _codes(secret)
    steps = [current + step for step in _ACCEPTED_STEPS]
    return next((step for step in steps if hmac.compare_digest(code_of(step).encode(), code.encode())), None)


def _codes(secret: str) -> Callable[[int], str]:
    import pyotp  # most processes never check a code

    return pyotp.TOTP(secret, digits=DIGITS, interval=STEP).generate_otp


def provisioning_uri(secret: str, email: str, issuer: str) -> str:
    """Return the content of the QR code that authenticator apps scan."""
    import pyotp

    return pyotp.TOTP(secret, digits=DIGITS, interval=STEP).provisioning_uri(name=email, issuer_name=issuer)


def new_recovery_codes() -> list[str]:
    """Return random recovery codes, such as 7fxk-2m9p-c4rt-w8zn-q3vh-6bdj."""
    return [_new_recovery_code() for _ in range(RECOVERY_CODES)]


def _new_recovery_code() -> str:
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_IN_GROUP)) for _ in range(_GROUPS))


def normal_code(typed: str) -> str:
    """Return a code without the spaces and hyphens that people type between groups, in lower case."""
    return "".join(character for character in fold(typed) if not character.isspace() and character != "-")


def is_app_code(code: str) -> bool:
    """Return whether ``code`` has the form of a code of an authenticator app."""
    return len(code) == DIGITS and code.isascii() and code.isdigit()


def digest_recovery_code(code: str) -> str:
    """Return the stored digest of a recovery code, however its groups are separated."""
    return digest_secret(normal_code(code))
