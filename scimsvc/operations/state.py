"""The readiness of each app, and its metrics if they are on."""

from collections import Counter
from typing import TYPE_CHECKING, Protocol

from flask import Flask

from scimsvc.operations.readiness import Readiness, why_not_ready
from scimsvc.settings import Settings
from scimsvc.web.state import AppState

if TYPE_CHECKING:
    from scimsvc.operations.background.worker import Worker
    from scimsvc.operations.metrics import Metrics

readiness: "AppState[Readiness]" = AppState("readiness")
#: None if ``/metrics`` is off.
metrics: "AppState[Metrics | None]" = AppState("metrics")


class Load(Protocol):
    """The work of a server at the moment."""

    @property
    def running(self) -> int:
        """The number of requests that a thread works on."""

    @property
    def queued(self) -> int:
        """The number of requests that wait for a thread."""

    @property
    def open_connections(self) -> int:
        """The number of open connections."""


#: The load of the server that serves the app. None with another server.
serving: AppState[Load | None] = AppState("serving")
#: The worker of the process that serves the app, or of ``scimsvc deliver``. None in other processes.
background: "AppState[Worker | None]" = AppState("background")
#: The attempts of this process to deliver messages, by whether they succeeded.
webhook_attempts: AppState[Counter[bool]] = AppState("webhook attempts")


def init_operations(app: Flask, settings: Settings) -> None:
    """Create the readiness of ``app``, and its metrics if its settings have a token for ``/metrics``."""

    def check() -> str | None:
        with app.app_context():
            return why_not_ready()

    background.init_app(app, None)
    serving.init_app(app, None)
    webhook_attempts.init_app(app, Counter())
    readiness.init_app(app, Readiness(check))
    metrics.init_app(app, _make_metrics() if settings.metrics_token else None)


def _make_metrics() -> "Metrics":
    # Imported here, because few deployments use metrics, and the library would slow down every start.
    from scimsvc.operations.metrics import Metrics

    return Metrics()
