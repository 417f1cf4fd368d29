"""The rate limit (``SCIMSVC_RATE_LIMIT``): requests of an enterprise per second, counted in this process.

It is a last resort, because Entra may quarantine a job that is refused. Entra expects 25 requests a second and sends
bursts, so that a limit below 50 causes refusals.

Each kind of path has buckets of its own. Otherwise a busy console or host application would use up the rate of Entra.
"""

import math
import threading
import time
from collections.abc import Callable

from scimsvc.bounded import Bounded
from scimsvc.protocol.errors import TooManyRequests
from scimsvc.web.state import AppState

#: The kinds of requests. Their names are words of the answer.
SCIM, API, TOKEN, CONSOLE = "SCIM", "API", "token", "console"
#: The lowest rate of other requests than SCIM requests. A click in the console causes several requests.
LOWEST_OTHER_RATE = 10.0
#: A bucket that is forgotten is full again. It would be full after a second at most.
_MOST_BUCKETS = 10_000


class RateLimit:
    """Limits each enterprise to ``rate`` requests a second and kind, with a token bucket for one second.

    A ``rate`` of 0 means no limit.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._lock = threading.Lock()
        #: By kind and ID: the requests that are left, and the time of the last one.
        self._buckets: Bounded[tuple[str, str], tuple[float, float]] = Bounded(_MOST_BUCKETS)

    def take(self, owner_id: str, kind: str = SCIM) -> None:
        """Count a request of an enterprise or account. Raises ``TooManyRequests`` with ``Retry-After``."""
        if not self._rate:
            return
        rate = self._rate if kind == SCIM else max(self._rate, LOWEST_OTHER_RATE)
        wait = self._wait((kind, owner_id), rate)
        if wait:
            raise TooManyRequests(
                f"More than {rate:g} {kind} requests a second were sent. Retry in {wait} s.",
                {"Retry-After": str(wait)},
            )

    def _wait(self, key: tuple[str, str], rate: float) -> int:
        """Count a request and return 0, or return the seconds to wait."""
        capacity = max(rate, 1.0)
        with self._lock:
            now = self._clock()
            left, since = self._buckets.get(key, (capacity, now))
            left = min(capacity, left + (now - since) * rate)
            is_allowed = left >= 1
            self._buckets.put(key, (left - is_allowed, now))
        return 0 if is_allowed else math.ceil((1 - left) / rate)


rate_limit: AppState[RateLimit] = AppState("rate limit")
