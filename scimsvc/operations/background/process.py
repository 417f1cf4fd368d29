"""Run the background worker in a process of its own, beside a WSGI server that runs none."""

import logging
import os
import signal

from flask import Flask

from scimsvc.operations.background.lease import Periods
from scimsvc.operations.background.schedule import delivering_worker
from scimsvc.operations.readiness import why_not_ready
from scimsvc.operations.startup import describe_versions, start_warnings
from scimsvc.store.upkeep.maintenance import close_database
from scimsvc.web.state import web_state

#: Seconds after the signal at which running jobs are abandoned, so that the process ends within ten seconds.
GIVE_UP = 7.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_log = logging.getLogger("scimsvc")


def run_worker(app: Flask, periods: Periods | None = None) -> None:
    """Run the worker until SIGTERM or SIGINT, then finish the running jobs and return."""
    # Blocked in all threads and awaited here: a handler could interrupt this thread within a lock that it needs.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    with app.app_context():
        _log.info("%s", describe_versions())
        for reason in filter(None, (*start_warnings(), why_not_ready())):
            _log.warning("%s", reason)
    worker = delivering_worker(app, periods)
    worker.start()
    _log.info("delivering")
    signal.sigwait(_SIGNALS)
    web_state.of(app).stopping.set()
    worker.join(GIVE_UP)
    if finished := not worker.is_busy:
        with app.app_context():
            close_database()
    _log.info("stopped")
    if not finished:
        # A thread that waits for the database or for a receiver would delay a normal exit.
        logging.shutdown()
        os._exit(0)
