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

from flask import Request, Response
from flask.ctx import _AppCtxGlobals

from scimsvc import clock
from scimsvc.tokens import TOKEN_PREFIX

_log = logging.getLogger("scimsvc")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
_TOKEN = re.compile(rf"{TOKEN_PREFIX}[\w.%~-]+")


def init_request_log(log_format: str) -> None:
    """Let the log go to standard error, unless the host application has handlers of its own."""
    if not _log.handlers and not logging.getLogger().handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_JSONFormatter() if log_format == "json" else _TextFormatter())
        _log.addHandler(handler)
        _log.propagate = False
    _log.setLevel(logging.INFO)


def begin(sent: Request, own: _AppCtxGlobals) -> None:
    """Note when the request came, and what it is called."""
    own.started = time.perf_counter()
    proposed = sent.environ.get("HTTP_X_REQUEST_ID", "")
    own.request_id = proposed if _REQUEST_ID.fullmatch(proposed) else new_request_id()


def new_request_id() -> str:
    """Return a random request ID."""
    return secrets.token_hex(8)


def end(sent: Request, own: _AppCtxGlobals, response: Response) -> None:
    """Give the answer the headers that all have, and log the request."""
    headers = response.headers
    headers["X-Request-ID"] = own.request_id
    headers.add("X-Content-Type-Options", "nosniff")
    headers.setdefault("Cache-Control", "no-store")
    if not response.response:
        headers.pop("Content-Type", None)  # there is no content to have a type
    if _log.isEnabledFor(logging.INFO):
        # Made by hand, as what the logger would do first is to look for the line of code that logs.
        line = RequestLine(_describe(sent, own, response))
        _log.handle(logging.LogRecord(_log.name, logging.INFO, __file__, 0, line, None, None))


class RequestLine:
    """What is logged of a request: as text for people, its members for machines."""

    __slots__ = ("members",)

    def __init__(self, members: dict[str, Any]) -> None:
        self.members = members

    def __str__(self) -> str:
        """Return the line, without its time."""
        first = "{method} {path} {status} {ms}ms".format_map(self.members)
        rest = [f"{name}={_word(value)}" for name, value in self.members.items() if name not in _FIRST]
        return " ".join((first, *rest))


_FIRST = ("method", "path", "status", "ms")
_PLAIN = re.compile(r"[\w.,:/+=@$-]+", re.ASCII)


def _word(value: Any) -> str:
    text = ",".join(value) if isinstance(value, list) else str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text)


def _describe(sent: Request, own: _AppCtxGlobals, response: Response) -> dict[str, Any]:
    described: dict[str, Any] = {
        "method": sent.method if sent.method.isalpha() else "?",
        "path": _path(sent),
        "status": response.status_code,
        "ms": round((time.perf_counter() - own.started) * 1000, 1),
        "request_id": own.request_id,
    }
    if "caller" in own:
        described["enterprise"] = own.caller.enterprise
        described["integration"] = own.caller.client_id
    if "remarks" in own:
        remarks = own.remarks
        if remarks.tolerances:
            described["tolerances"] = list(map(str, remarks.tolerances))
        if remarks.ignored:
            described["ignored"] = remarks.ignored
    return described


_PLAIN_PATH = re.compile(r"[\w/.-]+", re.ASCII)


def _path(sent: Request) -> str:
    path = sent.path
    if not _PLAIN_PATH.fullmatch(path):
        path = quote(path, safe="/:@!$'()*,;=+~")
    if sent.query_string:
        path += f"?{'&'.join(quote(name, safe='') for name in sent.args)}"
    if TOKEN_PREFIX in path:
        path = _TOKEN.sub(f"{TOKEN_PREFIX}...", path)
    return path[:_LONGEST_PATH]


_LONGEST_PATH = 500


class _TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        time_stamp = clock.timestamp(clock.now())
        if isinstance(record.msg, RequestLine):
            return f"{time_stamp} {record.msg}"
        return f"{time_stamp} {record.levelname.lower()} {super().format(record)}"


class _JSONFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {"time": clock.timestamp(clock.now()), "level": record.levelname.lower()}
        entry |= record.msg.members if isinstance(record.msg, RequestLine) else {"message": super().format(record)}
        return json.dumps(entry)
