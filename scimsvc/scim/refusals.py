"""Refusals go into the provisioning log once everything is rolled back: SCIM writes, and clients that are known.

Runs behind the error handlers, so that whatever a view, the guard, the router or the body's reader refused is seen.
"""

from collections.abc import Callable

from flask import Request, g, request
from flask.ctx import _AppCtxGlobals

from scimsvc.activity import provisioning_log
from scimsvc.auth.tokens import BearerError
from scimsvc.protocol.errors import ScimError
from scimsvc.protocol.reasons import Reason
from scimsvc.web.http import caller, logged_request, runtime
from scimsvc.web.paths import is_scim

_TOO_MANY_REQUESTS = 429


def log_refusal(sent: Request, own: _AppCtxGlobals) -> None:
    """Log what the request was refused for, if it was."""
    error: ScimError | None = own.get("refusal")
    if error is None:
        return
    if "caller" not in own:
        _log_refused_token(error)
    elif is_scim(sent.path):
        _log_refused_request(error)


def _log_refused_token(error: ScimError) -> None:
    bearer: BearerError | None = g.get("refused_bearer")
    if bearer is not None and bearer.claims is not None:
        refusal = _refusal(error.status, error.detail, Reason.TOKEN)
        provisioning_log.record_refused_token(_allowance(), bearer.claims, refusal)


def _log_refused_request(error: ScimError) -> None:
    is_write = request.method in ("POST", "PUT", "PATCH", "DELETE") and not request.path.endswith("/.search")
    if is_write and error.status != _TOO_MANY_REQUESTS:
        provisioning_log.record_refusal(logged_request(), error)
    elif error.status == _TOO_MANY_REQUESTS or not caller().scim_enabled:
        # Of what comes by the thousand, or asks for nothing but a look, a bounded number.
        refusal = _refusal(error.status, error.detail, error.reason or Reason.RATE_LIMIT)
        provisioning_log.record_refused_client(_allowance(), caller().enterprise_id, caller().client_id, refusal)


def refused_client_logger(enterprise_id: str, client_id: str, detail: str) -> Callable[[], None]:
    """Return what logs a wrong secret of a known client; called behind the answer, whose time must not tell."""
    refusal = _refusal(401, detail, Reason.SECRET)
    allowance = _allowance()
    return lambda: provisioning_log.record_refused_client(allowance, enterprise_id, client_id, refusal)


def _allowance() -> provisioning_log.Allowance:
    return runtime().logged_refusals


def _refusal(status: int, detail: str, cause: Reason) -> provisioning_log.Refusal:
    return provisioning_log.Refusal(status, detail, cause, g.request_id, g.started)
