"""Call the provider of single sign-on without waiting for it longer than a few seconds.

A call runs on a thread of its own, because neither the resolution of a name nor a response that arrives byte by byte
ends with the timeout of a socket. The request waits a bounded time. Few calls run at once, and after a call that failed
others fail immediately for a while, so that a provider that hangs occupies no threads of the server.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from scimsvc import clock
from scimsvc.errors import ServiceError

_Result = TypeVar("_Result")
_log = logging.getLogger("scimsvc")

#: How long a request waits for the provider.
PATIENCE = timedelta(seconds=5)
#: How long no further call is made after one that failed.
PAUSE = timedelta(seconds=10)
MOST_CALLS = 4


class ProviderUnavailable(ServiceError):
    """The provider does not answer, or not as OpenID Connect requires."""

    status = 503

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.headers = {"Retry-After": str(int(PAUSE.total_seconds()))}


class ProviderCalls:
    """Runs the calls of one app."""

    def __init__(self) -> None:
        self._slots = threading.BoundedSemaphore(MOST_CALLS)
        self._paused_until: datetime | None = None

    def run(self, call: Callable[[], _Result]) -> _Result:
        """Return the result of ``call``. Raises its ``ServiceError``, or ``ProviderUnavailable``."""
        if self._paused_until is not None and clock.now() < self._paused_until:
            raise ProviderUnavailable(_NO_ANSWER)
        if not self._slots.acquire(blocking=False):
            raise ProviderUnavailable("Too many people are signing in at the moment. Try again in a few seconds.")
        outcome: list[_Result | Exception] = []

        def run() -> None:
            try:
                outcome.append(call())
            except Exception as error:  # noqa: BLE001  # raised again below, on the thread of the request
                outcome.append(error)
            finally:
                self._slots.release()

        thread = threading.Thread(target=run, name="single sign-on", daemon=True)
        thread.start()
        thread.join(PATIENCE.total_seconds())
        return self._result(outcome[0] if outcome else TimeoutError("no answer in time"))

    def _result(self, outcome: _Result | Exception) -> _Result:
        if isinstance(outcome, ServiceError):
            raise outcome
        if isinstance(outcome, OSError):  # errors of the network, and those of requests
            if _is_silence(outcome):
                self._paused_until = clock.now() + PAUSE
            _log.warning("the provider of single sign-on cannot be reached: %s", type(outcome).__name__)
            raise ProviderUnavailable(_NO_ANSWER) from None
        if isinstance(outcome, Exception):
            raise outcome
        self._paused_until = None
        return outcome


def _is_silence(error: OSError) -> bool:
    """Return whether the provider did not answer at all."""
    if isinstance(error, TimeoutError):
        return True
    from requests import ConnectionError as NoConnection
    from requests import Timeout

    return isinstance(error, NoConnection | Timeout)


_NO_ANSWER = (
    "The provider of single sign-on does not respond. Try again in a minute. "
    "If this continues, tell the operator of this service."
)
