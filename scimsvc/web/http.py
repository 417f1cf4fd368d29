"""What every blueprint shares: reading a body, and answering with a user, a text or an object."""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from flask import Flask, Request, Response, current_app, g, request
from flask.ctx import _AppCtxGlobals
from werkzeug.datastructures import Headers

from scimsvc import vocabulary
from scimsvc.auth.callers import Caller
from scimsvc.protocol.errors import InvalidSyntax, ScimError, UnsupportedMediaType, shown
from scimsvc.protocol.json_text import InvalidJSON, read_json, write_json
from scimsvc.protocol.limits import Limits
from scimsvc.protocol.messages import MEDIA_TYPE, Representation
from scimsvc.protocol.projection import parse_projection
from scimsvc.protocol.reading.tolerances import RequestNotes
from scimsvc.protocol.versions import UNCONDITIONAL, Preconditions
from scimsvc.scim.request import Attempt, ScimRequest
from scimsvc.scim.users import project
from scimsvc.web.paths import API_PREFIX, SCIM_PREFIX
from scimsvc.web.runtime import Runtime

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

JSON = "application/json"


def runtime() -> Runtime:
    """Return the running app's ``Runtime``."""
    return runtime_of(current_app)


def runtime_of(app: Flask) -> Runtime:
    """Return the ``Runtime`` of ``app``."""
    own: Runtime = app.extensions["scimsvc"]
    return own


def limits() -> Limits:
    """Return the limits that the request is read within."""
    within: Limits = _own().runtime.settings.limits
    return within


def caller() -> Caller:
    """Return who sent the request, as the guard found out."""
    found: Caller = g.caller
    return found


def notes() -> RequestNotes:
    """Return where notes on the request are collected."""
    return _notes(_own())


def _notes(own: _AppCtxGlobals) -> RequestNotes:
    made: RequestNotes | None = own.get("notes")
    if made is None:
        made = own.notes = RequestNotes(own.runtime.settings.limits)
    return made


def tenant_url() -> str:
    """Return the URL that SCIM's locations begin with."""
    return _root(_sent(), runtime()) + SCIM_PREFIX


def api_url() -> str:
    """Return the URL that the enterprise API's locations begin with."""
    return _root(_sent(), runtime()) + API_PREFIX


def _root(sent: Request, of_app: Runtime) -> str:
    return of_app.settings.public_url or _requested_root(sent.environ)


_HOST = re.compile(r"(?P<name>[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?")
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_LAST_PORT = 65535


def _requested_root(environ: "WSGIEnvironment") -> str:
    """Return scheme, host and prefix as the request has them; raises ``ScimError`` for a host that is none."""
    scheme = environ["wsgi.url_scheme"]
    host = environ.get("HTTP_HOST")
    if not host:
        port = environ["SERVER_PORT"]
        host = environ["SERVER_NAME"] + (f":{port}" if port != _DEFAULT_PORTS.get(scheme) else "")
    return _checked_root(scheme, host, environ.get("SCRIPT_NAME", ""))


@lru_cache(maxsize=64)
def _checked_root(scheme: str, host: str, prefix: str) -> str:
    if scheme not in _DEFAULT_PORTS or not _is_host(host):
        raise ScimError("the Host header (or what a proxy forwards of it) names no host; set SCIMSVC_PUBLIC_URL")
    return f"{scheme}://{host}{quote(prefix, safe='/', encoding='latin-1')}".rstrip("/")


def _is_host(host: str) -> bool:
    match = _HOST.fullmatch(host)
    if match is None or int(match["port"] or 0) > _LAST_PORT:
        return False
    try:
        match["name"].encode("ascii").decode("idna")  # refuses empty and overlong labels
    except UnicodeError:
        return False
    return True


def scim_request() -> ScimRequest:
    """Return what the services for users need of the request."""
    own = _own()
    made: ScimRequest | None = own.get("scim_request")
    if made is None:
        sent = _sent()
        made = own.scim_request = _make_request(own, sent, _root(sent, own.runtime) + SCIM_PREFIX)
    return made


def logged_request() -> ScimRequest:
    """Return the same for a request that was refused, perhaps before it was understood."""
    own = _own()
    return own.get("scim_request") or _make_request(own, _sent(), "")


def _make_request(own: _AppCtxGlobals, sent: Request, base: str) -> ScimRequest:
    return ScimRequest(own.caller, base, _notes(own), Attempt(_operation(sent)), own.request_id, own.started)


def _own() -> _AppCtxGlobals:
    """Return ``g`` itself, as its proxy looks it up anew at each attribute."""
    own: _AppCtxGlobals = g._get_current_object()  # noqa: SLF001
    return own


def _sent() -> Request:
    """Return the request itself."""
    sent: Request = request._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    return sent


def _operation(sent: Request) -> str:
    """Return what the provisioning log calls this request."""
    if sent.method == "GET":
        return vocabulary.OTHER
    resource = sent.path.removeprefix(SCIM_PREFIX).strip("/").partition("/")[0]
    if resource == "Users":
        return vocabulary.USER_OPERATIONS.get(sent.method, vocabulary.OTHER)
    return _OPERATIONS.get(resource, vocabulary.OTHER)


_OPERATIONS = {"Bulk": vocabulary.BULK, "Groups": vocabulary.GROUP}


def read_body(media_type: str = MEDIA_TYPE) -> Any:
    """Return the JSON value of the body (RFC 7644 §3.1, §8.1), sent as ``media_type`` or plainly as JSON.

    Raises ``UnsupportedMediaType`` or ``InvalidSyntax``.
    """
    sent = _sent()
    environ = sent.environ
    if environ.get("CONTENT_TYPE") not in (media_type + _IN_UTF_8, media_type):  # as Entra sends it, or like it
        _refuse_other_types(sent, media_type)
    if (environ.get("HTTP_CONTENT_ENCODING") or "identity").lower() != "identity":
        raise UnsupportedMediaType("the body must not be compressed; send it without a Content-Encoding")
    allowed = limits()
    try:
        return read_json(_read_content(sent, allowed.body), allowed)
    except InvalidJSON as error:
        raise InvalidSyntax(str(error)) from None


_IN_UTF_8 = "; charset=utf-8"


def _refuse_other_types(sent: Request, media_type: str) -> None:
    charset = sent.mimetype_params.get("charset", "utf-8").lower()
    if sent.mimetype not in (media_type, JSON) or charset not in ("utf-8", "utf8"):
        given = sent.headers.get("Content-Type")
        instead = f"not {shown(given)}" if given else "and there is none"
        raise UnsupportedMediaType(f"the Content-Type must be {media_type} in UTF-8, {instead}")


def _read_content(sent: Request, longest: int) -> bytes:
    """Return the body; where the server has it whole already there is nothing to watch while reading."""
    environ = sent.environ
    length = environ.get("CONTENT_LENGTH", "")
    if "wsgi.input_terminated" in environ and _LENGTH.fullmatch(length) and int(length) <= longest:
        content: bytes = environ["wsgi.input"].read()
        return content
    return sent.get_data(cache=False)


_LENGTH = re.compile("[0-9]{1,9}")


def json_response(value: Any, status: int = 200, media_type: str = MEDIA_TYPE) -> Response:
    """Answer with ``value`` as JSON."""
    return Response(write_json(value), status, mimetype=media_type)


class WholeResponse(Response):
    """An answer whose content and headers are whole: there is nothing to look through, to copy or to close."""

    def __init__(self, content: bytes | None, status: int) -> None:
        super().__init__(None, status, content_type=MEDIA_TYPE)
        self._is_to_be_closed = False
        if content is None:
            self.headers.clear()
            self.response = ()
        else:
            self.response = (content,)
            self.headers.add("Content-Length", str(len(content)))
        self.headers.add("Cache-Control", "no-store")

    def call_on_close(self, func: Callable[[], Any]) -> Callable[[], Any]:
        """Let ``func`` be called once the answer is sent, which the server is to tell then."""
        self._is_to_be_closed = True
        return super().call_on_close(func)

    def get_app_iter(self, environ: "WSGIEnvironment") -> Iterable[bytes]:
        """Return the content itself, unless it must be watched or left out."""
        if self._is_to_be_closed or environ["REQUEST_METHOD"] == "HEAD":
            return super().get_app_iter(environ)
        return self.response  # type: ignore[return-value]

    def get_wsgi_headers(self, environ: "WSGIEnvironment") -> Headers:
        """Return the headers as they stand."""
        return self.headers


def text_response(text: str, status: int = 200) -> Response:
    """Answer with a SCIM message that is JSON text already."""
    return WholeResponse(text.encode(), status)


def empty_response() -> Response:
    """Answer that it is done, and there is nothing more to say."""
    return WholeResponse(None, 204)


def user_response(user: Representation, status: int = 200) -> Response:
    """Answer with ``user``, or the attributes of it that the request wants (RFC 7644 §3.9)."""
    text, sent = user.text, _sent()
    if sent.query_string:
        projection = parse_projection(sent.args.get("attributes"), sent.args.get("excludedAttributes"))
        text = project(text, projection)
    response = text_response(text, status)
    response.headers.add("ETag", user.entity_tag)
    return response


def preconditions() -> Preconditions:
    """Return what the request's headers want to hold of the resource (RFC 7644 §3.14)."""
    environ = _sent().environ
    if_match, if_none_match = environ.get("HTTP_IF_MATCH"), environ.get("HTTP_IF_NONE_MATCH")
    if if_match is None and if_none_match is None:
        return UNCONDITIONAL
    return Preconditions(if_match, if_none_match)


def not_modified(user: Representation) -> Response | None:
    """Return the 304 that ``If-None-Match`` asks for, or None; ``If-Match`` comes first (RFC 9110 §13.2.2)."""
    wanted = preconditions()
    if wanted is UNCONDITIONAL:
        return None
    Preconditions(if_match=wanted.if_match).check(user.entity_tag)
    if not wanted.is_unchanged(user.entity_tag):
        return None
    return Response(status=304, headers={"ETag": user.entity_tag})
