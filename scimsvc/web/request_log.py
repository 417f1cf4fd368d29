"""One line for each request, and the request ID that answers and logs share (contract section 5, 10).

Never in it: tokens, secrets, query values, bodies, or anything of a user but the id in the path.
"""

import json
import logging
import random
import re
import sys
import time
from contextlib import suppress
from functools import lru_cache
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
        handler = _StandardError(sys.stderr)
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
    """Return a request ID; it needs to differ from others alone, so that the system need not be asked for chance."""
    return f"{random.getrandbits(64):016x}"


def end(sent: Request, own: _AppCtxGlobals, response: Response) -> None:
    """Give the answer the headers that all have, and log the request."""
    headers = response.headers
    headers.add("X-Request-ID", own.request_id)
    headers.add("X-Content-Type-Options", "nosniff")
    if "Cache-Control" not in headers:
        headers.add("Cache-Control", "no-store")
    if not response.response:
        headers.pop("Content-Type", None)  # there is no content to have a type
    if _log.isEnabledFor(logging.INFO):
        _write(RequestLine(_describe(sent, own, response)))


def _write(line: "RequestLine") -> None:
    handlers = _log.handlers
    if len(handlers) == 1 and isinstance(handlers[0], _StandardError):
        handlers[0].write(line)
    else:
        # Made by hand, as what the logger would do first is to look for the line of code that logs.
        _log.handle(logging.LogRecord(_log.name, logging.INFO, __file__, 0, line, None, None))


class RequestLine:
    """What is logged of a request: as text for people, its members for machines."""

    __slots__ = ("members",)

    def __init__(self, members: dict[str, Any]) -> None:
        self.members = members

    def __str__(self) -> str:
        """Return the line, without its time."""
        members = self.members
        text = "{method} {path} {status} {ms}ms request_id={request_id}".format_map(members)
        if "enterprise" in members:
            text += _named_caller(members["enterprise"], members["integration"])
        return text + "".join([f" {name}={_word(','.join(members[name]))}" for name in _REMARKS if name in members])


_REMARKS = ("tolerances", "ignored")
_PLAIN = re.compile(r"[\w.,:/+=@$-]+", re.ASCII)


@lru_cache(maxsize=1024)
def _named_caller(enterprise: str, integration: str) -> str:
    return f" enterprise={_word(enterprise)} integration={_word(integration)}"


def _word(text: str) -> str:
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
        path += f"?{'&'.join(map(_quoted_name, sent.args))}"
    if TOKEN_PREFIX in path:
        path = _TOKEN.sub(f"{TOKEN_PREFIX}...", path)
    return path[:_LONGEST_PATH]


_LONGEST_PATH = 500


@lru_cache(maxsize=256)
def _quoted_name(name: str) -> str:
    return quote(name, safe="")


class _StandardError(logging.StreamHandler[Any]):
    """Writes to standard error; the line of a request without a record of the logger's, which costs more than it."""

    def write(self, line: RequestLine) -> None:
        with suppress(OSError, ValueError):  # nobody reads it any more, or the process ends
            # Standard error sends off each line by itself.
            self.stream.write(self.formatter.line(line) + self.terminator)  # type: ignore[union-attr]


class _TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        if isinstance(record.msg, RequestLine):
            return self.line(record.msg)
        return f"{clock.timestamp(clock.now())} {record.levelname.lower()} {super().format(record)}"

    def line(self, line: RequestLine) -> str:
        return f"{clock.timestamp(clock.now())} {line}"


class _JSONFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        if isinstance(record.msg, RequestLine):
            return self.line(record.msg)
        return self._text(record.levelname.lower(), {"message": super().format(record)})

    def line(self, line: RequestLine) -> str:
        return self._text("info", line.members)

    def _text(self, level: str, members: dict[str, Any]) -> str:
        return json.dumps({"time": clock.timestamp(clock.now()), "level": level, **members})
