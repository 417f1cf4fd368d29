"""Convert errors to responses for the whole app. The prefix of the path selects the format.

Handlers are registered on the app instead of on blueprints, because a blueprint never sees the 404 and 405 of the
router. A feature with its own error format registers it with ``register_error_format``.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeAlias

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from scimsvc.errors import NoSuchThing, ServiceError
from scimsvc.paths import API_PREFIX, CONSOLE_PREFIX, SCIM_PREFIX, is_api, is_below
from scimsvc.protocol.errors import InvalidSyntax, ScimError, quoted
from scimsvc.protocol.messages import MEDIA_TYPE, error_message
from scimsvc.store.engine.outages import DATABASE_ERRORS, describe_outage, find_unavailable, hide_values, is_outage
from scimsvc.web.messages import json_response
from scimsvc.web.providers import advise, init_providers
from scimsvc.web.state import AppState, find_request_state, limits, request_state

PROBLEM_TYPE = "application/problem+json"

_log = logging.getLogger("scimsvc")


class RequestRefused(ServiceError):
    """A request is refused with ``status`` and ``headers`` outside of the use cases."""

    def __init__(self, detail: str, status: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = dict(headers or {})


#: The errors that refuse a request. Every other exception is a fault of this service.
Refusal: TypeAlias = ScimError | ServiceError


def describe_http_error(error: HTTPException) -> str:
    """Return the detail of an error that the router or Werkzeug raised."""
    path = quoted(request.path)
    if error.code == _NOT_FOUND:
        return f"The endpoint {path} does not exist. {_API_ENDPOINTS if is_api(request.path) else _ENDPOINTS}"
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        return f"The method {quoted(request.method)} is not allowed for {path}. Use one of {allowed}."
    if error.code == _TOO_LARGE:
        return f"The request body is too large. Send at most {limits().body} bytes."
    return error.description or error.name


_BAD_REQUEST, _NOT_FOUND, _TOO_LARGE = 400, 404, 413
_ENDPOINTS = (
    f"Check that the Tenant URL ends in {SCIM_PREFIX}. Its endpoints are "
    f"Users, Groups, Bulk, ServiceProviderConfig, ResourceTypes and Schemas. The console is at {CONSOLE_PREFIX}."
)
_API_ENDPOINTS = f"GET {API_PREFIX}/openapi.json describes all endpoints."


@dataclass(frozen=True, slots=True)
class ErrorFormat:
    """The format of errors below a path."""

    answer: Callable[[Refusal], Response]
    describe_http_error: Callable[[HTTPException], str] = describe_http_error


_formats: AppState[dict[str, ErrorFormat]] = AppState("error formats")


def register_error_format(app: Flask, prefix: str, error_format: ErrorFormat) -> None:
    """Answer errors at and below ``prefix`` with ``error_format``."""
    _formats.of(app)[prefix] = error_format


def _format() -> ErrorFormat:
    formats = _formats.current
    return next((formats[prefix] for prefix in formats if is_below(request.path, prefix)), _PROBLEM_DETAILS)


def init_errors(app: Flask) -> None:
    """Register the error handlers of ``app`` and the SCIM format."""
    init_providers(app)
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
    """Return the SCIM error response of RFC 7644 §3.12."""
    scim_error = error if isinstance(error, ScimError) else _as_scim_error(error)
    advise(scim_error, request_state())
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
    """Return ``error`` as problem details with every invalid field (RFC 9457 §3.2)."""
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
    """Return the detail of ``error``.

    It is the same for a resource of another enterprise and for one that does not exist.
    """
    if isinstance(error, NoSuchThing) and error.what:
        return f"This enterprise has no {error.what} with this ID. Check the ID."
    return error.detail


def _http_error(error: HTTPException) -> Response:
    """Answer an error that Flask, its router or Werkzeug raised."""
    headers = {name: value for name, value in error.get_headers() if name == "Allow"}
    return answer_error(RequestRefused(_format().describe_http_error(error), error.code or 500, headers))


def _database_error(error: Exception) -> Response:
    unavailable = find_unavailable(error)
    if unavailable is None:
        return _internal_error(error)
    cause, what = getattr(error, "orig", None) or error, "unavailable" if is_outage(error) else "too slow"
    _log.error("database %s: %s: %s (request %s)", what, type(cause).__name__, describe_outage(error), _request_id())
    return answer_error(RequestRefused(unavailable.detail, unavailable.status, unavailable.headers))


def _internal_error(error: Exception) -> Response:
    """Answer with the request ID only. The log has the traceback, without the parameters of statements."""
    _log.error("internal error (request %s)", _request_id(), exc_info=hide_values(error))
    detail = f"An internal error occurred. The log of this service has the details of request {_request_id()}."
    return answer_error(RequestRefused(detail, 500))


def _request_id() -> str:
    state = find_request_state()
    return state.request_id if state is not None else "-"
