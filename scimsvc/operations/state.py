"""The counters of each app, where they are wanted."""

from typing import TYPE_CHECKING

from flask import Flask

from scimsvc.settings import Settings
from scimsvc.web.state import AppState

if TYPE_CHECKING:
    from scimsvc.operations.metrics import Metrics

#: None where ``/metrics`` is not wanted, and nothing is counted.
metrics: "AppState[Metrics | None]" = AppState("metrics")


def init_operations(app: Flask, settings: Settings) -> None:
    """Keep counters for ``app``, if its settings have a token for ``/metrics``."""
    metrics.init_app(app, _make_metrics() if settings.metrics_token else None)


def _make_metrics() -> "Metrics":
    # Imported here, because few want counts, and Prometheus' library would be loaded at every start.
    from scimsvc.operations.metrics import Metrics

    return Metrics()
