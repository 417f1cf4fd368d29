"""Answer as ``application/json`` to clients that prefer it (RFC 7644 §3.8)."""

from flask import Response

from scimsvc.paths import is_scim
from scimsvc.protocol.media_types import SCIM_JSON, answer_type
from scimsvc.web.state import RequestState


def set_answer_type(state: RequestState, response: Response) -> None:
    """Set the Content-Type that the Accept header of a SCIM request prefers."""
    environ = state.request.environ
    if "HTTP_ACCEPT" not in environ or environ["HTTP_ACCEPT"] in _USUAL:
        return
    if is_scim(state.request.path) and response.mimetype == SCIM_JSON:
        response.headers["Content-Type"] = answer_type(environ["HTTP_ACCEPT"])


#: The headers of most clients, which need no look at the answer.
_USUAL = frozenset({"*/*", SCIM_JSON})
