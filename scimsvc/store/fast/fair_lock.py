"""A lock that threads acquire in the order of their requests, each with its own timeout."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import TimeoutError as PoolTimeout

#: Seconds that a thread waits for the write lock of its app, before it waits for the lock of SQLite itself.
LOCK_TIMEOUT = 10.0


class FairLockTimeout(PoolTimeout):
    """The lock was not acquired in time. Clients get the same error as for other timeouts of the database."""


class FairLock:
    """A lock for one thread at a time, in the order of the requests."""

    def __init__(self) -> None:
        self._state = threading.Lock()
        #: A locked lock for each waiting thread. Releasing it wakes the thread.
        self._waiting: deque[threading.Lock] = deque()
        self._is_held = False

    @contextmanager
    def held(self, timeout: float) -> Iterator[None]:
        """Acquire the lock for the block. Raises ``FairLockTimeout`` after ``timeout`` seconds."""
        self.acquire(timeout)
        try:
            yield
        finally:
            self.release()

    def acquire(self, timeout: float) -> None:
        """Acquire the lock, which the caller must release. Raises ``FairLockTimeout`` after ``timeout`` seconds."""
        with self._state:
            if not self._is_held:
                self._is_held = True
                return
            admission = threading.Lock()
            admission.acquire()
            self._waiting.append(admission)
        if admission.acquire(timeout=max(timeout, 0)):
            return
        with self._state:
            if admission in self._waiting:
                self._waiting.remove(admission)
                raise FairLockTimeout(f"the write lock was not available within {timeout:g} seconds")
        # Another thread passed the lock to this one right after the timeout.

    def release(self) -> None:
        """Release the lock, or pass it to the thread that has waited longest."""
        with self._state:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_held = False
