"""A lock that threads get in the order in which they ask for it, and do not wait for longer than they want to."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import TimeoutError as PoolTimeout


class TurnTimeout(PoolTimeout):
    """The turn did not come in time; told to clients as any other wait for the database that was in vain."""


class Turns:
    """Gives one thread at a time its turn, first come, first served."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False

    @contextmanager
    def turn(self, timeout: float) -> Iterator[None]:
        """Wait for the turn and have it until the end; raises ``TurnTimeout`` after ``timeout`` seconds."""
        self.take(timeout)
        try:
            yield
        finally:
            self.pass_on()

    def take(self, timeout: float) -> None:
        """Wait for the turn, which must be passed on then; raises ``TurnTimeout`` after ``timeout`` seconds."""
        with self._lock:
            if not self._taken:
                self._taken = True
                return
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        if mine.acquire(timeout=timeout):
            return
        with self._lock:
            if mine in self._waiting:
                self._waiting.remove(mine)
                raise TurnTimeout(f"no turn to write within {timeout:g} seconds")
        # It came at the last moment.

    def pass_on(self) -> None:
        """Let the next one have the turn."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False
