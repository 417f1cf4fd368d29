"""Announce in SCIM answers that the token expires soon (Entra facts section 4)."""

from datetime import timedelta

from flask import Response

from scimsvc import clock
from scimsvc.paths import is_scim
from scimsvc.web.state import RequestState

#: The expiry of the request's token, in RFC 3339. It is sent during the token's last two weeks.
EXPIRY_HEADER = "X-Token-Expires-At"

#: The remaining lifetime from which every SCIM answer has the header.
TELL_WITHIN = timedelta(days=14)
#: The remaining lifetime from which the log and the console warn.
WARN_WITHIN = timedelta(days=3)


def announce_expiry(state: RequestState, response: Response) -> None:
    """If the caller's token expires soon, add the expiry to a SCIM answer."""
    caller = state.caller
    if caller is None or caller.token_expires_at - state.answered_at >= TELL_WITHIN or not is_scim(state.request.path):
        return
    response.headers.add(EXPIRY_HEADER, clock.timestamp(caller.token_expires_at))
