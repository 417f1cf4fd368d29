"""What every answer adds to the counts, and what SCIM answers tell of a token that comes near its expiry."""

import hmac
import logging
import time
from datetime import datetime
from typing import TYPE_CHECKING

from flask import Request, Response, request
from flask.ctx import _AppCtxGlobals

from scimsvc import clock
from scimsvc.auth.callers import Caller
from scimsvc.auth.expiry import TELL_WITHIN
from scimsvc.auth.tokens import InvalidToken
from scimsvc.enterprises.removal_limit import WritesStopped
from scimsvc.protocol.errors import NotFound
from scimsvc.web.http import runtime
from scimsvc.web.paths import is_scim

if TYPE_CHECKING:
    from scimsvc.operations.metrics import Metrics

#: When the token of the request expires, in RFC 3339; sent once it has two weeks left.
EXPIRY_HEADER = "X-Token-Expires-At"

_log = logging.getLogger("scimsvc")


def announce_expiry(sent: Request, own: _AppCtxGlobals, response: Response, now: datetime) -> None:
    """Tell in a SCIM answer when the token expires, if that is soon."""
    caller: Caller | None = own.get("caller")
    if caller is None or not is_scim(sent.path):
        return
    expires_at = caller.token_expires_at
    if expires_at - now < TELL_WITHIN:
        response.headers.add(EXPIRY_HEADER, clock.timestamp(expires_at))
        if own.runtime.expiry_notices.is_due(caller.token_id, expires_at, now):
            _log.warning(
                "the SCIM token %s of %s expires at %s; issue a new one and put it into Entra's Secret Token field",
                caller.token_id, caller.enterprise, clock.timestamp(expires_at),
            )  # fmt: skip


def count(sent: Request, own: _AppCtxGlobals, response: Response) -> None:
    """Count the request, where counts are wanted."""
    metrics: Metrics | None = own.runtime.metrics
    if metrics is not None:
        route = sent.url_rule.rule if sent.url_rule is not None else "(none)"
        method = sent.method if sent.method in _METHODS else "(other)"
        metrics.count_request(method, route, response.status_code, time.perf_counter() - own.started)
        for tolerance in own.notes.tolerances if "notes" in own else ():
            metrics.count_tolerance(str(tolerance))
        refusal = own.get("refusal")
        if isinstance(refusal, WritesStopped) and refusal.reason is not None:
            metrics.count_held_back(own.caller.enterprise_id, refusal.reason.replace("-", "_"))


_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def wanted_metrics() -> "Metrics":
    """Return the counts, if the request bears the token that they want; raises ``NotFound`` where there are none."""
    metrics, token = runtime().metrics, runtime().settings.metrics_token
    if metrics is None or token is None:
        raise NotFound("there is no endpoint '/metrics' unless SCIMSVC_METRICS_TOKEN is set")
    scheme, _, sent = request.headers.get("Authorization", "").strip().partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(sent.strip().encode(), token.encode()):
        raise InvalidToken("send the token of SCIMSVC_METRICS_TOKEN: Authorization: Bearer …")
    return metrics
