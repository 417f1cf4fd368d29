"""The blueprint of operations: alive, ready, and counted (contract section 10)."""

from flask import Blueprint, Response

from scimsvc.operations.readiness import why_not_ready
from scimsvc.web.announcements import wanted_metrics
from scimsvc.web.http import json_response, runtime

operations = Blueprint("operations", __name__)


@operations.get("/healthz")
def healthz() -> Response:
    """Say that the process lives, with no look at the database."""
    return json_response({"status": "ok"}, media_type="application/json")


@operations.get("/readyz")
def readyz() -> Response:
    """Say whether requests should be sent here."""
    reason = "stopping" if runtime().stopping.is_set() else why_not_ready()
    if reason is not None:
        return json_response({"status": "unavailable", "reason": reason}, 503, media_type="application/json")
    return json_response({"status": "ok"}, media_type="application/json")


@operations.get("/metrics")
def metrics() -> Response:
    """Tell Prometheus what was counted."""
    wanted = wanted_metrics()
    return Response(wanted.text(), content_type=wanted.media_type)
