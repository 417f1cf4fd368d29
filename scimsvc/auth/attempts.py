"""Count wrong attempts in the database, so that all processes refuse together.

A limit allows a number of attempts within a minute that begins with the first one. Checking and counting are one step:
``take`` counts an attempt before it is made, and ``give_back`` takes the count back if it was right. A refused attempt
writes nothing, so that an attack causes a bounded number of writes. If the database cannot be written, the process
counts.
"""

import hashlib
import math
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

from scimsvc import clock
from scimsvc.bounded import Bounded
from scimsvc.store import attempts as store
from scimsvc.store.attempts import CountRow
from scimsvc.store.engine.outages import DATABASE_ERRORS
from scimsvc.store.engine.retries import retried
from scimsvc.store.engine.transactions import Connection, writing

WINDOW = timedelta(minutes=1)
#: A count that ends later was written before the clock was set back. Clocks of machines may differ by a minute.
_LATEST = 2 * WINDOW
#: How long a mark lasts, and how long before its end it is renewed.
_MARK = timedelta(days=90)
_RENEWED = timedelta(days=1)
#: The maximum number of counts that a process keeps while the database cannot be written.
_MOST_KEPT = 10_000


class Limit(NamedTuple):
    """A maximum of attempts, and the digest under which they are counted."""

    most: int
    key: str


def limit(most: int, *counted: str) -> Limit:
    """Return the limit of ``most`` attempts for ``counted``, such as an address and an account."""
    return Limit(most, digest_key(*counted))


def digest_key(*counted: str) -> str:
    """Return the key for ``counted``. It is short, whatever a client sends."""
    return hashlib.sha256("\0".join(counted).encode("utf-8", "surrogatepass")).hexdigest()[:32]


class LookUp(NamedTuple):
    """The seconds until every limit allows another attempt, and the end of a mark if it exists."""

    wait: int
    marked_until: str | None


class Attempts:
    """The counts of all processes of a database."""

    def __init__(self) -> None:
        self._process = _ProcessCounts()
        self._pruned_at: datetime | None = None

    def take(self, limits: Sequence[Limit]) -> int:
        """Count an attempt if every limit allows it. Return the seconds to wait; 0 means that it was counted."""
        now = clock.now()
        wait = self._wait(limits, _read([each.key for each in limits], now), now)
        if wait:
            return wait
        try:
            self._prune(now)
            return _take(limits, now)
        except DATABASE_ERRORS:
            return self._process.take(limits, now)

    def look_up(self, limits: Sequence[Limit], mark: str) -> LookUp:
        """Return the seconds until every limit allows another attempt, and the mark ``mark``, in one statement."""
        now = clock.now()
        rows = _read([mark, *(each.key for each in limits)], now)
        marked = rows.pop(mark, None)
        return LookUp(self._wait(limits, rows, now), marked.expires_at if marked is not None else None)

    def mark(self, key: str, *, marked_until: str | None) -> None:
        """Mark ``key`` for 90 days, unless this was done on the same day. The mark is lost if it cannot be written."""
        now = clock.now()
        if marked_until is None or clock.parse_timestamp(marked_until) < now + _MARK - _RENEWED:
            with suppress(*DATABASE_ERRORS):
                _mark(key, now)

    def _wait(self, limits: Sequence[Limit], rows: Mapping[str, CountRow], now: datetime) -> int:
        return max(_wait(limits, rows, now), self._process.wait(limits, now))

    def _prune(self, now: datetime) -> None:
        """Delete expired counts, once a minute."""
        if self._pruned_at is None or not timedelta(0) <= now - self._pruned_at < WINDOW:
            self._pruned_at = now
            _prune(now)


def _read(keys: Sequence[str], now: datetime) -> dict[str, CountRow]:
    try:
        return store.read_attempts(keys, now=clock.timestamp(now))
    except DATABASE_ERRORS:  # the process counts
        return {}


class _Reached(Exception):
    """A limit was reached by other attempts in the meantime. The transaction is rolled back."""

    def __init__(self, wait: int) -> None:
        super().__init__()
        self.wait = wait


def _take(limits: Sequence[Limit], now: datetime) -> int:
    try:
        _count(limits, now)
    except _Reached as reached:
        return reached.wait
    return 0


@retried
def _count(limits: Sequence[Limit], now: datetime) -> None:
    keys = [each.key for each in limits]
    with writing() as connection:
        ends = {"until": clock.timestamp(now + WINDOW), "latest": clock.timestamp(now + _LATEST)}
        counts = store.add_attempts(connection, keys, now=clock.timestamp(now), **ends)
        wait = _wait(limits, counts, now, own=1)
        if wait:
            raise _Reached(wait)


def give_back(connection: Connection, limits: Sequence[Limit]) -> None:
    """Take back an attempt that was right, in the transaction of ``connection``."""
    store.subtract_attempts(connection, [each.key for each in limits], now=clock.timestamp(clock.now()))


@retried
def _mark(key: str, now: datetime) -> None:
    with writing() as connection:
        store.remember_key(connection, key, until=clock.timestamp(now + _MARK))


@retried
def _prune(now: datetime) -> None:
    with writing() as connection:
        store.delete_expired_attempts(connection, now=clock.timestamp(now))


def _wait(limits: Sequence[Limit], counts: Mapping[str, CountRow], now: datetime, *, own: int = 0) -> int:
    """Return the seconds until every limit allows an attempt. ``own`` attempts of the caller are in the counts."""
    latest = clock.timestamp(now + _LATEST)
    rows = ((each.most, counts.get(each.key)) for each in limits)
    ends = [row.expires_at for most, row in rows if row and row.attempts >= most + own and row.expires_at <= latest]
    return max(1, math.ceil((clock.parse_timestamp(max(ends)) - now).total_seconds())) if ends else 0


class _ProcessCounts:
    """The counts of a process while the database cannot be written."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Bounded[str, CountRow] = Bounded(_MOST_KEPT)

    def wait(self, limits: Sequence[Limit], now: datetime) -> int:
        """Return the seconds until every limit allows another attempt."""
        if not self._counts:
            return 0
        with self._lock:
            return _wait(limits, self._current(limits, now), now)

    def take(self, limits: Sequence[Limit], now: datetime) -> int:
        """Count an attempt if every limit allows it. Return the seconds to wait; 0 means that it was counted."""
        with self._lock:
            counts = self._current(limits, now)
            wait = _wait(limits, counts, now)
            if not wait:
                for each in limits:
                    row = counts.get(each.key) or CountRow(each.key, 0, clock.timestamp(now + WINDOW))
                    self._counts.put(each.key, row._replace(attempts=row.attempts + 1))
            return wait

    def _current(self, limits: Sequence[Limit], now: datetime) -> dict[str, CountRow]:
        """Return the counts that have not expired, and delete the others."""
        at = clock.timestamp(now)
        rows = [self._counts.pop(each.key, None) for each in limits]
        current = {row.key: row for row in rows if row is not None and row.expires_at > at}
        self._counts |= current
        return current
