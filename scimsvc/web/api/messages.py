"""What the blueprints of the enterprise API share: reading a body, and answering with a thing or a list."""

from collections.abc import Mapping
from typing import Any

from flask import Response, request

from scimsvc.protocol.errors import InvalidSyntax
from scimsvc.protocol.versions import names
from scimsvc.services.entity_tags import entity_tag
from scimsvc.web.http import caller, json_response, read_body
from scimsvc.web.paths import API_PREFIX

JSON = "application/json"


def enterprise_id() -> str:
    """Return the enterprise that the request's token stands for, and which is all that it can see."""
    return caller().enterprise_id


def read_object() -> dict[str, Any]:
    """Return the members of the body, which must be a JSON object."""
    body = read_body()
    if not isinstance(body, dict):
        raise InvalidSyntax("the body must be a JSON object")
    return body


def read_optional_object() -> dict[str, Any]:
    """Return the members of the body, and none where there is no body."""
    return read_object() if request.content_length or request.headers.get("Transfer-Encoding") else {}


def parameters() -> dict[str, str]:
    """Return the parameters of the query; one that is repeated counts once, as given last."""
    return {name: values[-1] for name, values in request.args.lists()}


def if_match() -> str | None:
    """Return what the request wants of the version of what it changes."""
    return request.headers.get("If-Match")


def answered(value: Any, status: int = 200) -> Response:
    """Answer with ``value``."""
    return json_response(value, status, JSON)


def shown(thing: Mapping[str, Any]) -> Response:
    """Answer with a thing that can be changed, with its ETag; 304 where the reader has it already."""
    tag = entity_tag(thing)
    known = request.headers.get("If-None-Match")
    if request.method in ("GET", "HEAD") and known is not None and names(known, tag):
        return Response(status=304, headers={"ETag": tag})
    response = answered(thing)
    response.headers["ETag"] = tag
    return response


def created(thing: Mapping[str, Any], collection: str) -> Response:
    """Answer with a thing that is new in ``collection``, and where it is."""
    response = answered(thing, 201)
    response.headers["ETag"] = entity_tag(thing)
    response.headers["Location"] = f"{request.script_root}{API_PREFIX}/{collection}/{thing['id']}"
    return response


def gone() -> Response:
    """Answer that what was to go is gone."""
    return Response(status=204)
