"""A token bucket for each enterprise (``SCIMSVC_RATE_LIMIT``): a last resort, as Entra may quarantine a job over it.

The bucket holds one second's worth. Entra wants 25 requests a second and sends in bursts: a limit below 50 hurts it.
"""

import math
import threading
import time
from collections.abc import Callable

from scimsvc.protocol.errors import TooManyRequests
from scimsvc.web.state import AppState


class RateLimit:
    """Lets each enterprise send ``rate`` SCIM requests a second in this process; 0 lets everything through."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._capacity = max(rate, 1.0)
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, enterprise_id: str) -> None:
        """Count one request; raises ``TooManyRequests`` with ``Retry-After`` where the enterprise sends too many."""
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
                    f"more than {self._rate:g} SCIM requests a second; go on in {wait} s", {"Retry-After": str(wait)}
                )
            self._buckets[enterprise_id] = (left - 1, now)


rate_limit: AppState[RateLimit] = AppState("rate limit")
