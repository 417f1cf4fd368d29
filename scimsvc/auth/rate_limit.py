"""The rate limit (``SCIMSVC_RATE_LIMIT``): SCIM requests of an enterprise per second, counted in this process.

It is a last resort, because Entra may quarantine a job that is refused. Entra expects 25 requests a second and sends
bursts, so that a limit below 50 causes refusals.
"""

import math
import threading
import time
from collections.abc import Callable

from scimsvc.protocol.errors import TooManyRequests
from scimsvc.web.state import AppState


class RateLimit:
    """Limits each enterprise to ``rate`` SCIM requests a second, with a token bucket for one second.

    A ``rate`` of 0 means no limit.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._capacity = max(rate, 1.0)
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, enterprise_id: str) -> None:
        """Count one request. Raises ``TooManyRequests`` with ``Retry-After`` if the enterprise sends too many."""
        if not self._rate:
            return
        with self._lock:
            now = self._clock()
            left, since = self._buckets.get(enterprise_id, (self._capacity, now))
            left = min(self._capacity, left + (now - since) * self._rate)
            if left < 1:
                self._buckets[enterprise_id] = (left, now)
                wait = math.ceil((1 - left) / self._rate)
                raise TooManyRequests(
                    f"More than {self._rate:g} SCIM requests a second were sent. Retry in {wait} s.",
                    {"Retry-After": str(wait)},
                )
            self._buckets[enterprise_id] = (left - 1, now)


rate_limit: AppState[RateLimit] = AppState("rate limit")
