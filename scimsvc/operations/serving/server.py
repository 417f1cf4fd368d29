"""Serve with waitress, and stop without dropping requests (contract section 2, ``serve``)."""

import errno
import logging
import os
import signal
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer, create_server

from scimsvc.activity.feed_reading import Waiters
from scimsvc.activity.state import DEFAULT_THREADS, waiters
from scimsvc.auth.last_uses import write_last_uses
from scimsvc.auth.signing_keys import served_keys
from scimsvc.operations.background.schedule import serving_worker
from scimsvc.operations.readiness import why_not_ready
from scimsvc.operations.serving.address import DEFAULT_HOST, DEFAULT_PORT
from scimsvc.operations.serving.apart import Apart
from scimsvc.operations.serving.channels import MOST_SECONDS, Channel, Front
from scimsvc.operations.serving.connections import Connections, accept_some, connection_limit
from scimsvc.operations.serving.dispatcher import FairDispatcher
from scimsvc.operations.serving.lanes import Lanes
from scimsvc.operations.serving.memory import FreeMemory
from scimsvc.operations.serving.systemd import ServiceManager
from scimsvc.operations.startup import describe_versions, start_warnings
from scimsvc.operations.state import serving
from scimsvc.store.upkeep.maintenance import checkpoint, close_database
from scimsvc.web.state import WebState, web_state

#: Seconds after the signal in which new connections are accepted, so that a proxy sees 503 from ``/readyz``.
LAME_DUCK = 1.0
#: Seconds after the signal at which requests that still wait for a thread are answered 503.
REFUSE_WAITING = 5.0
#: Seconds after the signal at which running requests are abandoned, so that the process ends within ten seconds.
GIVE_UP = 7.0
#: Seconds between two looks at waiting requests and slow connections.
LOOK_EVERY = 0.5
#: The most requests that wait for changes.
WAITING = 8
#: The most notes that wait to be written after answers. While the database hangs, further ones are lost.
MOST_LATER = 100

_log = logging.getLogger("scimsvc")


#: The signals that end the server. SIGHUP is sent when its terminal is closed, and would otherwise kill it.
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Server:
    """A waitress server that is bound when it is created, and runs until a signal of ``STOP_SIGNALS``."""

    def __init__(
        self,
        app: Flask,
        *,
        host: str = DEFAULT_HOST,
        port: int = DEFAULT_PORT,
        unix_socket: str | None = None,
        sockets: Sequence[socket.socket] = (),
        threads: int = DEFAULT_THREADS,
        queue_seconds: float = MOST_SECONDS,
    ) -> None:
        """Bind the address, or use ``sockets``, which are bound already.

        Raises ``OSError`` if the address is not available, and ``ValueError`` if it or a socket is invalid.
        """
        self._app = app
        self._sockets: dict[int, Any] = {}
        self._queue_seconds = queue_seconds
        self._signalled_at: float | None = None
        most = connection_limit()
        self._dispatcher = FairDispatcher(threads=threads)
        connections = Connections(self._sockets, most)
        self._front = Front(Lanes(app), self._dispatcher, connections, self._state.settings.limits)
        waiters.init_app(app, Waiters(WAITING, self._dispatcher.step_aside))
        self._later = Apart("scimsvc-later", most=MOST_LATER)
        self._state.later = self._later.add
        self._free_memory = FreeMemory(self._later.add)
        self._worker = serving_worker(app)
        serving.init_app(app, self._front)
        self._manager = ServiceManager()
        if sockets:
            self._bind(most, sockets=list(sockets))
            self.url = ", ".join(map(_url_of, sockets))
        elif unix_socket:
            _refuse_served_socket(Path(unix_socket))
            self._bind(most, unix_socket=unix_socket)
            self.url = f"unix:{unix_socket}"
        else:
            self._bind(most, host=host, port=port)
            self.url = f"http://{_shown_host(host)}:{self._port()}"

    def _bind(self, connection_limit: int, **where: Any) -> None:
        """Create the listeners of waitress."""
        limits = self._state.settings.limits
        create_server(
            self._app,
            map=self._sockets,
            _dispatcher=self._front,  # type: ignore[arg-type]  # waitress only adds tasks to it
            ident=None,
            connection_limit=connection_limit,
            channel_timeout=60,
            # Saves a fifth of the work for concurrent clients, compared with the default of one byte.
            send_bytes=18000,
            # No thread waits for a client to read. Instead, long answers move to files, and the next request waits.
            outbuf_high_watermark=2**40,
            inbuf_overflow=16 * 1024,
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
            listener.channel_class = partial(Channel, self._front)
            listener.handle_accept = partial(accept_some, listener)

    @property
    def _state(self) -> WebState:
        return web_state.of(self._app)

    def run(self) -> None:
        """Serve until a signal of ``STOP_SIGNALS``, then finish running requests and return."""
        for number in STOP_SIGNALS:
            signal.signal(number, self._on_signal)
        with self._app.app_context():
            _log.info("%s", describe_versions())
            for reason in filter(None, (*start_warnings(), why_not_ready())):
                _log.warning("%s", reason)
            _note_keys(self._app)
            _checkpoint()
        self._worker.start()
        _log.info("serving on %s", self.url)
        self._manager.report_ready()
        look_at = 0.0
        while not self._may_stop():
            self._manager.beat()
            wasyncore.loop(timeout=0.1 if self._signalled_at else 1.0, use_poll=True, map=self._sockets, count=1)
            self._front.make_room()
            if time.monotonic() >= look_at:
                self._front.look_after(self._queue_seconds if self._since_signal() < REFUSE_WAITING else 0.0)
                self._free_memory.return_some()
                look_at = time.monotonic() + LOOK_EVERY
        finished = not self._is_busy()
        self._dispatcher.shutdown(timeout=1)
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
            self._front.is_stopping = True
            self._manager.report_stopping()
            for listener in self._listeners():
                listener.pull_trigger()  # wakes the loop

    def _since_signal(self) -> float:
        """Return the seconds since the signal, or -1 before it."""
        return time.monotonic() - self._signalled_at if self._signalled_at is not None else -1.0

    def _may_stop(self) -> bool:
        since = self._since_signal()
        if since < LAME_DUCK:
            return False
        for listener in self._listeners():
            listener.del_channel()
            listener.socket.close()
        return since > GIVE_UP or not self._is_busy()

    def _is_busy(self) -> bool:
        """Return whether a request, the work after one, or the background work is not finished."""
        return self._later.is_busy or self._worker.is_busy or any(map(_is_busy, list(self._sockets.values())))

    def _port(self) -> int:
        return int(self._listeners()[0].socket.getsockname()[1])

    def _listeners(self) -> list[Any]:
        return [each for each in self._sockets.values() if isinstance(each, BaseWSGIServer)]


def _checkpoint() -> None:
    """Checkpoint the write-ahead log of SQLite. An unavailable database prevents neither start nor stop."""
    error = checkpoint()
    if error is not None:
        _log.warning("the write-ahead log could not be checkpointed: %s", error)


def _note_keys(app: Flask) -> None:
    """Note the keys of this server. An unavailable database, or one without a schema, does not prevent the start."""
    if why_not_ready() is None:
        served_keys.of(app).note()


def _is_busy(channel: Any) -> bool:
    """Return whether this connection has an unfinished request or response."""
    if not isinstance(channel, HTTPChannel):
        return False
    return bool(channel.requests or channel.request or channel.total_outbufs_len)


def _shown_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _url_of(bound: socket.socket) -> str:
    """Return the address of a bound socket as a URL."""
    name = bound.getsockname()
    return f"http://{_shown_host(name[0])}:{name[1]}" if isinstance(name, tuple) else f"unix:{name}"


def _refuse_served_socket(path: Path) -> None:
    """Raise ``OSError`` if another server uses the socket. A socket that a killed server left behind is replaced."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as probe, suppress(ConnectionRefusedError):
        probe.settimeout(1)
        probe.connect(str(path))
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
