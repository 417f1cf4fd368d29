"""A job of the background worker, and how its runs went."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import inf

from flask import Flask

from scimsvc import clock
from scimsvc.store.engine.outages import DATABASE_ERRORS, describe_outage
from scimsvc.web.turns import Turn

_log = logging.getLogger("scimsvc")
#: The longest wait in seconds that follows an error, unless the interval of the job is longer.
_LONGEST_WAIT = 30.0
#: A thread ends if its job need not run for more seconds. Its database connection becomes available to others.
_LINGER = 5.0


@dataclass(frozen=True, slots=True)
class Job:
    """Work that is done again and again."""

    name: str
    #: Works until nothing is left or the turn is over. Returns the seconds until the next run, or None.
    run: Callable[[Turn], float | None]
    #: The seconds until the next run, unless ``run`` returns them.
    interval: float
    #: Whether one process at a time runs it for the installation. Other jobs run in every process.
    is_shared: bool = True


@dataclass(slots=True)
class Runs:
    """The runs of a job in this process, for ``/metrics``."""

    last_ended_at: datetime | None = None
    last_seconds: float = 0.0
    failures: int = 0


class JobRunner:
    """Runs one job in a thread of its own, so that a slow job delays no other one."""

    def __init__(self, app: Flask, job: Job, turn: Turn) -> None:
        """Create a runner. Nothing runs before ``start_if_due``."""
        self.job = job
        self.runs = Runs()
        self._app = app
        self._turn = turn
        self._due_at = -inf
        #: The errors since the last success, and the kind of the last one.
        self._errors = 0
        self._last_error: str | None = None
        self._thread: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        """Whether the thread of the job exists."""
        return self._thread is not None and self._thread.is_alive()

    def start_if_due(self) -> None:
        """Start the thread if the job is due, its turn is not over, and the thread does not run."""
        if self.is_running or clock.elapsed() < self._due_at or self._turn.is_over():
            return
        thread = threading.Thread(target=self._work, name=f"scimsvc-{self.job.name}", daemon=True)
        thread.start()  # fails if the system allows no more threads, and the next call tries again
        self._thread = thread

    def join(self, seconds: float) -> None:
        """Wait until the thread has ended, but at most ``seconds``."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _work(self) -> None:
        while not self._turn.is_over():
            wait = self.run_once()
            if wait > _LINGER:
                return
            self._turn.rest(wait)

    def run_once(self) -> float:
        """Run the job, and return the seconds until the next run. An error is logged once, until the job succeeds."""
        began = time.perf_counter()
        try:
            with self._app.app_context():
                wait = self.job.run(self._turn)
        except Exception as error:  # noqa: BLE001  # the worker must not end
            wait = self._note_error(error)
        else:
            self._note_success()
        wait = self.job.interval if wait is None else wait
        self.runs.last_seconds = time.perf_counter() - began
        self._due_at = clock.elapsed() + wait
        return wait

    def _note_success(self) -> None:
        self.runs.last_ended_at = clock.now()
        if self._errors:
            _log.info("The background job %s works again.", self.job.name)
        self._errors, self._last_error = 0, None

    def _note_error(self, error: Exception) -> float:
        self._errors += 1
        self.runs.failures += 1
        kind = type(getattr(error, "orig", None) or error).__name__
        if kind != self._last_error:
            self._last_error = kind
            log_failure(f"The background job {self.job.name}", error)
        return max(self.job.interval, min(_LONGEST_WAIT, 2.0 ** min(self._errors, 10)))


def log_failure(name: str, error: Exception) -> None:
    """Log an outage of the database as one line, and another error with its traceback."""
    if isinstance(error, DATABASE_ERRORS):
        _log.warning("%s cannot use the database: %s. It tries again.", name, describe_outage(error).rstrip("."))
    else:
        _log.error("%s failed. It tries again.", name, exc_info=error)
