"""Warn in the log, once a day, of tokens in use that expire soon, before the provider stops (Entra facts section 4)."""

import logging
from datetime import datetime, timedelta

from scimsvc import clock
from scimsvc.auth.expiry import WARN_WITHIN
from scimsvc.bounded import Bounded
from scimsvc.store.engine.transactions import reading
from scimsvc.store.tokens import TokenRow, list_expiring_tokens_in_use
from scimsvc.web.turns import Turn

#: How often the log warns of each token.
WARN_EVERY = timedelta(days=1)
#: A token that was not used for longer is not in use.
_USED_WITHIN = timedelta(days=2)
_MOST_TOKENS = 10_000
_log = logging.getLogger("scimsvc")


class ExpiryWarnings:
    """Remembers when this process warned of each token."""

    def __init__(self) -> None:
        self._warned: Bounded[str, datetime] = Bounded(_MOST_TOKENS)

    def run(self, _turn: Turn) -> None:
        """Warn of the tokens for which a warning is due."""
        now = clock.now()
        with reading() as connection:
            tokens = list_expiring_tokens_in_use(
                connection,
                now=clock.timestamp(now),
                before=clock.timestamp(now + WARN_WITHIN),
                used_after=clock.timestamp(now - _USED_WITHIN),
            )
        for token in tokens:
            last = self._warned.get(token.id)
            if last is None or now - last >= WARN_EVERY:
                self._warned.put(token.id, now)
                _warn(token)


def _warn(token: TokenRow) -> None:
    _log.warning(
        "The SCIM token %s of %s expires at %s. Create a new one and enter it in the identity provider.",
        token.id, token.enterprise, token.expires_at,
    )  # fmt: skip
