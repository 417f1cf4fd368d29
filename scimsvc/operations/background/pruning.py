"""Prune once a day, and only by a steady clock.

Nothing is deleted before two looks at the clock, at least an hour apart, agree with the time that has elapsed between
them. A clock that is wrong for a while, for example until a machine synchronizes it after its start, therefore deletes
nothing.
"""

from datetime import datetime, timedelta

from scimsvc import clock
from scimsvc.activity.pruning import paced, prune_everything
from scimsvc.web.turns import Turn


class SteadyClock:
    """Looks at the clock, and the time since which they agree with the elapsed time."""

    #: How long the clock must have been steady.
    PERIOD = timedelta(hours=1)
    #: A difference in which the clock counts as steady. Synchronizing it moves it by less.
    TOLERANCE = timedelta(minutes=5)

    def __init__(self) -> None:
        self._first: tuple[datetime, float] | None = None

    def is_steady(self) -> bool:
        """Look at the clock, and return whether it has been steady for the period."""
        now, elapsed = clock.now(), clock.elapsed()
        if self._first is not None:
            since = timedelta(seconds=elapsed - self._first[1])
            if abs(now - self._first[0] - since) <= self.TOLERANCE:
                return since >= self.PERIOD
        self._first = (now, elapsed)
        return False


class Pruning:
    """The job that deletes old rows."""

    #: Seconds between two runs.
    INTERVAL = timedelta(days=1).total_seconds()

    def __init__(self) -> None:
        self._clock = SteadyClock()

    def run(self, turn: Turn) -> float | None:
        """Prune until nothing is old, the turn is over, or the clock is set. Return the seconds to an earlier run."""
        if self._clock.is_steady():
            for _ in paced(prune_everything(), turn.rest):
                if turn.is_over():
                    return 0.0
                if not self._clock.is_steady():
                    break
            else:
                return None
        return SteadyClock.PERIOD.total_seconds()
