"""Sign messages by Standard Webhooks 1.0, so that receivers can verify them with a published library."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from importlib.metadata import version

_SCHEME = "v1"


def sign(secrets: Sequence[bytes], message_id: str, *, timestamp: int, body: bytes) -> str:
    """Return the value of the header ``webhook-signature``: a signature by each secret, separated by spaces.

    ``timestamp`` is the time of the attempt in seconds since 1970.
    """
    content = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(_sign(secret, content) for secret in secrets)


def _sign(secret: bytes, content: bytes) -> str:
    return f"{_SCHEME}," + base64.b64encode(hmac.digest(secret, content, hashlib.sha256)).decode()


def signed_headers(secrets: Sequence[bytes], message_id: str, *, now: datetime, body: bytes) -> dict[str, str]:
    """Return the headers of an attempt at the time ``now``."""
    timestamp = int(now.timestamp())
    return {
        "content-type": "application/json",
        "user-agent": _user_agent(),
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secrets, message_id, timestamp=timestamp, body=body),
    }


@cache
def _user_agent() -> str:
    return f"scimsvc/{version('scimsvc')}"
