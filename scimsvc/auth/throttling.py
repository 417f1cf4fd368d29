"""Throttling of wrong client secrets, wrong passwords and SCIM requests, counted in this process.

The token endpoint refuses a client from an address after twenty wrong secrets a minute (contract section 4). The rate
limit (``SCIMSVC_RATE_LIMIT``) is a last resort, because Entra may quarantine a job that is refused. Entra expects 25
requests a second and sends bursts, so that a limit below 50 causes refusals.
"""

import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from scimsvc.auth.errors import TooManyWrongSecrets
from scimsvc.errors import TooManyAttempts
from scimsvc.protocol.errors import TooManyRequests
from scimsvc.web.state import AppState

WINDOW_SECONDS = 60.0
MOST_WRONG = 20
_MOST_PAIRS = 10_000

#: The maximum of wrong passwords a minute: for an account from one address, for an account, and from an address.
MOST_PASSWORDS = 5
MOST_FOR_ACCOUNT = 20
MOST_FROM_ADDRESS = 30


class Attempts:
    """Remembers wrong attempts under names of several parts, at most ``most`` of each name within the window."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._times: OrderedDict[tuple[str, ...], deque[float]] = OrderedDict()

    def wait(self, *name: str) -> int:
        """Return the seconds until another attempt is allowed; 0 means now."""
        with self._lock:
            times = self._recent(name)
            if times is None or len(times) < self._most:
                return 0
            return int(times[0] + WINDOW_SECONDS - self._clock()) + 1

    def note(self, *name: str) -> None:
        """Remember a wrong attempt now."""
        with self._lock:
            times = self._times.setdefault(name, deque(maxlen=self._most))
            times.append(self._clock())
            self._times.move_to_end(name)
            while len(self._times) > _MOST_PAIRS:
                self._times.popitem(last=False)

    def _recent(self, name: tuple[str, ...]) -> deque[float] | None:
        times = self._times.get(name)
        while times and times[0] <= self._clock() - WINDOW_SECONDS:
            times.popleft()
        return times


class WrongSecrets:
    """Counts wrong client secrets for each address and client.

    Requests with a valid token are not affected, because only the token endpoint uses this counter.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._attempts = Attempts(MOST_WRONG, clock)

    def check(self, address: str, client_id: str) -> None:
        """Raise ``TooManyWrongSecrets`` if the maximum was reached within the window."""
        wait = self._attempts.wait(address, client_id)
        if wait:
            raise TooManyWrongSecrets(
                f"{MOST_WRONG} wrong client secrets were sent within a minute. Try again in {wait} seconds.",
                retry_after=wait,
            )

    def note(self, address: str, client_id: str) -> None:
        """Remember a wrong secret now."""
        self._attempts.note(address, client_id)


class WrongPasswords:
    """Counts wrong passwords of the console's accounts. Unknown accounts count like known ones."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._both = Attempts(MOST_PASSWORDS, clock)
        self._account = Attempts(MOST_FOR_ACCOUNT, clock)
        self._address = Attempts(MOST_FROM_ADDRESS, clock)

    def check(self, address: str, account: str) -> None:
        """Raise ``TooManyAttempts`` if a maximum was reached within the window."""
        wait = max(self._both.wait(address, account), self._account.wait(account), self._address.wait(address))
        if wait:
            raise TooManyAttempts(f"Too many wrong passwords were sent. Try again in {wait} seconds.", retry_after=wait)

    def note(self, address: str, account: str) -> None:
        """Remember a wrong password now."""
        self._both.note(address, account)
        self._account.note(account)
        self._address.note(address)


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


wrong_secrets: AppState[WrongSecrets] = AppState("wrong secrets")
wrong_passwords: AppState[WrongPasswords] = AppState("wrong passwords")
rate_limit: AppState[RateLimit] = AppState("rate limit")
