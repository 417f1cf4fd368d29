"""What the blueprints of the enterprise API share: reading a request, and answering with a thing or a list."""

import re
from collections.abc import Callable, Mapping
from typing import Any

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


#: The views that take parameters of the query.
_WITH_PARAMETERS: set[Callable[[], Response]] = set()


def takes_parameters(view: Callable[[], Response]) -> Callable[[], Response]:
    """Let the view take parameters of the query, which are refused elsewhere."""
    _WITH_PARAMETERS.add(view)
    return view


def api_blueprint(name: str) -> Blueprint:
    """Return a blueprint of the enterprise API."""
    blueprint = Blueprint(f"api_{name}", __name__, url_prefix=API_PREFIX)

    def check() -> None:
        api_url()  # refuses an invalid Host before anything is done
        _refuse_what_is_no_id()
        view = current_app.view_functions[request.endpoint or ""]
        _refuse_parameters(repeated_only=view in _WITH_PARAMETERS)

    blueprint.before_request(check)
    return blueprint


def _refuse_what_is_no_id() -> None:
    for name, value in (request.view_args or {}).items():
        if _ID.fullmatch(value) is None:
            what = name.removesuffix("_id")
            raise NoSuchThing(f"{value!r} is no {what}'s id", what=what)


def _refuse_parameters(*, repeated_only: bool) -> None:
    refused = {name: values for name, values in request.args.lists() if len(values) > 1 or not repeated_only}
    if refused:
        reason = "is given more than once" if repeated_only else "is no parameter here; there are none"
        detail = "; ".join(f"{name}: {reason}" for name in refused)
        raise InvalidInput(detail, {name: [reason] for name in refused})


def enterprise_id() -> str:
    """Return the enterprise that the request's token stands for, and which is all that it can see."""
    return caller().enterprise_id


def read_object() -> dict[str, Any]:
    """Return the members of the body, which must be a JSON object."""
    body = read_body(JSON)
    if not isinstance(body, dict):
        raise InvalidInput("the body must be a JSON object")
    return body


def read_optional_object() -> dict[str, Any]:
    """Return the members of the body, and none where there is no body."""
    return read_object() if request.content_length or request.headers.get("Transfer-Encoding") else {}


def parameters() -> dict[str, str]:
    """Return the parameters of the query."""
    return request.args.to_dict()


def if_match() -> str | None:
    """Return what the request wants of the version of what it changes."""
    return request.headers.get("If-Match")


def json_answer(value: Any, status: int = 200) -> Response:
    """Answer with ``value``."""
    return json_response(value, status, JSON)


def resource_answer(thing: Mapping[str, Any]) -> Response:
    """Answer with a thing that can be changed, with its ETag; 304 where the reader has it already."""
    tag = entity_tag(thing)
    known = request.headers.get("If-None-Match")
    if request.method in ("GET", "HEAD") and known is not None and names(known, tag):
        return Response(status=304, headers={"ETag": tag})
    response = json_answer(thing)
    response.headers["ETag"] = tag
    return response


def created_answer(thing: Mapping[str, Any], collection: str, *, tagged: bool = True) -> Response:
    """Answer with a thing that is new in ``collection``, and where it is."""
    response = json_answer(thing, 201)
    if tagged:
        response.headers["ETag"] = entity_tag(thing)
    response.headers["Location"] = f"{api_url()}/{collection}/{thing['id']}"
    return response


def empty_answer() -> Response:
    """Answer that what was to go is gone."""
    return Response(status=204)
