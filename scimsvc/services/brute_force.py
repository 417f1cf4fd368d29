"""Wrong client secrets, counted: twenty in a minute from one address for one client are enough (contract section 4)."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from scimsvc.tokens import TooManyWrongSecrets

MOST_WRONG = 20
WINDOW_SECONDS = 60.0
_MOST_PAIRS = 10_000


class WrongSecrets:
    """Remembers when wrong secrets came, for each address and client, in this process.

    A valid token is never affected: only the token endpoint asks here.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._times: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def check(self, address: str, client_id: str) -> None:
        """Raise ``TooManyWrongSecrets`` while there were too many within the window."""
        with self._lock:
            times = self._recent(address, client_id)
            if times is not None and len(times) >= MOST_WRONG:
                wait = int(times[0] + WINDOW_SECONDS - self._clock()) + 1
                raise TooManyWrongSecrets(
                    f"{MOST_WRONG} wrong client secrets came within a minute; try again in {wait} seconds",
                    retry_after=wait,
                )

    def note(self, address: str, client_id: str) -> None:
        """Remember that a wrong secret came now."""
        with self._lock:
            times = self._times.setdefault((address, client_id), deque(maxlen=MOST_WRONG))
            times.append(self._clock())
            self._times.move_to_end((address, client_id))
            while len(self._times) > _MOST_PAIRS:
                self._times.popitem(last=False)

    def _recent(self, address: str, client_id: str) -> deque[float] | None:
        times = self._times.get((address, client_id))
        while times and times[0] <= self._clock() - WINDOW_SECONDS:
            times.popleft()
        return times
