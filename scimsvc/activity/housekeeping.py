"""Prune once a day in a serving process, in a thread of its own, so that neither a response nor a worker waits for it.

A request starts the thread, and the thread ends with its work. Nothing is deleted before two looks at the clock, at
least an hour apart, agree with the time that has elapsed between them. A clock that is wrong for a while, for
example until a machine synchronizes it after its start, therefore deletes nothing.
"""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from flask import Flask, Response

from scimsvc import clock
from scimsvc.activity.pruning import paced, prune_everything
from scimsvc.store.engine.outages import DATABASE_ERRORS
from scimsvc.web.state import AppState, RequestState, web_state

_logger = logging.getLogger("scimsvc")


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


class Housekeeping:
    """The pruning of one app: when it is due, and the thread that prunes."""

    INTERVAL = timedelta(days=1)

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._clock = SteadyClock()
        self._lock = threading.Lock()
        #: The last look, and how long no other is needed.
        self._looked_at = datetime.min.replace(tzinfo=UTC)
        self._wait = timedelta(0)
        self.thread: threading.Thread | None = None

    def is_due(self, now: datetime) -> bool:
        """Return whether ``start`` has something to do ``now``. Every request asks."""
        return not timedelta(0) <= now - self._looked_at < self._wait

    def start(self) -> None:
        """Look at the clock, and start pruning if it has been steady."""
        with self._lock:
            if not self.is_due(clock.now()):
                return  # another thread was first
            self._looked_at = clock.now()
            if not self._clock.is_steady():
                self._wait = SteadyClock.PERIOD
                return
            self._wait = self.INTERVAL
            if self.thread is None or not self.thread.is_alive():
                self.thread = threading.Thread(target=self._prune, name="scimsvc-pruning", daemon=True)
                self.thread.start()

    def _prune(self) -> None:
        """Prune until nothing is old, the process stops, or the clock is set. After an error, continue the next day."""
        stopping = web_state.of(self._app).stopping
        with self._app.app_context():
            try:
                self._run(stopping.is_set, stopping.wait)
            except DATABASE_ERRORS as error:
                cause = getattr(error, "orig", None) or error
                _logger.warning("cannot delete old rows: %s. The next attempt is in a day.", type(cause).__name__)

    def _run(self, is_stopping: Callable[[], bool], rest: Callable[[float], object]) -> None:
        for _ in paced(prune_everything(), rest):
            if is_stopping() or not self._clock.is_steady():
                return


housekeeping: AppState[Housekeeping] = AppState("housekeeping")


def prune_when_due(state: RequestState, response: Response) -> None:
    """Start pruning after the response to a caller is sent, if old rows may exist."""
    if state.caller is not None:
        keeper = housekeeping.of(state.app)
        if keeper.is_due(state.answered_at):
            response.call_on_close(keeper.start)
