"""A reverse proxy on loopback that has one fault at a time, in front of a live service."""

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from werkzeug.datastructures import Headers

from tests.support.live import PATIENCE

HTML = "text/html"
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "expect"})


@dataclass
class Sent:
    """A request. ``target`` is path and query as the client sent them."""

    method: str
    target: str
    headers: Headers
    body: bytes = b""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    def set_query(self, query: str) -> None:
        self.target = f"{self.path}?{query}" if query else self.path


@dataclass
class Reply:
    """A response."""

    status: int
    headers: Headers
    body: bytes = b""


class Reset(Exception):
    """The proxy resets the connection without a response."""


def page(status: int) -> Reply:
    """Return an error page of a proxy."""
    text = f"<html><head><title>{status}</title></head><body><h1>{status}</h1><hr>proxy</body></html>"
    return Reply(status, Headers({"Content-Type": HTML}), text.encode())


def _no_reply(_: Sent) -> Reply | None:
    return None


def _unchanged(_: Sent, __: Reply) -> None:
    """Leave the response as it is."""


@dataclass(frozen=True)
class Fault:
    """The behaviour of the proxy. The default has no fault.

    ``head`` sees a request before its body is read, ``request`` with its body. Each may change it, or answer it in the
    service's place. ``reply`` may change the service's response. ``forwarded`` are headers that the proxy sets, with
    the client's authority for ``{host}``.
    """

    head: Callable[[Sent], Reply | None] = _no_reply
    request: Callable[[Sent], Reply | None] = _no_reply
    reply: Callable[[Sent, Reply], None] = _unchanged
    forwarded: dict[str, str] = field(
        default_factory=lambda: {"Host": "{host}", "X-Forwarded-Host": "{host}", "X-Forwarded-Proto": "{scheme}"}
    )
    version: str = "HTTP/1.1"
    keeps_alive: bool = True
    #: Seconds that the proxy waits for the next request of a connection, for a body, and for the service.
    idle_timeout: float = PATIENCE
    body_timeout: float = PATIENCE
    service_timeout: float = PATIENCE
    #: How many times POST is forwarded. The client gets the last response.
    copies: int = 1
    #: The prefix that the proxy removes from paths.
    prefix: str = ""


class BrokenProxy:
    """A running proxy. ``fault`` may be replaced between requests."""

    def __init__(self, backend: str, context: ssl.SSLContext | None = None) -> None:
        url = urlsplit(backend)
        self.backend = f"{url.hostname}:{url.port}"
        self.fault = Fault()
        self.is_secure = context is not None
        self._server = _Server(self, context)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def origin(self) -> str:
        return f"{'https' if self.is_secure else 'http'}://localhost:{self.port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def broken_proxy(backend: str, context: ssl.SSLContext | None = None) -> Iterator[BrokenProxy]:
    """Run a proxy in front of the service at the URL ``backend``, with TLS if there is a ``context``."""
    proxy = BrokenProxy(backend, context)
    try:
        yield proxy
    finally:
        proxy.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, proxy: BrokenProxy, context: ssl.SSLContext | None) -> None:
        self.proxy = proxy
        self.context = context
        super().__init__(("127.0.0.1", 0), _Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(PATIENCE)
        if self.context is None:
            _Handler(request, client_address, self)
            return
        with self.context.wrap_socket(request, server_side=True) as secured:
            _Handler(secured, client_address, self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Write nothing: refused handshakes and closed connections are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.fault = self.server.proxy.fault
        self.protocol_version = self.fault.version
        self.connection.settimeout(self.fault.idle_timeout)

    def serve(self) -> None:
        """Answer a request."""
        try:
            self._exchange()
        except Reset:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
        except TimeoutError:  # of a slow client
            self.close_connection = True

    def _exchange(self) -> None:
        target = self.requestline.split()[1]
        sent = Sent(self.command, target, Headers(list(self.headers.items())))
        reply = self.fault.head(sent)
        if reply is not None:
            self.close_connection = True
            self._answer(reply)
            self._drain()
            return
        self.connection.settimeout(self.fault.body_timeout)
        sent.body = self._read_body()
        self.connection.settimeout(self.fault.idle_timeout)
        is_outside = not sent.target.startswith(self.fault.prefix)
        reply = page(404) if is_outside else self.fault.request(sent)
        if reply is None:
            for _ in range(self.fault.copies if sent.method == "POST" else 1):
                reply = self._forward(sent)
        assert reply is not None
        self.fault.reply(sent, reply)
        self._answer(reply)

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            length = int(self.headers.get("Content-Length", 0))
            return self.rfile.read(length)
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _drain(self) -> None:
        """Read what the client still sends for a moment, so that it can read the answer before the connection closes."""
        self.wfile.flush()
        deadline = time.monotonic() + 2
        self.connection.settimeout(0.2)
        try:
            while time.monotonic() < deadline and self.connection.recv(65536):
                pass
        except OSError:
            pass

    def _forward(self, sent: Sent) -> Reply:
        client = HTTPConnection(self.server.proxy.backend, timeout=self.fault.service_timeout)
        try:
            client.putrequest(
                sent.method, sent.target.removeprefix(self.fault.prefix), skip_host=True, skip_accept_encoding=True
            )
            for name, value in self._headers(sent):
                client.putheader(name, value)
            client.endheaders(sent.body or None)
            response = client.getresponse()
            headers = [(name, value) for name, value in response.getheaders() if name.lower() not in _HOP_BY_HOP]
            return Reply(response.status, Headers(headers), response.read())
        except TimeoutError:
            return page(504)
        finally:
            client.close()

    def _headers(self, sent: Sent) -> Iterator[tuple[str, str]]:
        host = self.headers.get("Host", "")
        values = {"host": host, "scheme": "https" if self.server.proxy.is_secure else "http"}
        set_here = {name: value.format(**values) for name, value in self.fault.forwarded.items()}
        set_here.setdefault("Host", self.server.proxy.backend)
        for name, value in sent.headers:
            if name.lower() not in _HOP_BY_HOP and name not in set_here:
                yield name, value
        yield from set_here.items()
        if sent.body or sent.method in ("POST", "PUT", "PATCH"):
            yield "Content-Length", str(len(sent.body))
        yield "Connection", "close"

    def _answer(self, reply: Reply) -> None:
        if not self.fault.keeps_alive:
            self.close_connection = True
        self.send_response_only(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        if reply.status not in (204, 304):
            self.send_header("Content-Length", str(len(reply.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *_: Any) -> None:
        """Write nothing."""


for _method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
    setattr(_Handler, f"do_{_method}", _Handler.serve)
