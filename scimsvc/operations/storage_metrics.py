"""The metrics of the database: its size, and the rows that pruning has left behind."""

from collections.abc import Iterator

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from scimsvc.operations.growth import count_overdue
from scimsvc.store.engine.database import LONG_SECONDS, longer_deadline
from scimsvc.store.upkeep.maintenance import read_size


class StorageMetrics(Collector):
    """Yields the metrics of the database. Registration describes them without reading it."""

    def describe(self) -> list[Metric]:
        """Return the metrics without values."""
        return list(_gauges().values())

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics with their current values."""
        gauges = _gauges()
        with longer_deadline(LONG_SECONDS):
            gauges["size"].add_metric([], read_size())
            for table, rows in count_overdue().items():
                gauges["overdue"].add_metric([table], rows)
        yield from gauges.values()


def _gauges() -> dict[str, GaugeMetricFamily]:
    return {
        "size": GaugeMetricFamily("scimsvc_database_bytes", "Size of the database."),
        "overdue": GaugeMetricFamily(
            "scimsvc_overdue_rows", "Rows that pruning should have deleted two days ago.", labels=["table"]
        ),
    }
