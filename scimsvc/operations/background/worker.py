"""The background worker of a process: it keeps the lease, and starts the jobs that are due."""

import logging
import threading
import time
from collections.abc import Sequence

from flask import Flask

from scimsvc.operations.background.jobs import Job, JobRunner, log_failure
from scimsvc.operations.background.lease import Lease, Periods
from scimsvc.store.engine.outages import DATABASE_ERRORS, describe_outage
from scimsvc.web.state import web_state
from scimsvc.web.turns import Turn

#: The name of the lease for the jobs that one process does for the installation.
WORKER_LEASE = "worker"
#: Seconds between two looks at the jobs.
TICK = 0.5
#: Seconds that all jobs together have to end before the lease is released.
_END_OF_JOBS = 5.0

_log = logging.getLogger("scimsvc")


class Worker:
    """Runs jobs until the process stops. Shared jobs run only while this process holds the lease."""

    def __init__(self, app: Flask, jobs: Sequence[Job], periods: Periods | None = None, *, tick: float = TICK) -> None:
        """Create the worker of ``app``. Nothing runs before ``start``."""
        self._app = app
        self._tick = tick
        self._stopping = web_state.of(app).stopping
        self.lease = Lease(WORKER_LEASE, periods or Periods())
        shared, own = Turn(self._stopping, self.lease.is_held), Turn(self._stopping)
        self.runners = [JobRunner(app, job, shared if job.is_shared else own) for job in jobs]
        self._thread: threading.Thread | None = None
        self._is_lease_failing = False

    def start(self) -> None:
        """Run in a thread of its own."""
        self._thread = threading.Thread(target=self._loop, name="scimsvc-worker", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether the worker's thread runs."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def is_busy(self) -> bool:
        """Whether the worker's thread or a job runs. After ``stopping`` is set, they end."""
        return self.is_alive or any(runner.is_running for runner in self.runners)

    def join(self, patience: float) -> None:
        """Wait until the worker and its jobs have ended, but at most ``patience`` seconds."""
        deadline = time.monotonic() + patience
        if self._thread is not None:
            self._thread.join(patience)
        self._join_jobs(deadline)

    def _join_jobs(self, deadline: float) -> None:
        for runner in self.runners:
            runner.join(max(0.0, deadline - time.monotonic()))

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self.tick()
            self._stopping.wait(self._tick)
        self._release()

    def tick(self) -> None:
        """Keep the lease, and start what is due."""
        if any(runner.job.is_shared for runner in self.runners):
            self._keep_lease()
        for runner in self.runners:
            try:
                runner.start_if_due()
            except RuntimeError as error:  # no more threads
                _log.warning("The background job %s cannot start: %s", runner.job.name, error)

    def _keep_lease(self) -> None:
        try:
            with self._app.app_context():
                self.lease.keep()
        except Exception as error:  # noqa: BLE001  # the worker must not end
            if not self._is_lease_failing:
                log_failure("The background worker", error)
            self._is_lease_failing = True
        else:
            self._is_lease_failing = False

    def _release(self) -> None:
        """Let another process continue at once. If the database does not answer, it waits until the lease is stale."""
        self._join_jobs(time.monotonic() + _END_OF_JOBS)
        try:
            with self._app.app_context():
                self.lease.release()
        except DATABASE_ERRORS as error:
            _log.warning("The lease of the background worker cannot be released: %s", describe_outage(error))
