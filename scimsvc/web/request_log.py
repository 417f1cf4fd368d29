"""One line for each request, and the request ID that answers and logs share (contract section 5, 10).

Never in it: tokens, secrets, query values, bodies, or anything of a user but the id in the path.
"""

import json
import logging
import re
import secrets
import sys
import time
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, g, request

from scimsvc import clock
from scimsvc.tokens import TOKEN_PREFIX

_log = logging.getLogger("scimsvc")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
_TOKEN = re.compile(rf"{TOKEN_PREFIX}[\w.%~-]+")


def init_request_log(app: Flask, log_format: str) -> None:
    """Give every request of ``app`` an ID and a log line."""
    if not _log.handlers and not logging.getLogger().handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_JSONFormatter() if log_format == "json" else _TextFormatter())
        _log.addHandler(handler)
        _log.propagate = False
    _log.setLevel(logging.INFO)
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.started = time.perf_counter()
    sent = request.headers.get("X-Request-ID", "")
    g.request_id = sent if _REQUEST_ID.fullmatch(sent) else new_request_id()


def new_request_id() -> str:
    """Return a random request ID."""
    return secrets.token_hex(8)


def _end(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")
    if not response.response:
        response.headers.pop("Content-Type", None)  # there is no content to have a type
    _log.info(RequestLine(_describe(response)))
    return response


class RequestLine:
    """What is logged of a request: as text for people, its members for machines."""

    def __init__(self, members: dict[str, Any]) -> None:
        self.members = members

    def __str__(self) -> str:
        """Return the line, without its time."""
        first = "{method} {path} {status} {ms}ms".format_map(self.members)
        rest = (f"{name}={_word(value)}" for name, value in self.members.items() if name not in _FIRST)
        return " ".join((first, *rest))


_FIRST = ("method", "path", "status", "ms")


def _word(value: Any) -> str:
    text = ",".join(value) if isinstance(value, list) else str(value)
    return text if re.fullmatch(r"[\w.,:/+=@$-]+", text, re.ASCII) else json.dumps(text)


def _describe(response: Response) -> dict[str, Any]:
    described: dict[str, Any] = {
        "method": request.method if request.method.isalpha() else "?",
        "path": _path(),
        "status": response.status_code,
        "ms": round((time.perf_counter() - g.started) * 1000, 1),
        "request_id": g.request_id,
    }
    if "caller" in g:
        described |= {"enterprise": g.caller.enterprise, "integration": g.caller.client_id}
    if "remarks" in g:
        noted = {"tolerances": list(map(str, g.remarks.tolerances)), "ignored": g.remarks.ignored}
        described |= {name: values for name, values in noted.items() if values}
    return described


def _path() -> str:
    names = "&".join(quote(name, safe="") for name in request.args)
    path = quote(request.path, safe="/:@!$'()*,;=+~")
    return _TOKEN.sub(f"{TOKEN_PREFIX}...", f"{path}?{names}" if names else path)[:_LONGEST_PATH]


_LONGEST_PATH = 500


class _TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        level = "" if isinstance(record.msg, RequestLine) else f"{record.levelname.lower()} "
        return f"{clock.timestamp(clock.now())} {level}{super().format(record)}"


class _JSONFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {"time": clock.timestamp(clock.now()), "level": record.levelname.lower()}
        entry |= record.msg.members if isinstance(record.msg, RequestLine) else {"message": super().format(record)}
        return json.dumps(entry)
