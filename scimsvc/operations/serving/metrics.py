"""The metrics of the server of this process: its requests and connections."""

from collections.abc import Iterator

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from scimsvc.operations.state import serving


class ServingMetrics(Collector):
    """Yields the metrics of ``scimsvc serve``. A process of another server has none."""

    def describe(self) -> list[Metric]:
        """Return the metrics without values."""
        return list(_gauges().values())

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics with their current values."""
        gauges, load = _gauges(), serving.current
        if load is not None:
            gauges["running"].add_metric([], load.running)
            gauges["queued"].add_metric([], load.queued)
            gauges["connections"].add_metric([], load.open_connections)
        yield from gauges.values()


def _gauges() -> dict[str, GaugeMetricFamily]:
    return {
        "running": GaugeMetricFamily("scimsvc_requests_running", "Requests that a thread works on."),
        "queued": GaugeMetricFamily("scimsvc_requests_queued", "Requests that wait for a thread."),
        "connections": GaugeMetricFamily("scimsvc_connections", "Open connections."),
    }
