"""Pruning: log entries are kept for ``log_days`` and changes for ``change_days``.

A serving process prunes by itself, a little at a time. ``scimsvc log prune`` does it at once.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from flask import Flask, Response

from scimsvc import clock
from scimsvc.store.engine.outages import DATABASE_ERRORS
from scimsvc.store.engine.retries import retried
from scimsvc.store.engine.transactions import Connection, reading, writing
from scimsvc.store.enterprises import list_enterprises
from scimsvc.store.feed import count_old_changes, delete_old_changes
from scimsvc.store.log import count_old_entries, delete_old_entries
from scimsvc.store.settings import get_global_settings
from scimsvc.web.state import AppState, RequestState

_logger = logging.getLogger("scimsvc")

#: Rows that one transaction deletes. It is short, so that others write between two of them.
_PRUNED_AT_ONCE = 1000


class _Deletion(Protocol):
    def __call__(self, connection: Connection, enterprise_id: str, before: datetime, *, limit: int) -> int: ...


@dataclass(frozen=True, slots=True)
class _Prunable:
    """A table whose rows are kept for as many days as a global setting states."""

    setting: str
    count_old: Callable[[Connection, datetime], int]
    delete_old: _Deletion

    def end(self, older_than: timedelta | None) -> datetime:
        """Return the time before which rows are old: older than ``older_than`` or, without it, than the setting."""
        if older_than is None:
            with reading() as connection:
                older_than = timedelta(days=get_global_settings(connection)[self.setting])
        return clock.now() - older_than

    def count(self, older_than: timedelta | None = None) -> int:
        """Return how many rows are old."""
        end = self.end(older_than)
        with reading() as connection:
            return self.count_old(connection, end)

    def prune(self, older_than: timedelta | None = None) -> Iterator[int]:
        """Delete the old rows and yield how many each transaction deleted; not to ask on stops the pruning."""
        end = self.end(older_than)
        with reading() as connection:
            enterprises = list_enterprises(connection)
        for enterprise in enterprises:
            while count := _prune_enterprise(self, enterprise.id, end):
                yield count


@retried
def _prune_enterprise(table: _Prunable, enterprise_id: str, end: datetime) -> int:
    with writing() as connection:
        return table.delete_old(connection, enterprise_id, end, limit=_PRUNED_AT_ONCE)


_LOG = _Prunable("log_days", count_old_entries, delete_old_entries)
#: The count may be a few changes too high: the newest of each enterprise stays.
_FEED = _Prunable("change_days", count_old_changes, delete_old_changes)


def prune_log(older_than: timedelta | None = None) -> Iterator[int]:
    """Delete log entries older than ``older_than`` or, without it, than ``log_days``; yield their numbers."""
    return _LOG.prune(older_than)


def prune_changes() -> Iterator[int]:
    """Delete changes older than ``change_days``, but never an enterprise's newest; yield their numbers."""
    return _FEED.prune()


def prune(older_than: timedelta | None = None, *, progress: Callable[[int, int], None]) -> dict[str, int]:
    """Prune the log (as ``prune_log`` does) and the feed, and return how many rows of each were deleted.

    ``progress`` is called with how many more were deleted, and of how many.
    """
    total = _LOG.count(older_than) + _FEED.count()
    return {
        "log_entries": _sum(prune_log(older_than), total, progress),
        "changes": _sum(prune_changes(), total, progress),
    }


def _sum(counts: Iterator[int], total: int, progress: Callable[[int, int], None]) -> int:
    deleted = 0
    for count in counts:
        deleted += count
        progress(count, total)
    return deleted


class Pruning:
    """Prunes in a serving process: once a day, in one small transaction after each answer."""

    INTERVAL = timedelta(days=1)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started_at: datetime | None = None
        self._transactions: Iterator[int] | None = None

    def is_due(self, now: datetime) -> bool:
        """Return whether there may be something to prune ``now``."""
        started = self._started_at
        return self._transactions is not None or started is None or not timedelta(0) <= now - started < self.INTERVAL

    def prune_some(self) -> None:
        """Run one transaction, unless another thread does; after a failure the next day tries again."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            transactions, self._transactions = self._transactions, None
            if transactions is None:
                self._started_at = clock.now()
                transactions = _prune_everything()
            if next(transactions, None) is not None:
                self._transactions = transactions
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
            _logger.warning("log and change feed cannot be pruned: %s", type(cause).__name__)
