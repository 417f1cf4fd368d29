"""The time that requests have for their reads and writes.

Each read and each write has a limit, and so have all of a request together. Reads and writes outside of requests have
their limits too, so that no thread of a server waits forever. Commands and copies have none.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from math import inf
from time import monotonic
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from scimsvc.store.engine.watchdog import Watched
from scimsvc.store.fast.connections import WRITE

SubjectT = TypeVar("SubjectT")


class DeadlineExceeded(PoolTimeout):
    """A read or a write took longer than it may, and was interrupted."""

    def __init__(self, mode: str, *, may_be_applied: bool = False, hangs: bool = True) -> None:
        super().__init__(f"the database did not complete a {mode} in time")
        #: ``READ`` or ``WRITE``.
        self.mode = mode
        #: Whether a commit was interrupted, so that the result is unknown.
        self.may_be_applied = may_be_applied
        #: Whether the database did not answer at all. Otherwise it answers, and only this work took too long.
        self.hangs = hangs


class Deadlines(threading.local):
    """The time that one thread has for its reads and writes."""

    def __init__(self, limits: Mapping[str, float]) -> None:
        #: The default seconds of a read and of a write, by mode.
        self._default = limits
        self._limits = limits
        #: The seconds that are left for the current request. Only the time of reads and writes counts, so a request
        #: may wait for changes, or for its body.
        self._left = inf

    def begin_request(self) -> None:
        """Give a new request the time of one write for all of its reads and writes."""
        self._left = self._default[WRITE]

    def end_request(self) -> None:
        """End the limit of the request."""
        self._left = inf

    def renew(self) -> None:
        """Give the request its whole time again, because a part of its work is done."""
        if self._left != inf:
            self._left = max(self._left, self._default[WRITE])

    def expiry(self, mode: str) -> float:
        """Return when a read or write that begins now must be done. Raises ``DeadlineExceeded`` if no time is left."""
        left = self._left
        if left <= 0:
            raise DeadlineExceeded(mode)
        return monotonic() + min(self._limits[mode], left)

    def spend(self, since: float) -> None:
        """Count the time of a read or write that began at ``since``, by ``time.monotonic``."""
        self._left -= monotonic() - since

    @property
    def are_over(self) -> bool:
        """Whether no time is left for the request."""
        return self._left <= 0

    def extended(self, seconds: float) -> AbstractContextManager[None]:
        """Allow at least ``seconds`` for each read, for each write and for all of them in the block."""
        limits = {mode: max(limit, seconds) for mode, limit in self._limits.items()}
        return self.replaced(limits, max(self._left, seconds))

    @contextmanager
    def replaced(self, limits: Mapping[str, float], left: float) -> Iterator[None]:
        """Use other ``limits``, and allow ``left`` seconds in total, in the block."""
        before = self._limits, self._left
        self._limits, self._left = limits, left
        try:
            yield
        finally:
            self._limits, self._left = before


class _Hangs:
    """When a write of this process last exceeded its deadline, by ``time.monotonic``."""

    latest = -inf


def hung_within(seconds: float) -> bool:
    """Return whether a write exceeded its deadline in the last ``seconds``, so that the database seems to hang."""
    return monotonic() - _Hangs.latest < seconds


def note_hang() -> None:
    """Note that a write exceeded its deadline, or its wait for the lock of SQLite."""
    _Hangs.latest = monotonic()


def refuse_overdue(watched: Watched, mode: str, error: BaseException) -> None:
    """Raise ``DeadlineExceeded`` if ``error`` of the driver ended a use because of its deadline."""
    if watched.is_overdue and isinstance(error, DBAPIError):
        if mode == WRITE:
            note_hang()
        raise DeadlineExceeded(mode, hangs=watched.hangs) from error


def commit_in_time(watched: Watched, commit: Callable[[SubjectT], object], subject: SubjectT) -> None:
    """Commit ``subject``. Raises ``DeadlineExceeded`` if the deadline passes before or during the commit."""
    if watched.is_overdue:
        raise DeadlineExceeded(WRITE, hangs=watched.hangs)
    try:
        commit(subject)
    except DBAPIError as error:
        refuse_unconfirmed(watched, error)
        raise
    # PostgreSQL reports success if the wait for a standby is cancelled, although no standby has the change.
    refuse_unconfirmed(watched, None)


def refuse_unconfirmed(watched: Watched, error: DBAPIError | None) -> None:
    """Raise ``DeadlineExceeded`` if the deadline passed during a commit that failed with ``error``, or succeeded."""
    if watched.is_overdue and (error is not None or watched.may_be_interrupted_late):
        note_hang()
        raise DeadlineExceeded(WRITE, may_be_applied=watched.may_be_interrupted_late) from error
