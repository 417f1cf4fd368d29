"""The metrics of the database: its size, the rows that pruning has left behind, and readers of change feeds."""

from collections.abc import Iterator

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from scimsvc.activity.state import followers
from scimsvc.operations.growth import count_overdue
from scimsvc.store.engine.database import LONG_SECONDS, longer_deadline
from scimsvc.store.engine.transactions import reading
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
            with reading() as connection:
                for lag in followers.current.list_lags(connection):
                    gauges["lag"].add_metric([lag.enterprise_id, lag.client_id], lag.changes)
        yield from gauges.values()


def _gauges() -> dict[str, GaugeMetricFamily]:
    return {
        "size": GaugeMetricFamily("scimsvc_database_bytes", "Size of the database."),
        "overdue": GaugeMetricFamily(
            "scimsvc_overdue_rows", "Rows that pruning should have deleted two days ago.", labels=["table"]
        ),
        "lag": GaugeMetricFamily(
            "scimsvc_feed_reader_lag", "Changes that an integration has not read.", labels=["enterprise", "integration"]
        ),
    }
