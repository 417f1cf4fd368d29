"""Delete log entries that are older than ``log_days``, and changes that are older than ``change_days``.

A serving process prunes once a day, in small steps. ``scimsvc log prune`` prunes immediately.
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

#: Rows that one transaction deletes. Transactions are short, so that others can write in between.
_PRUNED_AT_ONCE = 1000


class _Deletion(Protocol):
    def __call__(self, connection: Connection, enterprise_id: str, before: datetime, *, limit: int) -> int: ...


@dataclass(frozen=True, slots=True)
class _Prunable:
    """A table whose rows are stored for a number of days, which a global setting defines."""

    setting: str
    count_old: Callable[[Connection, datetime], int]
    delete_old: _Deletion

    def end(self, older_than: timedelta | None) -> datetime:
        """Return the time before which rows are old: ``older_than`` ago, or by default as the setting says."""
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
        """Delete the old rows and yield the number of each transaction. The caller may stop at any time."""
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
#: The count may be slightly too high, because the newest change of each enterprise is never deleted.
_FEED = _Prunable("change_days", count_old_changes, delete_old_changes)


def prune_log(older_than: timedelta | None = None) -> Iterator[int]:
    """Delete log entries older than ``older_than`` (by default ``log_days``) and yield the number of each step."""
    return _LOG.prune(older_than)


def prune_changes() -> Iterator[int]:
    """Delete changes older than ``change_days`` and yield the number of each step; keep each enterprise's newest."""
    return _FEED.prune()


def prune(older_than: timedelta | None = None, *, progress: Callable[[int, int], None]) -> dict[str, int]:
    """Prune the log and the feed completely, and return how many rows of each were deleted.

    ``progress`` is called with the number of rows deleted since the last call, and the expected total.
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
    """Prune in a serving process: once a day, with one small transaction after each response."""

    INTERVAL = timedelta(days=1)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started_at: datetime | None = None
        self._transactions: Iterator[int] | None = None

    def is_due(self, now: datetime) -> bool:
        """Return whether old rows may exist ``now``."""
        started = self._started_at
        return self._transactions is not None or started is None or not timedelta(0) <= now - started < self.INTERVAL

    def prune_some(self) -> None:
        """Run one transaction unless another thread runs one. After a failure, pruning continues on the next day."""
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
    """Prune one step after the response to a caller is sent, if old rows may exist."""
    if state.caller is not None and pruner.of(state.app).is_due(state.answered_at):
        app = state.app
        response.call_on_close(lambda: _prune_some(app))


def _prune_some(app: Flask) -> None:
    """Prune one step. A database error postpones pruning to the next day."""
    with app.app_context():
        try:
            pruner.of(app).prune_some()
        except DATABASE_ERRORS as error:
            cause = getattr(error, "orig", None) or error
            _logger.warning("cannot prune the provisioning log and the change feed: %s", type(cause).__name__)
