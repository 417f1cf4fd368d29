"""Threads that serve no queue of requests."""

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

_log = logging.getLogger("scimsvc")


def run(action: Callable[[], None]) -> None:
    """Call ``action``. A failure is logged and leaves the thread working."""
    try:
        action()
    except Exception:  # noqa: BLE001  # it is logged
        _log.exception("A request failed outside of the application.")


class Apart:
    """Runs actions one after another in a thread of its own, which starts with the first one."""

    def __init__(self, name: str, *, most: int | None = None) -> None:
        """Create a thread's queue of at most ``most`` actions. Further ones are dropped."""
        self._name = name
        self._most = most
        self._actions: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._unfinished = 0

    @property
    def is_busy(self) -> bool:
        """Whether an action runs or waits."""
        return self._unfinished > 0

    def add(self, action: Callable[[], None]) -> None:
        """Run ``action`` after the earlier ones."""
        with self._lock:
            if self._most is not None and self._unfinished >= self._most:
                return
            if self._thread is None:
                thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                thread.start()  # fails if the system allows no more threads, and the next action tries again
                self._thread = thread
            self._unfinished += 1
        self._actions.put(action)

    def _run(self) -> None:
        while True:
            run(self._actions.get())
            with self._lock:
                self._unfinished -= 1
