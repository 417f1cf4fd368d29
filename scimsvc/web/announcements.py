"""What every answer adds to the counts, and what SCIM answers tell of a token that comes near its expiry."""

import hmac
import logging
import time

from flask import Flask, Response, g, request

from scimsvc import clock
from scimsvc.protocol.errors import NotFound
from scimsvc.services.expiry import TELL_WITHIN
from scimsvc.services.holds import HeldBack
from scimsvc.services.metrics import Metrics
from scimsvc.tokens import InvalidToken
from scimsvc.web.http import caller, runtime
from scimsvc.web.paths import is_scim

#: When the token of the request expires, in RFC 3339; sent once it has two weeks left.
EXPIRY_HEADER = "X-Token-Expires-At"

_log = logging.getLogger("scimsvc")


def init_announcements(app: Flask) -> None:
    """Count the requests of ``app``, and announce expiries."""
    app.after_request(_announce_expiry)
    app.after_request(_count)


def _announce_expiry(response: Response) -> Response:
    if "caller" not in g or not is_scim(request.path):
        return response
    now, expires_at = clock.now(), caller().token_expires_at
    if expires_at - now < TELL_WITHIN:
        response.headers[EXPIRY_HEADER] = clock.timestamp(expires_at)
        if runtime().expiry_notices.is_due(caller().token_id, expires_at, now):
            _log.warning(
                "the SCIM token %s of %s expires at %s; issue a new one and put it into Entra's Secret Token field",
                caller().token_id, caller().enterprise, clock.timestamp(expires_at),
            )  # fmt: skip
    return response


def _count(response: Response) -> Response:
    metrics = runtime().metrics
    if metrics is not None:
        route = request.url_rule.rule if request.url_rule is not None else "(none)"
        metrics.count_request(_method(), route, response.status_code, time.perf_counter() - g.started)
        for tolerance in g.remarks.tolerances if "remarks" in g else ():
            metrics.count_tolerance(str(tolerance))
        if isinstance(g.get("refusal"), HeldBack):
            metrics.count_held_back(caller().enterprise_id, g.refusal.reason)
    return response


def _method() -> str:
    return request.method if request.method in _METHODS else "(other)"


_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def wanted_metrics() -> Metrics:
    """Return the counts, if the request bears the token that they want; raises ``NotFound`` where there are none."""
    metrics, token = runtime().metrics, runtime().settings.metrics_token
    if metrics is None or token is None:
        raise NotFound("there is no endpoint '/metrics' unless SCIMSVC_METRICS_TOKEN is set")
    scheme, _, sent = request.headers.get("Authorization", "").strip().partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(sent.strip().encode(), token.encode()):
        raise InvalidToken("send the token of SCIMSVC_METRICS_TOKEN: Authorization: Bearer …")
    return metrics
