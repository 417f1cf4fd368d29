"""Count created, changed and disabled users and refused writes per hour or day.

The counts of a past hour do not change. The process caches them, so that a report on a month of a large log reads only
the last hour.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

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
HOURS_SHOWN = 48
DAYS_SHOWN = 30

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_REMEMBERED = (DAYS_SHOWN + 1) * _DAY
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


def count_by_hour(connection: Connection, enterprise_id: str, cache: HourlyCounts) -> list[dict[str, Any]]:
    """Return the counts of each hour of the last two days with its ``start``, oldest first."""
    now = clock.now()
    first = _hour_of(now) - (HOURS_SHOWN - 1) * _HOUR
    hours = cache.hours(connection, enterprise_id, first=first, now=now)
    return _spans(hours, _hour_of(now), _HOUR, HOURS_SHOWN)


def count_by_day(connection: Connection, enterprise_id: str, cache: HourlyCounts) -> list[dict[str, Any]]:
    """Return the counts of each of the last thirty days in UTC with its ``start``, oldest first."""
    now = clock.now()
    first = _day_of(now) - (DAYS_SHOWN - 1) * _DAY
    days: dict[datetime, dict[str, int]] = {}
    for hour, counts in cache.hours(connection, enterprise_id, first=first, now=now).items():
        day = days.setdefault(_day_of(hour), dict.fromkeys(SERIES, 0))
        for name in SERIES:
            day[name] += counts[name]
    return _spans(days, _day_of(now), _DAY, DAYS_SHOWN)


def _spans(counted: Mapping[datetime, Counts], last: datetime, length: timedelta, number: int) -> list[dict[str, Any]]:
    starts = (last - length * ago for ago in reversed(range(number)))
    nothing = dict.fromkeys(SERIES, 0)
    return [{"start": clock.timestamp(start), **counted.get(start, nothing)} for start in starts]


def _hour_of(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _day_of(instant: datetime) -> datetime:
    return _hour_of(instant).replace(hour=0)
