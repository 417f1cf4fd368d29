"""The metrics of the background worker of this process, and of the lease."""

from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from scimsvc import clock
from scimsvc.operations.background.worker import WORKER_LEASE
from scimsvc.operations.state import background
from scimsvc.store.alert_mails import count_mails
from scimsvc.store.engine.transactions import reading
from scimsvc.store.leases import find_lease


class WorkerMetrics(Collector):
    """Yields the metrics for the current app. Registration describes them without reading the database."""

    def describe(self) -> list[Metric]:
        """Return the metrics without values."""
        return list(_metrics().values())

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics with their current values."""
        metrics = _metrics()
        worker = background.current
        metrics["running"].add_metric([], int(worker is not None and worker.is_alive))
        metrics["held"].add_metric([], int(worker is not None and worker.lease.is_held()))
        lease = find_lease(WORKER_LEASE)
        with reading() as connection:
            metrics["mails"].add_metric([], count_mails(connection))
        if lease is not None:
            metrics["beat"].add_metric([], clock.parse_timestamp(lease.beat_at).timestamp())
        for runner in worker.runners if worker is not None else ():
            name, runs = [runner.job.name], runner.runs
            metrics["failures"].add_metric(name, runs.failures)
            if runs.last_ended_at is not None:
                metrics["last_run"].add_metric(name, runs.last_ended_at.timestamp())
                metrics["duration"].add_metric(name, runs.last_seconds)
        yield from metrics.values()


def _metrics() -> dict[str, GaugeMetricFamily | CounterMetricFamily]:
    def gauge(name: str, documentation: str, *labels: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"scimsvc_{name}", documentation, labels=labels)

    return {
        "running": gauge("worker_running", "Whether the background worker of this process runs."),
        "held": gauge("worker_lease_held", "Whether this process does the background work of the installation."),
        "beat": gauge("worker_beat_timestamp_seconds", "When a worker last showed that it does the background work."),
        "mails": gauge("mails_waiting", "E-mail about alerts that waits to be sent."),
        "last_run": gauge("job_last_run_timestamp_seconds", "When a job last succeeded in this process.", "job"),
        "duration": gauge("job_last_duration_seconds", "How long the last run of a job took.", "job"),
        "failures": CounterMetricFamily("scimsvc_job_failures", "Failed runs of a job.", labels=["job"]),
    }
