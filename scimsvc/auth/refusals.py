"""Refused tokens and secrets of known clients go into the provisioning log, a bounded number of them."""

from collections.abc import Callable

from flask import Response

from scimsvc.activity import provisioning_log
from scimsvc.activity.state import logged_refusals
from scimsvc.auth.errors import BearerError
from scimsvc.protocol.reasons import Reason
from scimsvc.web.state import RequestState, request_state


def log_refused_token(state: RequestState, _response: Response) -> None:
    """Log that the request's token was refused, if this service issued it."""
    error = state.refusal
    if isinstance(error, BearerError) and error.claims is not None:
        refusal = provisioning_log.Refusal(
            error.status, error.description, Reason.TOKEN, state.request_id, state.started
        )
        provisioning_log.record_refused_token(logged_refusals.of(state.app), error.claims, refusal)


def refused_client_logger(enterprise_id: str, client_id: str, detail: str) -> Callable[[], None]:
    """Return a function that logs a wrong secret of a known client.

    Call it once the response is sent, whose time must not show that the client is known.
    """
    state = request_state()
    refusal = provisioning_log.Refusal(401, detail, Reason.SECRET, state.request_id, state.started)
    allowance = logged_refusals.of(state.app)
    return lambda: provisioning_log.record_refused_client(allowance, enterprise_id, client_id, refusal)
