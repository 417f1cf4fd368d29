"""A thread that sends the messages of one webhook for one turn. It uses no database."""

import threading
import time
from collections.abc import Callable, Mapping
from queue import SimpleQueue

from scimsvc.notifications.sending.posting import Outcome, Receiver

#: An attempt that takes more seconds is slow.
SLOW = 2.0


class Sender:
    """Sends one message after another over one connection. ``done`` is called in its thread with each outcome."""

    def __init__(self, receiver: Receiver, done: Callable[[Outcome], None]) -> None:
        """Start the thread. Raises ``RuntimeError`` if the system allows no more threads."""
        self._receiver = receiver
        self._done = done
        self._requests: SimpleQueue[tuple[Mapping[str, str], bytes] | None] = SimpleQueue()
        self._began = time.monotonic()
        #: The beginning of the running attempt.
        self._attempt_began: float | None = None
        self._thread = threading.Thread(target=self._run, name="scimsvc-webhook", daemon=True)
        self._thread.start()

    @property
    def age(self) -> float:
        """The seconds since the beginning of the turn."""
        return time.monotonic() - self._began

    @property
    def is_slow(self) -> bool:
        """Whether the running attempt takes long."""
        began = self._attempt_began
        return began is not None and time.monotonic() - began > SLOW

    def send(self, headers: Mapping[str, str], body: bytes) -> None:
        """Send a message after the earlier ones."""
        self._attempt_began = time.monotonic()
        self._requests.put((headers, body))

    def end(self) -> None:
        """Close the connection after the running attempt, and end the thread."""
        self._requests.put(None)

    def abort(self) -> None:
        """End the running attempt soon, whatever its outcome, and the thread."""
        self._receiver.abort()
        self.end()

    def _run(self) -> None:
        while (request := self._requests.get()) is not None:
            outcome = self._receiver.post(*request)
            self._attempt_began = None
            self._done(outcome)
        self._receiver.close()
