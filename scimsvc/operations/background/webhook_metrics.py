"""The metrics of webhooks: their states in the database, and the attempts of this process."""

from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from scimsvc import clock
from scimsvc.operations.state import webhook_attempts
from scimsvc.store.engine.transactions import reading
from scimsvc.store.webhooks import count_enabled_webhooks, list_due_webhooks


class WebhookMetrics(Collector):
    """Yields the metrics for the current app. Registration describes them without reading the database."""

    def describe(self) -> list[Metric]:
        """Return the metrics without values."""
        return [_gauge(name) for name in _GAUGES] + [_attempts()]

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics with their current values."""
        with reading() as connection:
            counts = count_enabled_webhooks(connection)
            due = list_due_webhooks(connection, now=clock.timestamp(clock.now()))
        for name, value in (("enabled", counts.enabled), ("failing", counts.failing), ("due", len(due))):
            gauge = _gauge(name)
            gauge.add_metric([], value)
            yield gauge
        attempts, counted = _attempts(), webhook_attempts.current
        attempts.add_metric(["delivered"], counted[True])
        attempts.add_metric(["failed"], counted[False])
        yield attempts


_GAUGES = {
    "enabled": "Webhooks that are enabled.",
    "failing": "Enabled webhooks whose last attempt failed.",
    "due": "Webhooks with a message that can be sent now.",
}


def _gauge(name: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"scimsvc_webhooks_{name}", _GAUGES[name])


def _attempts() -> CounterMetricFamily:
    return CounterMetricFamily(
        "scimsvc_webhook_attempts", "Attempts of this process to deliver a message.", labels=["outcome"]
    )
