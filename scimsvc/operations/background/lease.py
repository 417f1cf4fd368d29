"""Hold a lease in the database, so that one process at a time works for the installation.

No decision compares the clocks of two machines. A holder changes the row (a beat) every few seconds. A contender takes
the lease over when it has seen the same row for ``PATIENCE`` seconds of its own steady clock. A holder stops its work
``TRUST`` seconds after the beginning of its last successful beat. ``TRUST`` is shorter than ``PATIENCE``, so a holder
that lost the database, or was stopped for a while, has ended its work before another process begins.
"""

import secrets
from dataclasses import dataclass
from math import inf

from scimsvc import clock
from scimsvc.store import leases
from scimsvc.store.engine.retries import retried
from scimsvc.store.engine.transactions import writing


@dataclass(frozen=True, slots=True)
class Periods:
    """The times of a lease in seconds."""

    #: Between two beats of the holder.
    beat: float = 10.0
    #: Between two looks of a contender.
    look: float = 5.0
    #: How long a holder works after the beginning of its last beat.
    trust: float = 20.0
    #: How long a contender must have seen the same row.
    patience: float = 30.0


class Lease:
    """The lease ``name`` as one process sees it. One thread calls ``keep`` and ``release``; others ask ``is_held``."""

    def __init__(self, name: str, periods: Periods) -> None:
        self.name = name
        self.holder = secrets.token_hex(8)
        self._periods = periods
        self._is_holder = False
        self._trusted_until = -inf
        self._next_look = -inf
        #: The beat that a contender saw, and since when.
        self._seen: tuple[int, float] | None = None

    def is_held(self) -> bool:
        """Return whether this process may work now."""
        return clock.elapsed() < self._trusted_until

    def keep(self) -> None:
        """Beat, or try to get the lease, when it is time. Raises ``DATABASE_ERRORS``."""
        now = clock.elapsed()
        if now < self._next_look:
            return
        self._next_look = now + self._periods.look  # after an error as well
        if self._is_holder:
            self._beat(now)
        if not self._is_holder:
            self._contend(now)

    def release(self) -> None:
        """Free the lease, so that another process need not wait. Raises ``DATABASE_ERRORS``."""
        self._trusted_until = -inf
        if self._is_holder:
            self._is_holder = False
            _release(self.name, self.holder)

    def _beat(self, now: float) -> None:
        if _beat(self.name, self.holder):
            self._trust(now)
        else:
            self._is_holder, self._trusted_until, self._seen = False, -inf, None

    def _contend(self, now: float) -> None:
        row = leases.find_lease(self.name)
        if row is None:
            taken = _insert(self.name, self.holder)
        elif row.holder is None or row.holder == self.holder or self._is_stale(row.beat, now):
            taken = _take(self.name, self.holder, row.beat)
        else:
            return
        if taken:
            self._is_holder, self._seen = True, None
            self._trust(now)

    def _trust(self, now: float) -> None:
        self._trusted_until = now + self._periods.trust
        self._next_look = now + self._periods.beat

    def _is_stale(self, beat: int, now: float) -> bool:
        """Return whether the row has been the same for the patience. The read of the first look began after ``now``."""
        if self._seen is None or self._seen[0] != beat:
            self._seen = (beat, clock.elapsed())
            return False
        return now - self._seen[1] >= self._periods.patience


def _at() -> str:
    return clock.timestamp(clock.now())


@retried
def _insert(name: str, holder: str) -> bool:
    with writing() as connection:
        return leases.insert_lease(connection, name, holder, at=_at())


@retried
def _take(name: str, holder: str, seen: int) -> bool:
    with writing() as connection:
        return leases.take_lease(connection, name, holder, seen=seen, at=_at())


@retried
def _beat(name: str, holder: str) -> bool:
    with writing() as connection:
        return leases.beat_lease(connection, name, holder, at=_at())


@retried
def _release(name: str, holder: str) -> bool:
    with writing() as connection:
        return leases.release_lease(connection, name, holder, at=_at())
