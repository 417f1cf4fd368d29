"""Rehearse a SCIM request: process it as a real one, in a transaction that is rolled back.

The request goes through the app's URL map, views and error handlers, in a request context inside the running one.
A rehearsal skips the token, the rate limit, last uses, the log and the counters.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

from flask import Response, current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.test import EnvironBuilder

from scimsvc.auth.callers import refuse_while_off
from scimsvc.auth.suspension import refuse_while_suspended
from scimsvc.errors import ServiceError
from scimsvc.paths import SCIM_PREFIX, clean_path
from scimsvc.protocol.errors import ScimError
from scimsvc.protocol.json_text import write_json
from scimsvc.protocol.messages import MEDIA_TYPE
from scimsvc.scim.request import ExplanationTooLarge
from scimsvc.web.state import Caller, RequestState, begin_request_state, web_state

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


@dataclass(frozen=True, slots=True)
class RehearsedRequest:
    """A request as a client would send it. ``path`` may have every form that ``read_target`` accepts."""

    method: str
    path: str
    #: A JSON value, its text, or None for no body.
    body: Any
    #: The Tenant URL.
    tenant_url: str


@contextmanager
def rehearsed_request(asked: RehearsedRequest, caller: Caller) -> Iterator[RequestState]:
    """Push a request context for ``asked``, sent by ``caller``, and yield its state."""
    environ = _environ(asked)
    settings = web_state.current.settings
    # An app context too, because its ``g`` carries the state of this request, not of the request that rehearses it.
    with current_app.app_context() as context, context.app.request_context(environ) as inner:
        state = RequestState(context.app, inner.request, settings, "", time.perf_counter(), caller=caller)
        begin_request_state(state)
        yield state


def answer(state: RequestState) -> Response:
    """Return the response to the request of ``state``, also if it is refused.

    Raises errors of this service itself, and ``ExplanationTooLarge``.
    """
    app = state.app
    try:
        assert state.caller is not None
        refuse_while_suspended(state.caller)
        refuse_while_off(state.caller)
        return app.make_response(_view(state)(**(request.view_args or {})))
    except ExplanationTooLarge:
        raise  # the request itself is not refused
    except (ScimError, ServiceError, HTTPException) as error:
        return app.make_response(app.handle_user_exception(error))


def _view(state: RequestState) -> Callable[..., Any]:
    if request.routing_exception is not None:
        raise request.routing_exception
    assert request.endpoint is not None
    return state.app.view_functions[request.endpoint]


def _environ(asked: RehearsedRequest) -> "WSGIEnvironment":
    """Return the WSGI environment that a server would create for the request."""
    path, query = read_target(asked.path)
    builder = EnvironBuilder(
        method=asked.method,
        base_url=asked.tenant_url.removesuffix(SCIM_PREFIX),
        data=_body(asked.body),
        content_type=f"{MEDIA_TYPE}; charset=utf-8",
    )
    try:
        environ = builder.get_environ()
    finally:
        builder.close()
    environ["PATH_INFO"] = clean_path(unquote_to_bytes(path).decode("latin-1"))
    environ["QUERY_STRING"] = query.encode().decode("latin-1")
    return environ


def _body(body: Any) -> bytes:
    if body is None:
        return b""
    return (body if isinstance(body, str) else write_json(body)).encode("utf-8", "surrogatepass")


def read_target(target: str) -> tuple[str, str]:
    """Return the path and the query of ``target``: relative to the Tenant URL or the host, or a whole URL."""
    target = target.encode("utf-8", "replace").decode()
    try:
        url = urlsplit(target)
    except ValueError:  # not a URL; the path leads to a 404
        return f"{SCIM_PREFIX}/{target}", ""
    path = clean_path(f"/{url.path}")
    match = _TENANT_PATH.search(path)
    return SCIM_PREFIX + (path[match.end() :] if match is not None else path), url.query


_TENANT_PATH = re.compile(rf"{re.escape(SCIM_PREFIX)}(?=/|$)")
