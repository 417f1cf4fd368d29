"""Keep a secret between the form that creates it and the page that shows it once.

The secret is combined with a random pad of its length (a one-time pad). The database has the result, and the browser's
cookie has the pad. Neither reveals anything without the other: a copy of the database contains no secret, and a copy of
the cookie is useless after the page was shown. The row belongs to the session and ends with it.
"""

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from typing import Any

from scimsvc import clock
from scimsvc.errors import InvalidInput
from scimsvc.store import pending_secrets as store
from scimsvc.store.engine.retries import retried
from scimsvc.store.engine.transactions import writing

#: How long a secret waits for its page.
SHOWN_WITHIN = timedelta(minutes=10)
#: Bytes of a secret with the values beside it. The cookie of the session has a pad of the same length.
_LONGEST = 1000


@retried
def keep_secret(session_id: str, path: str, content: dict[str, Any]) -> str:
    """Keep ``content`` for the page at ``path``, in place of what waits, and return the pad for the cookie.

    Raises ``InvalidInput`` if the session has ended.
    """
    plain = json.dumps(content).encode()
    if len(plain) > _LONGEST:
        raise ValueError("The content of the page is too long for the cookie.")
    pad = secrets.token_bytes(len(plain))
    until = clock.timestamp(clock.now() + SHOWN_WITHIN)
    sealed = json.dumps([path, until, urlsafe_b64encode(_combine(plain, pad)).decode()])
    with writing() as connection:
        if not store.set_pending_secret(connection, session_id, sealed):
            raise InvalidInput("Your session has ended. Sign in, and create another secret.")
    return urlsafe_b64encode(pad).decode()


@retried
def take_secret(session_id: str, path: str, pad: str) -> dict[str, Any] | None:
    """Return what waits for the page at ``path``, only once. None if nothing waits, or if the time is over."""
    with writing() as connection:
        sealed = store.find_pending_secret(connection, session_id)
        if sealed is None:
            return None
        of_path, until, combined = json.loads(sealed)
        if of_path != path or not store.take_pending_secret(connection, session_id, sealed):
            return None
    if until <= clock.timestamp(clock.now()):
        return None
    content: dict[str, Any] = json.loads(_combine(urlsafe_b64decode(combined), urlsafe_b64decode(pad)))
    return content


def _combine(content: bytes, pad: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(content, pad, strict=True))
