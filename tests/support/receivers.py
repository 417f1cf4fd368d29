"""Receivers of webhooks on this machine: TLS servers that follow a script, and one that keeps its requests."""

import re
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from tests.support.live import PATIENCE
from tests.support.smtp import server_context

#: The setting with which webhooks reach this machine.
THIS_MACHINE = "127.0.0.0/8"


def certificate(folder: Path, *names: str) -> Path:
    """Create a certificate with its key for the ``names`` (localhost by default), and return the file of both."""
    pem, key, chain = (folder / name for name in ("server.pem", "key.pem", "cert.pem"))
    alternatives = ",".join(f"DNS:{name}" for name in names or ("localhost",))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=receiver", "-addext", f"subjectAltName={alternatives}", "-keyout", key, "-out", chain],
        check=True, capture_output=True,
    )  # fmt: skip
    pem.write_text(key.read_text() + chain.read_text())
    return pem


@contextmanager
def scripted(
    pem: Path, script: Callable[[socket.socket], None], *, tls: bool = True, reads: bool = True
) -> Iterator[str]:
    """Run a server that reads a request and calls ``script``, for each connection. Yield its URL."""
    context, ended = server_context(pem), threading.Event()

    def serve(accepted: socket.socket) -> None:
        with suppress(OSError), accepted:
            accepted.settimeout(PATIENCE)
            connection = context.wrap_socket(accepted, server_side=True) if tls else accepted
            with connection:
                if tls and reads:
                    _read_request(connection)
                script(connection)

    def accept(listener: socket.socket) -> None:
        while not ended.is_set():
            with suppress(OSError):
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        yield f"https://localhost:{listener.getsockname()[1]}/hook"
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)


def _read_request(connection: socket.socket) -> None:
    """Read all of a request, because closing a socket with unread bytes would discard the answer."""
    text = b""
    while (size := re.search(rb"Content-Length: (\d+)", text)) is None or len(text.partition(_END)[2]) < int(size[1]):
        part = connection.recv(65536)
        if not part:
            return
        text += part


_END = b"\r\n\r\n"


class Received(NamedTuple):
    """A request to a receiver."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    #: The time of the monotonic clock.
    at: float


class Answer(NamedTuple):
    """The answer of a receiver: ``status`` None closes the connection without one."""

    status: int | None = 204
    headers: Mapping[str, str] = {}
    #: Seconds before the answer.
    delay: float = 0.0


class Receiver:
    """A receiver that keeps its requests. ``answer`` decides about each one."""

    def __init__(self, answer: Callable[[Received], Answer] = lambda _: Answer()) -> None:
        self.answer = answer
        self.url = ""
        self.requests: list[Received] = []
        self.connections = 0
        self._changed = threading.Condition()

    def note(self, request: Received) -> Answer:
        """Keep the request, and return its answer."""
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
        return self.answer(request)

    def wait(self, number: int, *, seconds: float = PATIENCE) -> list[Received]:
        """Wait for ``number`` requests, and return all."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.requests) >= number, seconds), len(self.requests)
            return list(self.requests)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 100

    def __init__(self, receiver: Receiver, context: ssl.SSLContext, port: int) -> None:
        self.receiver = receiver
        self._context = context
        super().__init__(("127.0.0.1", port), _Handler)

    def finish_request(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        self.receiver.connections += 1
        with suppress(OSError), self._context.wrap_socket(request, server_side=True) as connection:
            super().finish_request(connection, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that end."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.receiver.note(Received(self.path, headers, body, time.monotonic()))
        time.sleep(answer.delay)
        if answer.status is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in {"Content-Length": "0", **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Write nothing to standard error."""


@contextmanager
def receiving(pem: Path, receiver: Receiver, *, port: int = 0) -> Iterator[Receiver]:
    """Run the receiver on a free port, or on ``port``."""
    server = _Server(receiver, server_context(pem), port)
    receiver.url = f"https://localhost:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
