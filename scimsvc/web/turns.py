"""The turn of a background job: how it learns that it must stop."""

from collections.abc import Callable
from threading import Event


class Turn:
    """Ends when the process stops, or when another process may do the work instead of this one."""

    def __init__(self, stopping: Event, is_mine: Callable[[], bool] = lambda: True) -> None:
        """Create a turn that lasts until ``stopping`` is set, and while ``is_mine`` is true."""
        self.stopping = stopping
        self._is_mine = is_mine

    def is_over(self) -> bool:
        """Return whether the job must return now. Ask before each step that others can see."""
        return self.stopping.is_set() or not self._is_mine()

    def rest(self, seconds: float) -> None:
        """Wait, but at most until the process stops."""
        self.stopping.wait(seconds)
