"""The jobs of the background worker."""

from functools import partial

from flask import Flask

from scimsvc.auth.last_uses import last_uses, write_due_last_uses
from scimsvc.notifications.alerts.checking import AlertChecker
from scimsvc.notifications.alerts.sending import MailSender
from scimsvc.notifications.delivery.deliverer import LOOK_EVERY, Deliverer
from scimsvc.operations.background.jobs import Job
from scimsvc.operations.background.lease import Periods
from scimsvc.operations.background.pruning import Pruning
from scimsvc.operations.background.worker import Worker
from scimsvc.operations.state import background, webhook_attempts


def shared_jobs(app: Flask) -> tuple[Job, ...]:
    """Return the jobs that one process does for the installation."""
    return (
        Job("alerts", AlertChecker().run, interval=AlertChecker.INTERVAL),
        Job("mails", MailSender().run, interval=MailSender.INTERVAL),
        Job("webhooks", Deliverer(webhook_attempts.of(app)).run, interval=LOOK_EVERY),
        Job("pruning", Pruning().run, interval=Pruning.INTERVAL),
    )


def serving_worker(app: Flask) -> Worker:
    """Create the worker of a process that serves requests. It also writes their last uses."""
    last_uses.of(app).has_writer = True
    own = Job("last-uses", partial(write_due_last_uses, app), interval=1.0, is_shared=False)
    return _keep(app, Worker(app, (own, *shared_jobs(app))))


def delivering_worker(app: Flask, periods: Periods | None = None) -> Worker:
    """Create the worker of a process that serves no requests."""
    return _keep(app, Worker(app, shared_jobs(app), periods))


def _keep(app: Flask, worker: Worker) -> Worker:
    background.init_app(app, worker)
    return worker
