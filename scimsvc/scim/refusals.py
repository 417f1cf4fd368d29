"""Refused SCIM requests go into the provisioning log once everything is rolled back.

Runs behind the error handlers, so that it sees the refusals of views, the guard, the router and the body's reader.
"""

from flask import Response

from scimsvc.activity import provisioning_log
from scimsvc.activity.state import logged_refusals
from scimsvc.paths import is_scim
from scimsvc.protocol.errors import ScimError
from scimsvc.protocol.reasons import Reason
from scimsvc.scim.http import refused_request
from scimsvc.scim.operation import READ
from scimsvc.web.state import Caller, RequestState

_TOO_MANY_REQUESTS = 429


def log_refused_request(state: RequestState, _response: Response) -> None:
    """Log the error that a SCIM request was refused with, if it was."""
    refusal = state.refusal
    if isinstance(refusal, ScimError) and state.caller is not None and is_scim(state.request.path):
        _log(state, state.caller, refusal)


def _log(state: RequestState, caller: Caller, error: ScimError) -> None:
    request = refused_request(state)
    if request.attempt.operation != READ and error.status != _TOO_MANY_REQUESTS:
        provisioning_log.record_refusal(request, error)
    elif error.status == _TOO_MANY_REQUESTS or not caller.scim_enabled:
        # A bounded number of those that come by the thousand, or that only read.
        reason = error.reason or Reason.RATE_LIMIT
        refusal = provisioning_log.Refusal(error.status, error.detail, reason, state.request_id, state.started)
        allowance = logged_refusals.of(state.app)
        provisioning_log.record_refused_client(allowance, caller.enterprise_id, caller.client_id, refusal)
