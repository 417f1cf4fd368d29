"""The guard: every path below the Tenant URL requires a SCIM token, and below /api/v1 an API token of sufficient scope.

This includes unknown paths. The guard runs before the body is read, on the normalized path that the router uses.
"""

from scimsvc.auth.callers import known_callers, refuse_while_off
from scimsvc.auth.rate_limit import API, rate_limit
from scimsvc.auth.scopes import refuse_unless_allowed
from scimsvc.auth.suspension import refuse_while_suspended
from scimsvc.paths import is_api, is_scim
from scimsvc.vocabulary import API_SCOPE, SCIM_SCOPE
from scimsvc.web.state import RequestState


def guard(state: RequestState) -> None:
    """Set the caller of the request. Raises ``BearerError``, ``Forbidden`` or ``TooManyRequests``."""
    request = state.request
    if is_scim(request.path):
        caller = known_callers.of(state.app).authenticate(request.environ.get("HTTP_AUTHORIZATION"), scope=SCIM_SCOPE)
        state.caller = caller
        refuse_while_suspended(caller)
        refuse_while_off(caller)
        rate_limit.of(state.app).take(caller.enterprise_id)
    elif is_api(request.path):
        callers = known_callers.of(state.app)
        caller = callers.authenticate(request.environ.get("HTTP_AUTHORIZATION"), scope=API_SCOPE)
        state.caller = caller
        refuse_while_suspended(caller)
        rate_limit.of(state.app).take(caller.enterprise_id, API)
        refuse_unless_allowed(state, caller)
