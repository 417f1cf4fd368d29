"""Errors to answers, for the whole app: the prefix of the path selects the format.

Handlers are registered on the app and not on blueprints, because a blueprint never sees the router's own 404 and 405.
A feature whose paths have a format of their own registers it with ``register_error_format``.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeAlias

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from scimsvc.errors import NoSuchThing, ServiceError
from scimsvc.paths import API_PREFIX, SCIM_PREFIX, is_api, is_below
from scimsvc.protocol.errors import InvalidSyntax, ScimError, quoted
from scimsvc.protocol.messages import MEDIA_TYPE, error_message
from scimsvc.store.engine.outages import DATABASE_ERRORS, describe_outage, hide_values, is_outage, unavailable
from scimsvc.web.messages import json_response
from scimsvc.web.state import AppState, find_request_state, limits, request_state

PROBLEM_TYPE = "application/problem+json"

_log = logging.getLogger("scimsvc")


class RequestRefused(ServiceError):
    """The request is answered with ``status`` and ``headers``, before or instead of a use case's own answer."""

    def __init__(self, detail: str, status: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = dict(headers or {})


#: What a request can be refused with; everything else is a fault of this service.
Refusal: TypeAlias = ScimError | ServiceError


def describe_http_error(error: HTTPException) -> str:
    """Return the detail of an error of the router's or of Werkzeug's."""
    path = quoted(request.path)
    if error.code == _NOT_FOUND:
        return f"there is no endpoint {path}; {_API_ENDPOINTS if is_api(request.path) else _ENDPOINTS}"
    if error.code == _METHOD_NOT_ALLOWED:
        return f"{path} does not take {quoted(request.method)}"
    if error.code == _TOO_LARGE:
        return f"the body is too large; at most {limits().body} bytes are taken"
    return error.description or error.name


_BAD_REQUEST, _NOT_FOUND, _METHOD_NOT_ALLOWED, _TOO_LARGE = 400, 404, 405, 413
_ENDPOINTS = (
    f"the Tenant URL ends in {SCIM_PREFIX}, and under it there are "
    "Users, Groups, Bulk, ServiceProviderConfig, ResourceTypes and Schemas"
)
_API_ENDPOINTS = f"GET {API_PREFIX}/openapi.json describes those that there are"


@dataclass(frozen=True, slots=True)
class ErrorFormat:
    """How errors below a path are answered."""

    answer: Callable[[Refusal], Response]
    describe_http_error: Callable[[HTTPException], str] = describe_http_error


_formats: AppState[dict[str, ErrorFormat]] = AppState("error formats")


def register_error_format(app: Flask, prefix: str, error_format: ErrorFormat) -> None:
    """Answer errors at and below ``prefix`` in ``error_format``."""
    _formats.of(app)[prefix] = error_format


def _format() -> ErrorFormat:
    formats = _formats.current
    return next((formats[prefix] for prefix in formats if is_below(request.path, prefix)), _PROBLEM_DETAILS)


def init_errors(app: Flask) -> None:
    """Register the handlers of ``app``, and the format of SCIM."""
    _formats.init_app(app, {SCIM_PREFIX: ErrorFormat(_answer_scim)})
    app.register_error_handler(ScimError, answer_error)
    app.register_error_handler(ServiceError, answer_error)
    app.register_error_handler(HTTPException, _http_error)
    for kind in DATABASE_ERRORS:
        app.register_error_handler(kind, _database_error)
    app.register_error_handler(Exception, _internal_error)


def answer_error(error: Refusal) -> Response:
    """Answer with ``error`` in the format of the path."""
    request_state().refusal = error
    response = _format().answer(error)
    response.headers.extend(getattr(error, "headers", {}))
    return response


def _answer_scim(error: Refusal) -> Response:
    """Answer as RFC 7644 §3.12 says."""
    scim_error = error if isinstance(error, ScimError) else _as_scim_error(error)
    request_state().refusal = scim_error
    return json_response(error_message(scim_error), scim_error.status, MEDIA_TYPE)


def _as_scim_error(error: ServiceError) -> ScimError:
    is_malformed = isinstance(error, RequestRefused) and error.status == _BAD_REQUEST
    scim_error = (InvalidSyntax if is_malformed else ScimError)(error.detail)
    scim_error.status = error.status
    return scim_error


def _answer_problem(error: Refusal) -> Response:
    return json_response(problem(error), error.status, PROBLEM_TYPE)


_PROBLEM_DETAILS = ErrorFormat(_answer_problem)


def problem(error: Refusal) -> dict[str, Any]:
    """Return ``error`` as problem details that list every wrong field at once (RFC 9457 §3.2)."""
    members = {
        "type": "about:blank",
        "status": error.status,
        "title": HTTPStatus(error.status).phrase,
        "detail": _detail(error),
    }
    if isinstance(error, ServiceError) and error.errors:
        members["errors"] = [
            {"field": field, "detail": message} for field, messages in error.errors.items() for message in messages
        ]
    return members


def _detail(error: Refusal) -> str:
    """Return the detail, which is the same whether a missing thing is another enterprise's or does not exist."""
    if isinstance(error, NoSuchThing) and error.what:
        return f"there is no {error.what} with this id in this enterprise"
    return error.detail


def _http_error(error: HTTPException) -> Response:
    """Answer what Flask, its router and Werkzeug raise by themselves."""
    headers = {name: value for name, value in error.get_headers() if name == "Allow"}
    return answer_error(RequestRefused(_format().describe_http_error(error), error.code or 500, headers))


def _database_error(error: Exception) -> Response:
    if not is_outage(error):
        return _internal_error(error)
    cause = getattr(error, "orig", None) or error
    _log.error(
        "the database cannot be used: %s: %s (request %s)", type(cause).__name__, describe_outage(error), _request_id()
    )
    outage = unavailable()
    return answer_error(RequestRefused(outage.detail, outage.status, outage.headers))


def _internal_error(error: Exception) -> Response:
    """Answer with the request ID only; the log has the rest, without the values of statements."""
    _log.error("internal error (request %s)", _request_id(), exc_info=hide_values(error))
    detail = f"an internal error occurred; the log of this service tells more at request {_request_id()}"
    return answer_error(RequestRefused(detail, 500))


def _request_id() -> str:
    state = find_request_state()
    return state.request_id if state is not None else "-"
