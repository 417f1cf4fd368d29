"""A clock that a test moves."""

from datetime import datetime, timedelta

import pytest

from scimsvc import clock


class MovedClock:
    """A clock that a test moves, and that can be set without time elapsing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Replace the clock of the service."""
        self._start, self._elapsed = clock.now(), clock.elapsed()
        self._moved = self._set = timedelta(0)
        monkeypatch.setattr(clock, "now", self.now)
        monkeypatch.setattr(clock, "elapsed", self.elapsed)

    def now(self) -> datetime:
        return self._start + self._moved + self._set

    def elapsed(self) -> float:
        return self._elapsed + self._moved.total_seconds()

    def move(self, **span: float) -> None:
        """Let time elapse."""
        self._moved += timedelta(**span)

    def set(self, **span: float) -> None:
        """Set the clock to a wrong time: the right one and ``span``."""
        self._set = timedelta(**span)
