"""SCIM over HTTP: the request for the use cases, preconditions, and responses."""

from typing import Any

from flask import Response

from scimsvc.paths import SCIM_PREFIX
from scimsvc.protocol.errors import InvalidSyntax, UnsupportedMediaType
from scimsvc.protocol.groups import GROUPS
from scimsvc.protocol.listing import joined_names
from scimsvc.protocol.messages import MEDIA_TYPE, Representation
from scimsvc.protocol.projection import MOST_NAMES, Projection, parse_projection
from scimsvc.protocol.reading.tolerances import RequestNotes, Tolerance
from scimsvc.protocol.resource_types import ResourceType
from scimsvc.protocol.versions import UNCONDITIONAL, Preconditions
from scimsvc.scim.operation import operation_of
from scimsvc.scim.request import Attempt, ScimRequest
from scimsvc.web import messages
from scimsvc.web.messages import MalformedBody, UnsupportedBody
from scimsvc.web.responses import FinalResponse
from scimsvc.web.state import RequestState, request_state
from scimsvc.web.urls import public_root


def scim_request() -> ScimRequest:
    """Return the current request for the use cases.

    Raises ``InvalidHost``, and ``InvalidValue`` for a selection of too many attributes, before a write is applied.
    """
    state = request_state()
    if isinstance(state.feature, ScimRequest):
        return state.feature
    if len(state.request.query_string) > MOST_NAMES:
        _read_selection(state)
    request = _make_request(state, public_root(state) + SCIM_PREFIX)
    state.feature = request
    return request


def scim_request_of(state: RequestState) -> ScimRequest:
    """Return the request of ``state`` for the log, also if it was refused before a use case asked for it."""
    return state.feature if isinstance(state.feature, ScimRequest) else _make_request(state, "")


def _make_request(state: RequestState, base: str) -> ScimRequest:
    assert state.caller is not None
    state.notes = RequestNotes(state.settings.limits)
    operation, caller = operation_of(state.request.method, state.request.path), state.caller
    attempt = Attempt(operation, caller.settings.custom_attributes, caller.user_type)
    operations: list[ScimRequest] | None = None if state.request_id else []  # a rehearsed request has no ID
    return ScimRequest(state.caller, base, state.notes, attempt, state.request_id, state.started, operations)


def read_body() -> Any:
    """Return the JSON value of the body (RFC 7644 §3.1, §8.1).

    Raises ``UnsupportedMediaType`` or ``InvalidSyntax``.
    """
    try:
        return messages.read_body(MEDIA_TYPE, _tolerate)
    except UnsupportedBody as error:
        raise UnsupportedMediaType(error.detail) from None
    except MalformedBody as error:
        raise InvalidSyntax(error.detail) from None


def _tolerate(tolerance: Tolerance) -> None:
    scim_request().notes.tolerate(tolerance)


def json_response(value: Any) -> Response:
    """Return a response with ``value`` as a SCIM message."""
    return messages.json_response(value, media_type=MEDIA_TYPE)


def text_response(text: str, status: int = 200) -> Response:
    """Return a response with a SCIM message that is already JSON text."""
    return FinalResponse(text.encode(), status, MEDIA_TYPE)


def empty_response() -> Response:
    """Return a response with status 204 and no content."""
    return FinalResponse(None, 204, MEDIA_TYPE)


def user_response(user: Representation, status: int = 200) -> Response:
    """Return a response with ``user``, reduced to the attributes that the request selects (RFC 7644 §3.9)."""
    text, state = user.text, request_state()
    if state.request.query_string:
        text = _read_selection(state).apply_to_text(text)
    state.confirmed = (user.id,)
    return _response(user, text, status)


def group_response(group: Representation, status: int = 200) -> Response:
    """Return a response with ``group``, reduced to the attributes that the request selects (RFC 7644 §3.9)."""
    return _response(group, group_selection().apply_to_text(group.text), status)


def _response(resource: Representation, text: str, status: int) -> Response:
    response = text_response(text, status)
    response.headers.add("ETag", resource.entity_tag)
    return response


def group_selection() -> Projection:
    """Return the attributes of groups that the request selects. Raises ``InvalidValue`` for too many names."""
    return _selection(request_state(), GROUPS)


def _read_selection(state: RequestState) -> Projection:
    assert state.caller is not None
    return _selection(state, state.caller.user_type)


def _selection(state: RequestState, resource_type: ResourceType) -> Projection:
    sent = state.request.args.getlist
    return parse_projection(joined_names(sent("attributes")), joined_names(sent("excludedAttributes")), resource_type)


def preconditions() -> Preconditions:
    """Return the conditions on the resource's version in the request's headers (RFC 7644 §3.14)."""
    environ = request_state().request.environ
    if_match, if_none_match = environ.get("HTTP_IF_MATCH"), environ.get("HTTP_IF_NONE_MATCH")
    if if_match is None and if_none_match is None:
        return UNCONDITIONAL
    return Preconditions(if_match, if_none_match)


def not_modified(user: Representation) -> Response | None:
    """Return a 304 response if ``If-None-Match`` names the present version, else None.

    ``If-Match`` is checked first (RFC 9110 §13.2.2); raises ``PreconditionFailed``.
    """
    conditions = preconditions()
    if conditions is UNCONDITIONAL:
        return None
    Preconditions(if_match=conditions.if_match).check(user.entity_tag)
    if not conditions.is_unchanged(user.entity_tag):
        return None
    return Response(status=304, headers={"ETag": user.entity_tag})
