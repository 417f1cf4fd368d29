"""The blueprint of operations: liveness, readiness and metrics (contract section 10)."""

import hmac
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from scimsvc.auth.errors import InvalidToken
from scimsvc.auth.throttling import wrong_metrics_tokens
from scimsvc.errors import NoSuchThing
from scimsvc.operations.state import metrics as app_metrics
from scimsvc.operations.state import readiness
from scimsvc.web.client_address import counted_address
from scimsvc.web.messages import json_response
from scimsvc.web.state import app_settings, web_state

if TYPE_CHECKING:
    from scimsvc.operations.metrics import Metrics

operations = Blueprint("operations", __name__)


@operations.get("/healthz")
def healthz() -> Response:
    """Report that the process runs. This does not use the database."""
    return json_response({"status": "ok"})


@operations.get("/readyz")
def readyz() -> Response:
    """Report whether this process is ready for requests. A database that hangs does not delay the answer."""
    reason = "stopping" if web_state.current.stopping.is_set() else readiness.current.reason()
    if reason is not None:
        return json_response({"status": "unavailable", "reason": reason}, 503)
    return json_response({"status": "ok"})


@operations.get("/metrics")
def metrics() -> Response:
    """Return the metrics in the Prometheus format."""
    wanted = _wanted_metrics()
    return Response(wanted.text(), content_type=wanted.media_type)


def _wanted_metrics() -> "Metrics":
    """Return the metrics. Raises ``NoSuchThing`` if they are off, and ``InvalidToken`` if the token is not valid."""
    metrics, token = app_metrics.current, app_settings().metrics_token
    if metrics is None or token is None:
        raise NoSuchThing("The endpoint '/metrics' is off. Set SCIMSVC_METRICS_TOKEN to turn it on.")
    scheme, _, credentials = request.headers.get("Authorization", "").strip().partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(credentials.strip().encode(), token.encode()):
        wrong_metrics_tokens.current.count(counted_address())
        raise InvalidToken(
            "The metrics token is missing or invalid. Send the value of SCIMSVC_METRICS_TOKEN as Bearer token."
        )
    return metrics
