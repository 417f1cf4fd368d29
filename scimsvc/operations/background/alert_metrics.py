"""The metrics of alerts: how many are open, and the e-mail about them that waits."""

from collections.abc import Iterator

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from scimsvc.store.alert_mails import count_mails
from scimsvc.store.alerts import count_all_open_alerts
from scimsvc.store.engine.transactions import reading


class AlertMetrics(Collector):
    """Yields the metrics for the current app. Registration describes them without reading the database."""

    def describe(self) -> list[Metric]:
        """Return the metrics without values."""
        return [_open(), _mails()]

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics with their current values."""
        alerts, mails = _open(), _mails()
        with reading() as connection:
            alerts.add_metric([], count_all_open_alerts(connection))
            mails.add_metric([], count_mails(connection))
        yield alerts
        yield mails


def _open() -> GaugeMetricFamily:
    return GaugeMetricFamily("scimsvc_alerts_open", "Open alerts of all enterprises and of the installation.")


def _mails() -> GaugeMetricFamily:
    return GaugeMetricFamily("scimsvc_alert_mails_waiting", "E-mails about alerts that wait for the mail server.")
