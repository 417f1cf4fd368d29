"""Count created, changed and disabled users and refused writes by hour, by six hours, or by day.

The counts of a past hour do not change. The process caches them, so that a report on a month of a large log reads only
the last hour.
"""

import threading
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, NamedTuple

from flask import Flask

from scimsvc import clock
from scimsvc.activity.following import COMMITTED_WITHIN
from scimsvc.bounded import Bounded
from scimsvc.store import log_reports
from scimsvc.store.engine.transactions import Connection
from scimsvc.vocabulary import CREATED, DELETED, DISABLED, ENABLED, REFUSED, TAKEN_OVER, UPDATED
from scimsvc.web.state import AppState

#: The names of an hour's counts, in display order.
SERIES = ("created", "changed", "disabled", "refused")
_SERIES_OF = {
    CREATED: "created", UPDATED: "changed", ENABLED: "changed", TAKEN_OVER: "changed",
    DISABLED: "disabled", DELETED: "disabled",
}  # fmt: skip


class TimeRange(NamedTuple):
    """A range of time until now: its number of spans, and the hours of each."""

    spans: int
    hours: int


LAST_DAY = TimeRange(24, 1)
#: The ranges by the names that searches of the log use.
RANGES = {"24h": LAST_DAY, "7d": TimeRange(28, 6), "30d": TimeRange(30, 24)}

_REMEMBERED = timedelta(days=32)
#: The bounds of the cache. An hour takes about 350 bytes.
_MOST_ENTERPRISES = 1000
_MOST_HOURS = 50_000

Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Settled:
    """The cached counts of an enterprise's past hours between two times."""

    since: datetime
    until: datetime
    hours: Mapping[datetime, Counts]


class HourlyCounts:
    """Cache the counts of past hours for the enterprises whose reports were read last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._settled: Bounded[str, _Settled] = Bounded(_MOST_ENTERPRISES)

    def hours(
        self, connection: Connection, enterprise_id: str, *, first: datetime, now: datetime
    ) -> dict[datetime, Counts]:
        """Return the counts of each hour since ``first``. Hours without entries are missing."""
        with self._lock:
            settled = self._settled.get(enterprise_id)
        if settled is None:
            settled = _Settled(first, first, {})
        hours = dict(settled.hours)
        if first < settled.since:
            hours |= _count(connection, enterprise_id, first, settled.since)
        hours |= _count(connection, enterprise_id, max(first, settled.until), None)
        self._remember(enterprise_id, hours, since=min(first, settled.since), until=_hour_of(now - COMMITTED_WITHIN))
        return hours

    def _remember(
        self, enterprise_id: str, hours: Mapping[datetime, Counts], *, since: datetime, until: datetime
    ) -> None:
        oldest = max(since, until - _REMEMBERED)
        over = {hour: counts for hour, counts in hours.items() if oldest <= hour < until}
        with self._lock:
            self._settled.put(enterprise_id, _Settled(oldest, until, over))
            while sum(len(settled.hours) for settled in self._settled.values()) > _MOST_HOURS:
                self._settled.popitem(last=False)


hourly_counts: AppState[HourlyCounts] = AppState("hourly counts")


def init_hourly_counts(app: Flask) -> None:
    """Create the cache of past hours for ``app``."""
    hourly_counts.init_app(app, HourlyCounts())


def _count(
    connection: Connection, enterprise_id: str, since: datetime, until: datetime | None
) -> dict[datetime, Counts]:
    hours: dict[datetime, dict[str, int]] = {}
    for row in log_reports.count_by_hour(connection, enterprise_id, since=since, until=until):
        series = REFUSED if row.outcome == REFUSED else _SERIES_OF.get(row.effect or "")
        if series is not None:
            counts = hours.setdefault(datetime.fromisoformat(f"{row.hour}:00:00Z"), dict.fromkeys(SERIES, 0))
            counts[series] += row.entries
    return dict(hours)


def count_by_span(
    connection: Connection, enterprise_id: str, cache: HourlyCounts, time_range: TimeRange, zone: tzinfo = UTC
) -> list[dict[str, Any]]:
    """Return the counts of each span of the range with its ``start`` and ``end``, oldest first.

    Days and quarters of days begin at these hours of the time ``zone``.
    """
    now = clock.now()
    starts = _starts(now, time_range, zone)
    spans: list[dict[str, Any]] = [
        {"start": clock.timestamp(start), "end": clock.timestamp(end), **dict.fromkeys(SERIES, 0)}
        for start, end in zip(starts, [*starts[1:], now], strict=True)
    ]
    first = _hour_of(starts[0])
    for hour, counts in cache.hours(connection, enterprise_id, first=first, now=now).items():
        if hour >= first:
            span = spans[max(0, bisect_right(starts, hour) - 1)]
            for name in SERIES:
                span[name] += counts[name]
    return spans


def _starts(now: datetime, time_range: TimeRange, zone: tzinfo) -> list[datetime]:
    """Return the starts of the spans in UTC, oldest first. The last span is the one that contains ``now``."""
    if time_range.hours == 1:
        last = _hour_of(now)
    else:
        local = now.astimezone(zone)
        last = local.replace(hour=local.hour - local.hour % time_range.hours, minute=0, second=0, microsecond=0)
    # The hours of the time zone are subtracted, so that days begin at midnight also before a change of its offset.
    spans = (last - timedelta(hours=time_range.hours * ago) for ago in reversed(range(time_range.spans)))
    return [start.astimezone(UTC) for start in spans]


def _hour_of(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
