"""The metrics of ``/metrics``: counters of this process, and gauges that each request reads from the database.

Enterprises are identified by ID, because a name can change and should not be visible to other people.
"""

import time
from collections.abc import Iterator
from importlib.metadata import version

from flask import Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from scimsvc import clock
from scimsvc.enterprises.removal_limit import WritesStopped, count_removals
from scimsvc.operations.background.alert_metrics import AlertMetrics
from scimsvc.operations.background.metrics import WorkerMetrics
from scimsvc.operations.background.webhook_metrics import WebhookMetrics
from scimsvc.operations.serving.metrics import ServingMetrics
from scimsvc.operations.state import metrics as app_metrics
from scimsvc.operations.storage_metrics import StorageMetrics
from scimsvc.paths import is_scim
from scimsvc.protocol.errors import ScimError
from scimsvc.store.engine.database import LONG_SECONDS, longer_deadline
from scimsvc.store.engine.transactions import Connection, reading
from scimsvc.store.enterprises import EnterpriseRow, list_enterprises
from scimsvc.store.groups import list_group_counts
from scimsvc.store.tokens import list_next_scim_expiries
from scimsvc.store.user_counts import list_users_by_state
from scimsvc.web.state import RequestState

#: The buckets of the histogram in seconds, from a fast read to the timeout of a proxy.
BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The counters of one process."""

    media_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "scimsvc_requests", "Requests by route and status.", ["method", "route", "status"], registry=self.registry
        )
        self._durations = Histogram(
            "scimsvc_request_duration_seconds", "Durations of requests.", ["route"],
            buckets=BUCKETS, registry=self.registry,
        )  # fmt: skip
        self._tolerances = Counter(
            "scimsvc_tolerances", "Tolerated departures from the RFCs.", ["tolerance"],
            registry=self.registry,
        )  # fmt: skip
        self._held_back = Counter(
            "scimsvc_held_back", "SCIM writes refused because of a pause or the removal limit.",
            ["enterprise", "reason"], registry=self.registry,
        )  # fmt: skip
        self._disables = Counter(
            "scimsvc_disables_without_values", "Disables applied without their other values.",
            ["enterprise"], registry=self.registry,
        )  # fmt: skip
        self._refusals = Counter(
            "scimsvc_refusals", "Refused SCIM requests by enterprise and cause.", ["enterprise", "cause"],
            registry=self.registry,
        )  # fmt: skip
        self._last_success = Gauge(
            "scimsvc_last_success_timestamp_seconds", "When this process last answered a SCIM request successfully.",
            ["enterprise"], registry=self.registry,
        )  # fmt: skip
        build = Gauge("scimsvc_build_info", "The version of this process.", ["version"], registry=self.registry)
        build.labels(version("scimsvc")).set(1)
        ProcessCollector(registry=self.registry)
        self.registry.register(ServingMetrics())
        self.registry.register(StorageMetrics())
        self.registry.register(_Stored())
        self.registry.register(WorkerMetrics())
        self.registry.register(WebhookMetrics())
        self.registry.register(AlertMetrics())

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        self._requests.labels(method, route, status).inc()
        self._durations.labels(route).observe(seconds)

    def count_tolerance(self, tolerance: str) -> None:
        """Count a tolerance."""
        self._tolerances.labels(tolerance).inc()

    def count_held_back(self, enterprise_id: str, reason: str) -> None:
        """Count a write that was refused because of a pause or the removal limit."""
        self._held_back.labels(enterprise_id, reason).inc()

    def count_disables(self, enterprise_id: str, users: int) -> None:
        """Count ``users`` who were disabled and kept values that could not be accepted."""
        self._disables.labels(enterprise_id).inc(users)

    def count_scim_answer(self, enterprise_id: str, cause: str | None) -> None:
        """Count a SCIM request of a known caller: as refused for ``cause``, or as successful without one."""
        if cause is None:
            self._last_success.labels(enterprise_id).set(clock.now().timestamp())
        else:
            self._refusals.labels(enterprise_id, cause).inc()

    def text(self) -> bytes:
        """Return all metrics in the Prometheus text format. This reads the database."""
        return generate_latest(self.registry)


def count(state: RequestState, response: Response) -> None:
    """Count a request, its tolerances, and its refusal because of a pause or the removal limit."""
    metrics = app_metrics.of(state.app)
    if metrics is None:
        return
    request = state.request
    route = request.url_rule.rule if request.url_rule is not None else "(none)"
    method = request.method if request.method in _METHODS else "(other)"
    metrics.count_request(method, route, response.status_code, time.perf_counter() - state.started)
    notes = state.notes
    for tolerance in notes.tolerances if notes is not None else ():
        metrics.count_tolerance(str(tolerance))
    if notes is not None and notes.disables and state.caller is not None:
        metrics.count_disables(state.caller.enterprise_id, notes.disables)
    if state.caller is not None and is_scim(request.path):
        metrics.count_scim_answer(state.caller.enterprise_id, _cause(state.refusal, response.status_code))
    refusal = state.refusal
    if isinstance(refusal, WritesStopped) and refusal.reason is not None and state.caller is not None:
        metrics.count_held_back(state.caller.enterprise_id, refusal.reason.replace("-", "_"))


def _cause(refusal: Exception | None, status: int) -> str | None:
    """Return the reason of a refusal, its keyword or its status, the most specific one. None for a success."""
    if status < 400:
        return None
    if isinstance(refusal, ScimError):
        return refusal.reason or refusal.scim_type or str(status)
    return str(status)


_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class _Stored(Collector):
    """The gauges from the database. Registration describes them without reading the database."""

    def describe(self) -> list[Metric]:
        """Return the gauges without values."""
        return list(_gauges().values())

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges with their current values."""
        gauges = _gauges()
        now = clock.now()
        # Counting a million users takes longer than a request may read.
        with longer_deadline(LONG_SECONDS), reading() as connection:
            for state in list_users_by_state(connection):
                gauges["users"].add_metric([state.enterprise_id, "active" if state.active else "disabled"], state.users)
            for groups in list_group_counts(connection):
                gauges["groups"].add_metric([groups.enterprise_id], groups.groups)
                gauges["members"].add_metric([groups.enterprise_id], groups.members)
            for expiry in list_next_scim_expiries(connection, now=clock.timestamp(now)):
                left = (clock.parse_timestamp(expiry.expires_at) - now).total_seconds()
                gauges["expiry"].add_metric([expiry.enterprise_id], left)
            for enterprise in list_enterprises(connection):
                _add_stops(gauges, connection, enterprise)
        yield from gauges.values()


def _add_stops(gauges: dict[str, GaugeMetricFamily], connection: Connection, row: EnterpriseRow) -> None:
    gauges["paused"].add_metric([row.id], int(row.paused))
    removals = count_removals(connection, row)
    if removals is not None:
        gauges["held"].add_metric([row.id], int(removals.is_limit_reached))


def _gauges() -> dict[str, GaugeMetricFamily]:
    def gauge(name: str, documentation: str, *labels: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"scimsvc_{name}", documentation, labels=labels)

    return {
        "users": gauge("users", "Users by enterprise and state.", "enterprise", "state"),
        "groups": gauge("groups", "Groups by enterprise.", "enterprise"),
        "members": gauge("group_members", "Members of all groups by enterprise.", "enterprise"),
        "expiry": gauge(
            "scim_token_expiry_seconds",
            "Seconds until an enterprise's next SCIM token expires.",
            "enterprise",
        ),
        "paused": gauge("paused", "Whether SCIM writes of an enterprise are paused.", "enterprise"),
        "held": gauge("removals_held", "Whether the removal limit of an enterprise is reached.", "enterprise"),
    }
