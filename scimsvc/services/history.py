"""Provisioning over time: how many users were created, changed and disabled and how much was refused, hour by hour.

An hour that is over does not change any more. It is counted once and remembered for as long as the process lives, so
that a look at a month of a large log reads no more of it than the last hour.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from scimsvc import clock
from scimsvc.services.changes import CREATED, DELETED, DISABLED, ENABLED, TAKEN_OVER, UPDATED
from scimsvc.services.provisioning_log import REFUSED, first_id
from scimsvc.store import queries

#: What is told apart, in the order in which it is shown.
SERIES = ("created", "changed", "disabled", "refused")
_SERIES_OF = {
    CREATED: "created", UPDATED: "changed", ENABLED: "changed", TAKEN_OVER: "changed",
    DISABLED: "disabled", DELETED: "disabled",
}  # fmt: skip
HOURS_SHOWN = 48
DAYS_SHOWN = 30

_HOUR = timedelta(hours=1)
#: An entry may be committed later than it was timed.
_COMMITTED_WITHIN = timedelta(minutes=5)
_MOST_ENTERPRISES = 1000

Counts = Mapping[str, int]


@dataclass(slots=True)
class _Settled:
    """The hours of an enterprise that are over, up to a time."""

    until: datetime
    hours: dict[datetime, Counts] = field(default_factory=dict)


class History:
    """Remembers the hours that are over, of so many enterprises."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._settled: OrderedDict[str, _Settled] = OrderedDict()

    def hours(self, connection: Connection, enterprise_id: str, *, now: datetime) -> dict[datetime, Counts]:
        """Return what was counted in each hour of the days that are shown; an hour without anything is left out."""
        first = _day_of(now) - timedelta(days=DAYS_SHOWN - 1)
        with self._lock:
            settled = self._settled.get(enterprise_id)
        known, since = (settled.hours, max(first, settled.until)) if settled else ({}, first)
        counted = _count(connection, enterprise_id, since)
        hours = {hour: counts for hour, counts in {**known, **counted}.items() if hour >= first}
        self._remember(enterprise_id, hours, until=_hour_of(now - _COMMITTED_WITHIN))
        return hours

    def _remember(self, enterprise_id: str, hours: Mapping[datetime, Counts], *, until: datetime) -> None:
        settled = _Settled(until, {hour: counts for hour, counts in hours.items() if hour < until})
        with self._lock:
            self._settled[enterprise_id] = settled
            self._settled.move_to_end(enterprise_id)
            while len(self._settled) > _MOST_ENTERPRISES:
                self._settled.popitem(last=False)


def _count(connection: Connection, enterprise_id: str, since: datetime) -> dict[datetime, Counts]:
    # Ids begin with twelve hexadecimal digits: nothing follows an id that begins with a g.
    own = {"enterprise_id": enterprise_id, "since": first_id(since), "until": "g"}
    hours: dict[datetime, dict[str, int]] = {}
    for row in connection.execute(queries.LOG_BY_HOUR, own):
        series = "refused" if row.outcome == REFUSED else _SERIES_OF.get(row.effect or "")
        if series is not None:
            counts = hours.setdefault(datetime.fromisoformat(f"{row.hour}:00:00Z"), dict.fromkeys(SERIES, 0))
            counts[series] += row.entries
    return dict(hours)


def provisioning_over_time(
    connection: Connection, enterprise_id: str, history: History
) -> dict[str, list[dict[str, Any]]]:
    """Return ``hours``, the last two days, and ``days``, the last thirty, oldest first; each with its ``start``."""
    now = clock.now()
    hours = history.hours(connection, enterprise_id, now=now)
    days: dict[datetime, dict[str, int]] = {}
    for hour, counts in hours.items():
        day = days.setdefault(_day_of(hour), dict.fromkeys(SERIES, 0))
        for name in SERIES:
            day[name] += counts[name]
    return {
        "hours": _spans(hours, _hour_of(now), _HOUR, HOURS_SHOWN),
        "days": _spans(days, _day_of(now), timedelta(days=1), DAYS_SHOWN),
    }


def _spans(counted: Mapping[datetime, Counts], last: datetime, length: timedelta, number: int) -> list[dict[str, Any]]:
    starts = (last - length * ago for ago in reversed(range(number)))
    nothing = dict.fromkeys(SERIES, 0)
    return [{"start": clock.timestamp(start), **counted.get(start, nothing)} for start in starts]


def _hour_of(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _day_of(instant: datetime) -> datetime:
    return _hour_of(instant).replace(hour=0)
