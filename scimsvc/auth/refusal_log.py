"""Write refused tokens and secrets of known clients to the provisioning log, up to a limit."""

from collections.abc import Callable
from functools import partial

from flask import Response

from scimsvc.activity.refused_clients import record_refused_client, refused_client
from scimsvc.activity.state import logged_refusals
from scimsvc.auth.callers import find_owner
from scimsvc.auth.errors import BearerError
from scimsvc.protocol.reasons import Reason
from scimsvc.web.state import RequestState, request_state


def log_refused_token(state: RequestState, _response: Response) -> None:
    """Log the refused token of the request if this service issued it."""
    error = state.refusal
    if error is None or not isinstance(error, BearerError) or error.claims is None:
        return
    owner = find_owner(error.claims)
    if owner is None:
        return
    entry = refused_client(
        state,
        enterprise_id=error.claims.enterprise_id,
        client_id=owner.client_id,
        status=error.status,
        detail=error.description,
        reason=Reason.TOKEN,
    )
    record_refused_client(logged_refusals.of(state.app), entry)


def refused_client_logger(enterprise_id: str, client_id: str, detail: str) -> Callable[[], None]:
    """Return a function that logs a wrong secret of a known client.

    Call it after the response is sent, because the response time must not show that the client is known.
    """
    state = request_state()
    entry = refused_client(
        state, enterprise_id=enterprise_id, client_id=client_id, status=401, detail=detail, reason=Reason.SECRET
    )
    return partial(record_refused_client, logged_refusals.of(state.app), entry)
