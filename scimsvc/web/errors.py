"""Errors to answers, for the whole app: the path's prefix decides over the form.

Handlers are the app's and not a blueprint's, as a blueprint never sees the router's own 404 and 405.
"""

import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, g, request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from scimsvc.auth.tokens import BearerError, InvalidRequest, OAuthError, TooManyWrongSecrets
from scimsvc.console.environment import error_page, refused_page, sentence
from scimsvc.errors import NoSuchThing, ServiceError
from scimsvc.protocol import errors
from scimsvc.protocol.errors import ScimError, shown
from scimsvc.protocol.messages import error_message
from scimsvc.store.outages import is_outage, unavailable
from scimsvc.web.http import json_response, limits
from scimsvc.web.paths import API_PREFIX, SCIM_PREFIX, is_api, is_console, is_scim

_log = logging.getLogger("scimsvc")

_OAUTH_PATHS = ("/api/authenticate", "/api/revoke")


def init_errors(app: Flask) -> None:
    """Register the handlers of ``app``."""
    app.register_error_handler(ScimError, _answer)
    app.register_error_handler(BearerError, _bearer_error)
    app.register_error_handler(OAuthError, _oauth_error)
    app.register_error_handler(ServiceError, _service_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(DBAPIError, _database_error)
    app.register_error_handler(PoolTimeout, _database_error)
    app.register_error_handler(Exception, _internal_error)


def _answer(error: ScimError) -> Response:
    """Answer with ``error`` in the form of the path: SCIM's, OAuth's, a page, or problem details (RFC 9457)."""
    g.refusal = error
    if is_console(request.path):
        response = error_page(error.status, sentence(error.detail))
    elif is_scim(request.path):
        response = json_response(error_message(error), error.status)
    elif request.path in _OAUTH_PATHS:
        response = json_response(
            {"error": _OAUTH_ERRORS.get(error.status, "invalid_request"), "error_description": error.detail},
            error.status,
            "application/json",
        )
    else:
        response = json_response(problem(error), error.status, PROBLEM_TYPE)
    response.headers.extend(error.headers)
    return response


PROBLEM_TYPE = "application/problem+json"


def problem(error: ScimError) -> dict[str, Any]:
    """Return ``error`` as problem details (RFC 9457), for paths that are not SCIM's."""
    return problem_of(error.status, error.detail)


def problem_of(status: int, detail: str) -> dict[str, Any]:
    """Return the problem details of a ``status`` and what went wrong."""
    return {"type": "about:blank", "status": status, "title": HTTPStatus(status).phrase, "detail": detail}


def _service_error(error: ServiceError) -> Response:
    """Answer with problem details that list every wrong field at once (RFC 9457 §3.2), or with a page."""
    if is_console(request.path):
        return refused_page(error)
    if is_scim(request.path):
        refusal = ScimError(error.detail)
        refusal.status = error.status
        return _answer(refusal)
    members = problem_of(error.status, _detail(error))
    if error.errors:
        members["errors"] = [
            {"field": field, "detail": message} for field, messages in error.errors.items() for message in messages
        ]
    return json_response(members, error.status, PROBLEM_TYPE)


def _detail(error: ServiceError) -> str:
    """Return what is told: of a missing thing the same whether it is another enterprise's or nobody's."""
    if isinstance(error, NoSuchThing) and error.what:
        return f"there is no {error.what} with this id in this enterprise"
    return error.detail


_OAUTH_ERRORS = {500: "server_error", 503: "temporarily_unavailable"}


def _bearer_error(error: BearerError) -> Response:
    """Answer as RFC 6750 §3 says."""
    parameters = {
        "realm": "api" if is_api(request.path) else "scim",
        "error": error.error,
        "error_description": error.description,
    }
    challenge = ", ".join(f'{name}="{_quotable(value)}"' for name, value in parameters.items())
    g.refused_bearer = error
    kind = errors.Unauthorized if error.status == _UNAUTHORIZED else errors.Forbidden
    return _answer(kind(error.description, {"WWW-Authenticate": f"Bearer {challenge}"}))


_UNAUTHORIZED = 401


def _quotable(text: str) -> str:
    """Return ``text`` in the characters that RFC 6749 §5.2 and RFC 6750 §3 allow in descriptions."""
    plain = text.replace("…", "...").replace('"', "'").replace("\\", "/")
    return re.sub(r"[^ -~]", "?", plain)


def _oauth_error(error: OAuthError) -> Response:
    """Answer as RFC 6749 §5.2 says."""
    response = json_response(
        {"error": error.error, "error_description": _quotable(error.description)}, error.status, "application/json"
    )
    response.headers["Cache-Control"] = "no-store"
    if error.status == _UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Basic realm="scimsvc", charset="UTF-8"'
    if isinstance(error, TooManyWrongSecrets):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _http_error(error: HTTPException) -> Response:
    """Translate what Flask and its router raise by themselves."""
    code = error.code or 500
    if request.path in _OAUTH_PATHS and code not in (404, 405):
        return _oauth_error(InvalidRequest(error.description or error.name))
    path = shown(request.path)
    translated: Mapping[int, ScimError] = {
        400: errors.InvalidSyntax(error.description or error.name),
        404: errors.NotFound(_not_found(path)),
        405: errors.MethodNotAllowed(f"{path} does not take {shown(request.method)}", _headers(error)),
        413: errors.PayloadTooLarge(f"the body is too large; at most {limits().body} bytes are taken"),
        415: errors.UnsupportedMediaType(error.description or error.name),
    }
    scim_error = translated.get(code)
    if scim_error is None:
        scim_error = ScimError(error.description or error.name)
        scim_error.status = code
    return _answer(scim_error)


def _not_found(path: str) -> str:
    if is_console(request.path):
        return "there is no such page"
    return f"there is no endpoint {path}; {_API_ENDPOINTS if is_api(request.path) else _ENDPOINTS}"


_ENDPOINTS = (
    f"the Tenant URL ends in {SCIM_PREFIX}, and under it there are "
    "Users, Groups, Bulk, ServiceProviderConfig, ResourceTypes and Schemas"
)


_API_ENDPOINTS = f"GET {API_PREFIX}/openapi.json describes those that there are"


def _headers(error: HTTPException) -> dict[str, str]:
    return {name: value for name, value in error.get_headers() if name == "Allow"}


def _database_error(error: Exception) -> Response:
    if not is_outage(error):
        return _internal_error(error)
    cause = getattr(error, "orig", None) or error
    _log.error("the database cannot be used: %s: %s (request %s)", type(cause).__name__, _first_line(cause), _id())
    return _answer(unavailable())


def _internal_error(error: Exception) -> Response:
    """Answer with the request ID alone; the log has the rest, without the values of statements."""
    _log.error("internal error (request %s)", _id(), exc_info=_without_values(error))
    return _answer(
        errors.InternalError(f"an internal error occurred; the log of this service tells more at request {_id()}")
    )


def _without_values(error: Exception) -> Exception:
    if isinstance(error, DBAPIError):
        error.hide_parameters = True
    return error


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0]


def _id() -> Any:
    return g.get("request_id", "-")
