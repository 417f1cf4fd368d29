"""Tokens that come near their expiry are announced: nobody is to find out from a quarantine (Entra facts section 4)."""

import logging
import threading
from datetime import datetime, timedelta

from flask import Response

from scimsvc import clock
from scimsvc.paths import is_scim
from scimsvc.web.state import AppState, RequestState

#: When the token of the request expires, in RFC 3339; sent during the token's last two weeks.
EXPIRY_HEADER = "X-Token-Expires-At"

#: From here on every SCIM answer tells when the token expires.
TELL_WITHIN = timedelta(days=14)
#: From here on the log warns, once a day for each token.
WARN_WITHIN = timedelta(days=3)
_WARN_EVERY = timedelta(days=1)


class ExpiryNotices:
    """Remembers which tokens this process warned of, and when."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._warned: dict[str, datetime] = {}

    def is_due(self, token_id: str, expires_at: datetime, now: datetime) -> bool:
        """Tell whether the log is to warn of the token now, and count it as warned of."""
        if expires_at - now > WARN_WITHIN:
            return False
        with self._lock:
            last = self._warned.get(token_id)
            if last is not None and now - last < _WARN_EVERY:
                return False
            self._warned[token_id] = now
            return True


expiry_notices: AppState[ExpiryNotices] = AppState("expiry notices")
_log = logging.getLogger("scimsvc")


def announce_expiry(state: RequestState, response: Response) -> None:
    """Add the expiry of the caller's token to a SCIM answer, and warn in the log, if it is close."""
    caller = state.caller
    if caller is None or caller.token_expires_at - state.answered_at >= TELL_WITHIN or not is_scim(state.request.path):
        return
    expires_at = clock.timestamp(caller.token_expires_at)
    response.headers.add(EXPIRY_HEADER, expires_at)
    if expiry_notices.of(state.app).is_due(caller.token_id, caller.token_expires_at, state.answered_at):
        _log.warning(
            "the SCIM token %s of %s expires at %s; issue a new one and put it into Entra's Secret Token field",
            caller.token_id, caller.enterprise, expires_at,
        )  # fmt: skip
