"""Add refused SCIM requests to the provisioning log after their transaction is rolled back.

This runs after the error handlers, so that it sees the refusals of views, the guard, the router and the body's reader.
"""

from flask import Response

from scimsvc.activity.log_writing import record_refusal
from scimsvc.activity.refused_clients import record_refused_client, refused_client
from scimsvc.activity.state import logged_refusals
from scimsvc.paths import is_scim
from scimsvc.protocol.errors import ScimError
from scimsvc.protocol.reasons import Reason
from scimsvc.scim.http import scim_request_of
from scimsvc.scim.operation import READ
from scimsvc.web.state import Caller, RequestState

_TOO_MANY_REQUESTS = 429


def log_refused_request(state: RequestState, _response: Response) -> None:
    """Log the error of a refused SCIM request; do nothing for other requests."""
    refusal = state.refusal
    if (
        refusal is not None
        and isinstance(refusal, ScimError)
        and state.caller is not None
        and is_scim(state.request.path)
    ):
        _log(state, state.caller, refusal)


def _log(state: RequestState, caller: Caller, error: ScimError) -> None:
    request = scim_request_of(state)
    if request.attempt.user_id is None:  # refused before the use case began
        request.attempt.user_id = (state.request.view_args or {}).get("user_id")
    if request.attempt.operation != READ and error.status != _TOO_MANY_REQUESTS:
        record_refusal(request.refusal_entry(error))
    elif error.status == _TOO_MANY_REQUESTS or not caller.settings.scim_enabled:
        # Throttled requests, and reads while SCIM is off, can arrive by the thousand: log a bounded number of them.
        reason = error.reason or Reason.RATE_LIMIT
        entry = refused_client(
            state,
            enterprise_id=caller.enterprise_id,
            client_id=caller.client_id,
            status=error.status,
            detail=error.detail,
            reason=reason,
        )
        record_refused_client(logged_refusals.of(state.app), entry)
