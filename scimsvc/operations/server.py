"""Serve with waitress, and stop without dropping requests (contract section 2, ``serve``)."""

import errno
import logging
import os
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import BaseWSGIServer, create_server
from waitress.task import ErrorTask

from scimsvc.activity.feed_reading import Waiters
from scimsvc.activity.state import DEFAULT_THREADS, waiters
from scimsvc.auth.last_uses import write_last_uses
from scimsvc.operations.readiness import why_not_ready
from scimsvc.operations.startup import describe_versions, why_not_this_sqlite, why_others_can_read
from scimsvc.paths import clean_path, is_scim
from scimsvc.protocol.errors import ScimError
from scimsvc.protocol.json_text import write_json
from scimsvc.protocol.messages import MEDIA_TYPE, error_message
from scimsvc.store.upkeep.maintenance import checkpoint, close_database
from scimsvc.web.errors import PROBLEM_TYPE, problem
from scimsvc.web.request_log import new_request_id
from scimsvc.web.state import WebState, web_state

#: Seconds after the signal in which new connections are accepted, so that a proxy sees 503 from ``/readyz``.
LAME_DUCK = 1.0
#: Seconds after the signal at which running requests are abandoned, so that the process ends within ten seconds.
GIVE_UP = 7.0
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000

_log = logging.getLogger("scimsvc")


class _ErrorTask(ErrorTask):
    """The response to a request that waitress refuses before the application sees it, in the format of the path."""

    def execute(self) -> None:
        """Write the response and close the connection, because the next request on it cannot be recognized."""
        request: Any = self.request
        error = ScimError(
            f"The request cannot be read: {request.error.body}. Check the client and the proxies before this service."
        )
        error.status = request.error.code
        request_id = new_request_id()
        # If the first line cannot be read, the path is missing or waitress sets it to /.
        path = clean_path(getattr(request, "path", ""))
        scim = path == "/" or is_scim(path)
        body = write_json(error_message(error) if scim else problem(error)).encode()
        self.status = f"{error.status} {request.error.reason}"
        self.response_headers = [
            ("Content-Type", MEDIA_TYPE if scim else PROBLEM_TYPE),
            ("X-Request-ID", request_id),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
        ]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)
        _log.warning("malformed request answered with %s (request %s)", self.status, request_id)


class _Parser(HTTPRequestParser):
    """A parser that refuses requests that a proxy may interpret differently, and fixes a hang of waitress."""

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        # With both headers, two readers can disagree about the end of a request (RFC 9112 §6.1). Waitress keeps
        # Transfer-Encoding of HTTP/1.0 requests, and has removed it from HTTP/1.1 requests here.
        if ("CONTENT_LENGTH" in self.headers and self.chunked) or "TRANSFER_ENCODING" in self.headers:
            raise ParsingError("Content-Length and Transfer-Encoding must not be combined")
        # Without this, waitress would wait forever for the body of a request with Expect but without a body.
        if self.expect_continue and not self.chunked and not self.content_length:
            self.expect_continue = False


class _Channel(HTTPChannel):
    """A connection that never makes a worker thread wait for a client that does not read."""

    error_task_class = _ErrorTask
    parser_class = _Parser

    def _flush_outbufs_below_high_watermark(self) -> None:
        """Drop the requests that the client sent ahead, if it has not read the responses before them.

        Waitress would wait for the client here, in the worker thread. The responses so far are still sent; then the
        connection is closed, and the client repeats the dropped requests (RFC 9112 §9.3.2).
        """
        channel: Any = self
        if channel.total_outbufs_len > channel.adj.outbuf_high_watermark and len(channel.requests) > 1:
            with channel.requests_lock:
                later, channel.requests[1:] = channel.requests[1:], []
                channel.close_when_flushed = True
            for request in later:
                request.close()


class Server:
    """A waitress server that is bound when it is created, and runs until SIGTERM or SIGINT."""

    def __init__(
        self,
        app: Flask,
        *,
        host: str = DEFAULT_HOST,
        port: int = DEFAULT_PORT,
        unix_socket: str | None = None,
        threads: int = DEFAULT_THREADS,
    ) -> None:
        """Bind the address. Raises ``OSError`` if it is not available, and ``ValueError`` if it is invalid."""
        self._app = app
        waiters.init_app(app, Waiters(threads))
        self._sockets: dict[int, Any] = {}
        self._signalled_at: float | None = None
        limits = self._state.settings.limits
        where: dict[str, Any] = {"unix_socket": unix_socket} if unix_socket else {"host": host, "port": port}
        if unix_socket:
            _refuse_served_socket(Path(unix_socket))
        self._server = create_server(
            app,
            map=self._sockets,
            threads=threads,
            ident=None,
            connection_limit=1000,
            channel_timeout=60,
            # Saves a fifth of the work for concurrent clients, compared with the default of one byte.
            send_bytes=18000,
            channel_request_lookahead=0,
            max_request_header_size=limits.headers,
            # The application refuses a body over its limit with a SCIM error.
            max_request_body_size=16 * limits.body,
            # The application handles X-Forwarded-*, according to the number of trusted proxies.
            clear_untrusted_proxy_headers=False,
            # The group may connect, so that a proxy can run as another user.
            unix_socket_perms="660",
            **where,
        )
        for listener in self._listeners():
            listener.channel_class = _Channel
        self.url = f"unix:{unix_socket}" if unix_socket else f"http://{_shown_host(host)}:{self._port()}"

    @property
    def _state(self) -> WebState:
        return web_state.of(self._app)

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT, then finish running requests and return."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        with self._app.app_context():
            _log.info("%s", describe_versions())
            for reason in filter(None, (why_not_this_sqlite(), why_others_can_read(), why_not_ready())):
                _log.warning("%s", reason)
            _checkpoint()
        _log.info("serving on %s", self.url)
        while not self._may_stop():
            wasyncore.loop(timeout=0.1 if self._signalled_at else 1.0, use_poll=True, map=self._sockets, count=1)
        finished = not any(map(_is_busy, self._sockets.values()))
        self._server.task_dispatcher.shutdown(timeout=1)
        wasyncore.close_all(self._sockets, ignore_all=True)
        if finished:  # otherwise a request may block the database, and last uses are not worth the wait
            write_last_uses(self._app)
            with self._app.app_context():
                _checkpoint()
                close_database()
        _log.info("stopped")
        if not finished:
            # A thread that waits for SQLite's lock keeps its connection, and a normal exit would wait for the thread.
            logging.shutdown()
            os._exit(0)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self._signalled_at is None:
            self._signalled_at = time.monotonic()
            self._state.stopping.set()
            for listener in self._listeners():
                listener.pull_trigger()  # wakes the loop

    def _may_stop(self) -> bool:
        if self._signalled_at is None:
            return False
        since = time.monotonic() - self._signalled_at
        if since < LAME_DUCK:
            return False
        for listener in self._listeners():
            listener.del_channel()
            listener.socket.close()
        return since > GIVE_UP or not any(map(_is_busy, list(self._sockets.values())))

    def _port(self) -> int:
        return int(self._listeners()[0].socket.getsockname()[1])

    def _listeners(self) -> list[Any]:
        return [each for each in self._sockets.values() if isinstance(each, BaseWSGIServer)]


def _checkpoint() -> None:
    """Checkpoint the write-ahead log of SQLite. An unavailable database prevents neither start nor stop."""
    error = checkpoint()
    if error is not None:
        _log.warning("the write-ahead log could not be checkpointed: %s", error)


def _is_busy(channel: Any) -> bool:
    """Return whether this connection has an unfinished request or response."""
    if not isinstance(channel, HTTPChannel):
        return False
    return bool(channel.requests or channel.request or channel.total_outbufs_len)


def _shown_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _refuse_served_socket(path: Path) -> None:
    """Raise ``OSError`` if another server uses the socket. A socket that a killed server left behind is replaced."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as probe, suppress(ConnectionRefusedError):
        probe.settimeout(1)
        probe.connect(str(path))
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
