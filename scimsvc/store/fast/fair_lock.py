"""A lock that threads acquire in the order in which they ask for it, each waiting only as long as it wants to."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import TimeoutError as PoolTimeout


class FairLockTimeout(PoolTimeout):
    """The lock was not acquired in time; clients see it as any other wait for the database that was too long."""


class FairLock:
    """Admits one thread at a time, first come, first served."""

    def __init__(self) -> None:
        self._state = threading.Lock()
        #: One locked lock for each waiting thread, released to admit it.
        self._waiting: deque[threading.Lock] = deque()
        self._is_held = False

    @contextmanager
    def held(self, timeout: float) -> Iterator[None]:
        """Hold the lock until the end of the block; raises ``FairLockTimeout`` after ``timeout`` seconds."""
        self.acquire(timeout)
        try:
            yield
        finally:
            self.release()

    def acquire(self, timeout: float) -> None:
        """Wait for the lock, which the caller must release; raises ``FairLockTimeout`` after ``timeout`` seconds."""
        with self._state:
            if not self._is_held:
                self._is_held = True
                return
            admission = threading.Lock()
            admission.acquire()
            self._waiting.append(admission)
        if admission.acquire(timeout=timeout):
            return
        with self._state:
            if admission in self._waiting:
                self._waiting.remove(admission)
                raise FairLockTimeout(f"no turn to write within {timeout:g} seconds")
        # The lock was passed on at the last moment, and this thread holds it.

    def release(self) -> None:
        """Admit the thread that has waited longest."""
        with self._state:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_held = False
