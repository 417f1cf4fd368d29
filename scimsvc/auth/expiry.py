"""Warn of tokens that expire soon, before the provider stops (Entra facts section 4)."""

import logging
import threading
from datetime import datetime, timedelta

from flask import Response

from scimsvc import clock
from scimsvc.bounded import Bounded
from scimsvc.paths import is_scim
from scimsvc.web.state import AppState, RequestState

#: The expiry of the request's token, in RFC 3339. It is sent during the token's last two weeks.
EXPIRY_HEADER = "X-Token-Expires-At"

#: The remaining lifetime from which every SCIM answer has the header.
TELL_WITHIN = timedelta(days=14)
#: The remaining lifetime from which the log warns, once a day for each token.
WARN_WITHIN = timedelta(days=3)
_WARN_EVERY = timedelta(days=1)
_MOST_TOKENS = 10_000


class ExpiryNotices:
    """Remembers when this process warned of each token."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._warned: Bounded[str, datetime] = Bounded(_MOST_TOKENS)

    def is_due(self, token_id: str, expires_at: datetime, now: datetime) -> bool:
        """Return whether the log should warn of the token now. If so, count the warning."""
        if expires_at - now > WARN_WITHIN:
            return False
        with self._lock:
            last = self._warned.get(token_id)
            if last is not None and now - last < _WARN_EVERY:
                return False
            self._warned.put(token_id, now)
            return True


expiry_notices: AppState[ExpiryNotices] = AppState("expiry notices")
_log = logging.getLogger("scimsvc")


def announce_expiry(state: RequestState, response: Response) -> None:
    """If the caller's token expires soon, add the expiry to a SCIM answer and warn in the log."""
    caller = state.caller
    if caller is None or caller.token_expires_at - state.answered_at >= TELL_WITHIN or not is_scim(state.request.path):
        return
    expires_at = clock.timestamp(caller.token_expires_at)
    response.headers.add(EXPIRY_HEADER, expires_at)
    if expiry_notices.of(state.app).is_due(caller.token_id, caller.token_expires_at, state.answered_at):
        _log.warning(
            "The SCIM token %s of %s expires at %s. Create a new one and enter it in the identity provider.",
            caller.token_id, caller.enterprise, expires_at,
        )  # fmt: skip
