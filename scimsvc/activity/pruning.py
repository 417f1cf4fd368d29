"""Pruning of what is kept for a time alone: the provisioning log by ``log_days``, the change feed by ``change_days``.

A serving process does it by itself, a little at a time; ``scimsvc log prune`` does it at once.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from flask import Flask, Response

from scimsvc import clock
from scimsvc.activity.change_feed import count_prunable_changes, prune_changes
from scimsvc.activity.provisioning_log import count_prunable_entries, prune_log
from scimsvc.store.outages import DATABASE_ERRORS
from scimsvc.web.state import AppState, RequestState

_log = logging.getLogger("scimsvc")


def prune(older_than: timedelta | None = None, *, progress: Callable[[int, int], None]) -> dict[str, int]:
    """Delete log entries older than ``older_than`` (else than ``log_days``) and changes older than ``change_days``.

    Return how many there were of each. ``progress`` is told how many more went, and of how many.
    """
    of = count_prunable_entries(older_than) + count_prunable_changes()
    return {
        "log_entries": _counted(prune_log(older_than), of, progress),
        "changes": _counted(prune_changes(), of, progress),
    }


def _counted(batches: Iterator[int], of: int, progress: Callable[[int, int], None]) -> int:
    total = 0
    for count in batches:
        total += count
        progress(count, of)
    return total


class Pruning:
    """Prunes in a serving process: begun once a day, and then one small transaction behind each answer."""

    INTERVAL = timedelta(days=1)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun_at: datetime | None = None
        self._batches: Iterator[int] | None = None

    def is_due(self, now: datetime) -> bool:
        """Tell whether there may be something to prune ``now``."""
        begun = self._begun_at
        return self._batches is not None or begun is None or not timedelta(0) <= now - begun < self.INTERVAL

    def prune_some(self) -> None:
        """Do one transaction of it, unless another thread is at it; what fails is tried again the next day."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            batches, self._batches = self._batches, None
            if batches is None:
                self._begun_at = clock.now()
                batches = _prune_everything()
            if next(batches, None) is not None:
                self._batches = batches
        finally:
            self._lock.release()


def _prune_everything() -> Iterator[int]:
    yield from prune_log()
    yield from prune_changes()


pruner: AppState[Pruning] = AppState("pruning")


def prune_when_due(state: RequestState, response: Response) -> None:
    """Prune a little once the response to a caller is sent, if there may be something to prune."""
    if state.caller is not None and pruner.of(state.app).is_due(state.answered_at):
        app = state.app
        response.call_on_close(lambda: _prune_some(app))


def _prune_some(app: Flask) -> None:
    """Prune; a database that cannot be written leaves it for the next day."""
    with app.app_context():
        try:
            pruner.of(app).prune_some()
        except DATABASE_ERRORS as error:
            cause = getattr(error, "orig", None) or error
            _log.warning("log and change feed cannot be pruned: %s", type(cause).__name__)
