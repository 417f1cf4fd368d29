"""Tokens that come near their expiry are announced: nobody is to find out from a quarantine (Entra facts section 4)."""

import threading
from datetime import datetime, timedelta

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
