"""Answers for refused tokens (RFC 6750 §3) and refused clients (RFC 6749 §5.2)."""

import re

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from scimsvc.auth.callers import find_owner
from scimsvc.auth.errors import BearerError, InsufficientScope, InvalidRequest, OAuthError
from scimsvc.paths import AUTHENTICATE_PATH, REVOKE_PATH, is_api
from scimsvc.web.errors import (
    ErrorFormat,
    Refusal,
    RequestRefused,
    answer_error,
    describe_http_error,
    register_error_format,
)
from scimsvc.web.messages import json_response
from scimsvc.web.providers import find_provider, is_for_entra
from scimsvc.web.state import request_state

_UNAUTHORIZED = 401


def init_auth_errors(app: Flask) -> None:
    """Register the error handlers for tokens and clients, and the error format of the token endpoint."""
    app.register_error_handler(BearerError, _answer_bearer_error)
    app.register_error_handler(OAuthError, _answer_oauth_error)
    for path in (AUTHENTICATE_PATH, REVOKE_PATH):
        register_error_format(app, path, ErrorFormat(_answer_refusal, _describe_http_error))


def _answer_bearer_error(error: BearerError) -> Response:
    """Return an answer with the challenge of RFC 6750 §3."""
    _advise(error)
    parameters = {
        "realm": "api" if is_api(request.path) else "scim",
        "error": error.error,
        "error_description": error.description,
    }
    if isinstance(error, InsufficientScope):
        parameters["scope"] = error.needed
    challenge = ", ".join(f'{name}="{_quotable(value)}"' for name, value in parameters.items())
    response = answer_error(
        RequestRefused(error.description, error.status, {"WWW-Authenticate": f"Bearer {challenge}"})
    )
    request_state().refusal = error  # the provisioning log needs the token's claims
    return response


def _advise(error: BearerError) -> None:
    """Complete the description in the words for the client of the token."""
    if error.advice is None:
        return
    owner = find_owner(error.claims) if error.claims is not None else None
    provider = find_provider(request_state(), owner.provider if owner is not None else None)
    error.description = error.advice.after(error.description, for_entra=is_for_entra(provider))


def _quotable(text: str) -> str:
    """Return ``text`` with only the characters that RFC 6749 §5.2 and RFC 6750 §3 allow in descriptions."""
    plain = text.replace("…", "...").replace('"', "'").replace("\\", "/")
    return re.sub(r"[^ -~]", "?", plain)


def _answer_oauth_error(error: OAuthError) -> Response:
    """Return an answer in the format of RFC 6749 §5.2."""
    response = json_response({"error": error.error, "error_description": _quotable(error.description)}, error.status)
    response.headers["Cache-Control"] = "no-store"
    if error.status == _UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Basic realm="scimsvc", charset="UTF-8"'
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _answer_refusal(refusal: Refusal) -> Response:
    """Return an answer in the format of RFC 6749 §5.2 for an error that OAuth does not define."""
    if refusal.status not in _REFUSED_AS_THEY_ARE:
        return _answer_oauth_error(InvalidRequest(refusal.detail))
    error = _OAUTH_ERRORS.get(refusal.status, "invalid_request")
    return json_response({"error": error, "error_description": refusal.detail}, refusal.status)


#: Every other HTTP status becomes 400, ``invalid_request``.
_REFUSED_AS_THEY_ARE = (404, 405, 500, 503)
_OAUTH_ERRORS = {500: "server_error", 503: "temporarily_unavailable"}


def _describe_http_error(error: HTTPException) -> str:
    if error.code in _REFUSED_AS_THEY_ARE:
        return describe_http_error(error)
    return error.description or error.name
