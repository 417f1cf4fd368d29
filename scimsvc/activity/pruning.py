"""Delete what only old requests concern: entries of logs, changes, and what ended: tokens, secrets, sessions.

Log entries are stored for ``log_days``, changes for ``change_days``, and audit entries for ``audit_days``. The log and
the console name a token, a secret or an integration for ``log_days`` after it expired or was revoked. A session is
deleted when it has ended, a delivery of a webhook after a week, and a cycle of a provider after a month. An enterprise
with more rows than its quota allows loses the oldest earlier, except entries of the audit log.

Pruning works in small batches with rests between them, because SQLite has one writer. A batch of 50 rows takes a few
milliseconds, and larger ones delete no more rows a second. Without rests, the writers of other processes would wait for
seconds: SQLite does not queue them, and the lock would be taken again before they look.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from scimsvc import clock
from scimsvc.activity.audit import NO_MEMBERS, AuditLog, Difference, Target, audited
from scimsvc.store import old_notifications, old_rows
from scimsvc.store.engine.database import longer_deadline
from scimsvc.store.engine.retries import retried
from scimsvc.store.engine.transactions import Connection, reading, without_timeouts, writing
from scimsvc.store.enterprises import list_enterprises
from scimsvc.store.old_rows import Batch, Key, OldRows, Scope
from scimsvc.store.sessions import LONGEST_SESSION
from scimsvc.store.settings import get_global_settings
from scimsvc.vocabulary import Action
from scimsvc.web.state import app_settings

#: Rows that one transaction deletes.
_PRUNED_AT_ONCE = 50
#: A rest in relation to the batch before it.
_REST = 2.0
#: Seconds in which the rows of an enterprise are counted at the latest.
_LONGEST_COUNT = 600.0
#: How long ended tokens are kept if there are too many.
_SHORT = timedelta(days=1)
#: How long deliveries of webhooks are kept.
DELIVERIES_KEPT = timedelta(days=7)
#: Deliveries of an enterprise that are kept at most.
MOST_DELIVERIES = 200_000
#: How long cycles of providers are kept.
_CYCLES_KEPT = timedelta(days=30)
#: How long alerts are kept after they closed.
ALERTS_KEPT = timedelta(days=30)


def _all_enterprise_ids(connection: Connection, _before: datetime) -> list[str]:
    return [enterprise.id for enterprise in list_enterprises(connection)]


@dataclass(frozen=True, slots=True)
class PrunedTable:
    """A table whose old rows are deleted, the name of its rows, and how long they are kept."""

    name: str
    #: The global setting with the number of days, or a fixed time.
    kept: str | timedelta
    rows: OldRows
    #: Returns a later time for an enterprise that has too many rows, or else None.
    end_of: Callable[[Connection, str], datetime | None] = lambda _connection, _enterprise_id: None
    #: Returns the IDs of the enterprises that may have rows older than a time.
    enterprise_ids: Callable[[Connection, datetime], list[str]] = _all_enterprise_ids

    def end(self, older_than: timedelta | None = None) -> datetime:
        """Return the time before which rows are old: ``older_than`` ago, or by default ``kept``."""
        return clock.now() - (self._kept() if older_than is None else older_than)

    def _kept(self) -> timedelta:
        if isinstance(self.kept, timedelta):
            return self.kept
        with reading() as connection:
            return timedelta(days=get_global_settings(connection)[self.kept])

    def count(self, older_than: timedelta | None = None) -> int:
        """Return how many rows are old."""
        return self.count_before(self.end(older_than))

    def count_before(self, end: datetime) -> int:
        """Return how many rows ended before ``end``."""
        with reading() as connection:
            return self.rows.count(connection, end)

    def prune(self, older_than: timedelta | None = None) -> Iterator[int]:
        """Delete the old rows and yield the number of each transaction. The caller may stop at any time."""
        end = self.end(older_than)
        with reading() as connection:
            enterprise_ids = self.enterprise_ids(connection, end)
        for enterprise_id in enterprise_ids:
            scope = self.scope(enterprise_id, end)
            batches = self.find(scope)
            while batches:
                for batch in batches:
                    yield delete_batch(self.rows, batch)
                batches = self.find(scope, after=batches[-1].last)

    def scope(self, enterprise_id: str, end: datetime) -> Scope:
        """Return the rows of an enterprise that ended before ``end``, or before a later time if it has too many."""
        with longer_deadline(_LONGEST_COUNT), reading() as connection:
            without_timeouts(connection)
            end = max(end, self.end_of(connection, enterprise_id) or end)
            return self.rows.scope(connection, enterprise_id, end)

    def find(self, scope: Scope, *, after: Key | None = None) -> list[Batch]:
        """Return the next batches of the rows in ``scope``. Empty if none is left."""
        with reading() as connection:
            return self.rows.find(connection, scope, after=after, size=_PRUNED_AT_ONCE)


@retried
def delete_batch(rows: OldRows, batch: Batch) -> int:
    """Delete the rows of ``batch`` that still exist, and return their number."""
    with writing() as connection:
        return rows.delete(connection, batch)


def _end_of_log(connection: Connection, enterprise_id: str) -> datetime | None:
    """Return the time before which entries exceed the quota, or None."""
    return old_rows.find_time_of_excess(connection, enterprise_id, most=app_settings().quotas.log_entries)


def _end_of_tokens(connection: Connection, enterprise_id: str) -> datetime | None:
    """Return the time a day ago if the tokens, ended ones included, exceed twice the quota, or else None."""
    count = old_rows.count_tokens(connection, enterprise_id)
    return clock.now() - _SHORT if count > 2 * app_settings().quotas.tokens else None


def _end_of_deliveries(connection: Connection, enterprise_id: str) -> datetime | None:
    """Return the time before which deliveries are too many, or None."""
    return old_notifications.find_time_of_excess_deliveries(connection, enterprise_id, most=MOST_DELIVERIES)


LOG = PrunedTable("log_entries", "log_days", old_rows.ENTRIES, _end_of_log)
FEED = PrunedTable("changes", "change_days", old_rows.CHANGES)
#: All tables, in the order of pruning: tokens are deleted before their integrations.
TABLES = (
    LOG,
    FEED,
    PrunedTable("tokens", "log_days", old_rows.TOKENS, _end_of_tokens),
    PrunedTable("secrets", "log_days", old_rows.SECRETS),
    PrunedTable("integrations", "log_days", old_rows.INTEGRATIONS),
    PrunedTable(
        "audit_entries",
        "audit_days",
        old_rows.AUDIT_ENTRIES,
        enterprise_ids=old_rows.list_enterprises_with_old_audit_entries,
    ),
    PrunedTable("deliveries", DELIVERIES_KEPT, old_notifications.DELIVERIES, _end_of_deliveries),
    PrunedTable("sessions", LONGEST_SESSION, old_rows.SESSIONS, enterprise_ids=lambda _connection, _before: [""]),
    PrunedTable("provider_cycles", _CYCLES_KEPT, old_notifications.CYCLES),
    PrunedTable(
        "alerts",
        ALERTS_KEPT,
        old_notifications.ALERTS,
        enterprise_ids=old_notifications.list_enterprises_with_old_alerts,
    ),
    PrunedTable(
        "alert_events",
        "log_days",
        old_notifications.ALERT_EVENTS,
        enterprise_ids=old_notifications.list_enterprises_with_old_events,
    ),
)


def prune_everything() -> Iterator[int]:
    """Delete the old rows of all tables and yield the number of each step."""
    for table in TABLES:
        yield from table.prune()


def paced(steps: Iterator[int], rest: Callable[[float], object]) -> Iterator[int]:
    """Yield from ``steps``, and after each call ``rest`` with the seconds in which others get their turn."""
    began = time.perf_counter()
    for count in steps:
        took = time.perf_counter() - began
        yield count
        rest(_REST * took)
        began = time.perf_counter()


def prune(older_than: timedelta | None = None, *, progress: Callable[[int, int], None]) -> dict[str, int]:
    """Prune all tables completely, and return how many rows of each were deleted.

    ``older_than`` concerns the log. ``progress`` is called with the number of rows deleted since the last call, and the
    expected total.
    """
    _record(older_than)
    ages = {table.name: older_than if table is LOG else None for table in TABLES}
    total = sum(table.count(ages[table.name]) for table in TABLES)
    return {table.name: _sum(paced(table.prune(ages[table.name]), time.sleep), total, progress) for table in TABLES}


@audited
def _record(older_than: timedelta | None) -> None:
    difference = NO_MEMBERS if older_than is None else Difference(after={"older_than_days": older_than.days})
    with writing() as connection:
        AuditLog(connection).record(Action.LOG_PRUNED, Target(None, None), difference)


def _sum(counts: Iterator[int], total: int, progress: Callable[[int, int], None]) -> int:
    deleted = 0
    for count in counts:
        deleted += count
        progress(count, total)
    return deleted
