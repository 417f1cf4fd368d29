"""Read requests and create responses for all blueprints of the enterprise API."""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from flask import Blueprint, Response, current_app, request

from scimsvc.errors import InvalidInput, NoSuchThing
from scimsvc.paths import API_PREFIX
from scimsvc.protocol.versions import names
from scimsvc.schemas.entity_tags import entity_tag
from scimsvc.vocabulary import ID_PATTERN
from scimsvc.web.messages import JSON, json_response, read_body
from scimsvc.web.state import caller
from scimsvc.web.urls import api_url

_ID = re.compile(ID_PATTERN)


#: The views that take query parameters.
_View = TypeVar("_View", bound=Callable[..., Response])
_WITH_PARAMETERS: set[Callable[..., Response]] = set()


def takes_parameters(view: _View) -> _View:
    """Allow query parameters for the view. Other views refuse them."""
    _WITH_PARAMETERS.add(view)
    return view


def api_blueprint(name: str) -> Blueprint:
    """Return a blueprint of the enterprise API."""
    blueprint = Blueprint(f"api_{name}", __name__, url_prefix=API_PREFIX)

    def check() -> None:
        api_url()  # refuses an invalid Host before the view changes anything
        _refuse_malformed_ids()
        view = current_app.view_functions[request.endpoint or ""]
        _refuse_parameters(repeated_only=view in _WITH_PARAMETERS)

    blueprint.before_request(check)
    return blueprint


def _refuse_malformed_ids() -> None:
    for name, value in (request.view_args or {}).items():
        if _ID.fullmatch(value) is None:
            what = name.removesuffix("_id")
            raise NoSuchThing(f"{value!r} is not the ID of a {what}.", what=what)


def _refuse_parameters(*, repeated_only: bool) -> None:
    refused = {name: values for name, values in request.args.lists() if len(values) > 1 or not repeated_only}
    if refused:
        reason = "Send this parameter only once." if repeated_only else "This endpoint has no parameters. Remove it."
        detail = " ".join(f"{name}: {reason}" for name in refused)
        raise InvalidInput(detail, {name: [reason] for name in refused})


def enterprise_id() -> str:
    """Return the ID of the caller's enterprise. A token gives access to only one enterprise."""
    return caller().enterprise_id


def read_object() -> dict[str, Any]:
    """Return the members of the body, which must be a JSON object."""
    body = read_body(JSON)
    if not isinstance(body, dict):
        raise InvalidInput("The request body is not a JSON object. Send an object.")
    return body


def read_optional_object() -> dict[str, Any]:
    """Return the members of the body, or no members if the body is empty."""
    return read_object() if request.content_length or request.headers.get("Transfer-Encoding") else {}


def parameters() -> dict[str, str]:
    """Return the query parameters."""
    return request.args.to_dict()


def if_match() -> str | None:
    """Return the If-Match header, or None."""
    return request.headers.get("If-Match")


def json_answer(value: Any, status: int = 200) -> Response:
    """Return a JSON response with ``value``."""
    return json_response(value, status, JSON)


def resource_answer(thing: Mapping[str, Any]) -> Response:
    """Return a response with a resource and its ETag, or 304 if the client already has this version."""
    tag = entity_tag(thing)
    known = request.headers.get("If-None-Match")
    if request.method in ("GET", "HEAD") and known is not None and names(known, tag):
        return Response(status=304, headers={"ETag": tag})
    response = json_answer(thing)
    response.headers["ETag"] = tag
    return response


def created_answer(thing: Mapping[str, Any], collection: str, *, tagged: bool = True) -> Response:
    """Return a response with a new resource and its location in ``collection``."""
    response = json_answer(thing, 201)
    if tagged:
        response.headers["ETag"] = entity_tag(thing)
    response.headers["Location"] = f"{api_url()}/{collection}/{thing['id']}"
    return response


def empty_answer() -> Response:
    """Return an empty response after a deletion."""
    return Response(status=204)
