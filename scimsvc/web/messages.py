"""Read JSON bodies and create JSON responses."""

import re
from codecs import BOM_UTF8
from collections.abc import Callable
from typing import Any

from flask import Request, Response

from scimsvc.errors import ServiceError
from scimsvc.protocol.errors import quoted
from scimsvc.protocol.json_text import InvalidJSON, read_json, write_json
from scimsvc.protocol.reading.tolerances import Tolerance
from scimsvc.web.state import request_state

JSON = "application/json"


class MalformedBody(ServiceError):
    """The body is not JSON, or exceeds a limit."""


class UnsupportedBody(ServiceError):
    """The body is compressed, or its media type is not JSON."""

    status = 415


def read_body(media_type: str = JSON, tolerate: Callable[[Tolerance], None] | None = None) -> Any:
    """Return the JSON value of the body, sent as ``media_type`` or as ``application/json``.

    A missing Content-Type and a byte order mark are passed to ``tolerate``, or refused if that is None.
    Raises ``UnsupportedBody`` if the body is compressed or not JSON, and ``MalformedBody`` if it is malformed.
    """
    state = request_state()
    request = state.request
    environ = request.environ
    if environ.get("CONTENT_TYPE") not in (
        media_type + _IN_UTF_8,
        media_type,
    ):  # the header that Entra sends, or a similar one
        if tolerate is not None and not environ.get("CONTENT_TYPE"):
            tolerate(Tolerance.NO_CONTENT_TYPE)
        else:
            _refuse_other_types(request, media_type)
    if (environ.get("HTTP_CONTENT_ENCODING") or "identity").lower() != "identity":
        raise UnsupportedBody("The request body is compressed. Send it without a Content-Encoding header.")
    limits = state.settings.limits
    content = _read_content(request, limits.body)
    try:
        return read_json(content, limits)
    except InvalidJSON as error:
        if tolerate is None or not content.startswith(BOM_UTF8):
            raise MalformedBody(str(error)) from None
    tolerate(Tolerance.BYTE_ORDER_MARK)
    try:
        return read_json(content.removeprefix(BOM_UTF8), limits)
    except InvalidJSON as error:
        raise MalformedBody(str(error)) from None


_IN_UTF_8 = "; charset=utf-8"


def _refuse_other_types(request: Request, media_type: str) -> None:
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype not in (media_type, JSON) or charset not in ("utf-8", "utf8"):
        content_type = request.headers.get("Content-Type")
        reason = f"{quoted(content_type)} is not supported" if content_type else "is missing"
        raise UnsupportedBody(f"The Content-Type {reason}. Send {media_type} in UTF-8.")


def _read_content(request: Request, longest: int) -> bytes:
    """Return the body. If the server has read it already, reading needs no checks."""
    environ = request.environ
    length = environ.get("CONTENT_LENGTH", "")
    if "wsgi.input_terminated" in environ and _LENGTH.fullmatch(length) and int(length) <= longest:
        content: bytes = environ["wsgi.input"].read()
        return content
    return request.get_data(cache=False)


_LENGTH = re.compile("[0-9]{1,9}")


def json_response(value: Any, status: int = 200, media_type: str = JSON) -> Response:
    """Answer with ``value`` as JSON."""
    return Response(write_json(value), status, mimetype=media_type)
