"""An nginx with TLS and the configuration of ``deploy/``, in front of ``scimsvc serve`` on a Unix socket."""

import json
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from werkzeug.datastructures import Headers

from scimsvc import create_app
from tests.support.apps import dispose, run_command
from tests.support.client import CONTENT_TYPE
from tests.support.live import PATIENCE, Answer, Live, serving

SITE = Path(__file__).parents[2] / "deploy" / "nginx.conf"
NAME = "scim.example.com"
_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"

_MAIN = """
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


@dataclass(frozen=True)
class Proxied:
    """The service behind nginx."""

    live: Live
    folder: Path
    port: int
    token: str
    api_token: str

    @property
    def log(self) -> str:
        """Nginx's access log."""
        return (self.folder / "access.log").read_text()

    def connect(self) -> ssl.SSLSocket:
        """Return a new TLS connection with a verified certificate."""
        context = ssl.create_default_context(cafile=str(self.folder / "certificate.pem"))
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), PATIENCE), server_hostname=NAME)

    def send(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        """Send a request over a new connection, with the token."""
        sent = {"Host": NAME, "Authorization": f"Bearer {self.token}", "Content-Type": CONTENT_TYPE}
        content = body if isinstance(body, bytes | None) else json.dumps(body)
        return _send(self.connect(), method, path, content, sent | (headers or {}))

    def send_directly(self, method: str, path: str, headers: dict[str, str] | None = None) -> Answer:
        """Send a request directly to the service, bypassing nginx."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE)
        connection.connect(str(self.folder / "s"))
        sent = {"Host": "inside", "Authorization": f"Bearer {self.token}"}
        return _send(connection, method, path, None, sent | (headers or {}))


def _send(connection: socket.socket, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
    client = HTTPConnection(NAME)
    client.sock = connection
    try:
        client.request(method, path, body, headers)
        response = client.getresponse()
        return Answer(response.status, Headers(response.getheaders()), response.read().decode())  # type: ignore[arg-type]
    finally:
        client.close()


@contextmanager
def behind_nginx(site: str, port: int | None = None, **settings: Any) -> Iterator[Proxied]:
    """Serve behind nginx with the text of ``site``. Skips the test if nginx or openssl is missing."""
    require("nginx", "openssl")
    folder = Path(tempfile.mkdtemp(prefix="scimsvc-nginx-"))  # the path of a socket must be short
    try:
        tokens = _set_up(folder)
        options = (f"--unix-socket={folder}/s",)
        with (
            serving(folder, *options, command="serve", **settings) as live,
            _nginx(folder, site, port or free_port()) as port,
        ):
            yield Proxied(live, folder, port, *tokens)
    finally:
        shutil.rmtree(folder)


def require(*programs: str) -> None:
    """Skip the test if one of the programs is missing."""
    for program in programs:
        if shutil.which(program, path=_PATH) is None:
            if os.environ.get("CI") == "true":
                pytest.fail(f"CI runs {program}, and it is missing")
            pytest.skip(f"{program} is not installed")


def free_port() -> int:
    """Return a port of the loopback interface that nothing uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_open(port: int) -> bool:
    """Return whether a port of the loopback interface accepts connections."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _set_up(folder: Path) -> tuple[str, str]:
    app = create_app({"INSTANCE_PATH": str(folder / "instance")})
    run_command(app, "init")
    run_command(app, "enterprise", "create", "Acme", "--enable-scim")
    scim, api = (run_command(app, "token", "issue", "Acme", kind)["access_token"] for kind in ("--scim", "--api"))
    dispose(app)
    return str(scim), str(api)


@contextmanager
def _nginx(folder: Path, site: str, port: int) -> Iterator[int]:
    _make_certificate(folder)
    for there, here in (
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("listen 443 ssl default_server;", f"listen 127.0.0.1:{port} ssl default_server;"),
        ("/run/scimsvc/scimsvc.sock", f"{folder}/s"),
        (f"/etc/ssl/{NAME}/fullchain.pem", f"{folder}/certificate.pem"),
        (f"/etc/ssl/{NAME}/privkey.pem", f"{folder}/key.pem"),
        ("/var/log/nginx/scimsvc.log", f"{folder}/access.log"),
    ):
        assert there in site
        site = site.replace(there, here)
    with nginx(folder, site, port):
        yield port


@contextmanager
def nginx(folder: Path, site: str, port: int) -> Iterator[None]:
    """Run nginx with the text of ``site`` in its http block, once it listens on ``port``."""
    program = _write(folder, site)
    with (folder / "nginx.stderr").open("wb") as stderr:
        process = subprocess.Popen([program, "-p", str(folder), "-c", str(folder / "nginx.conf")], stderr=stderr)
    try:
        _wait_for(process, port, folder / "nginx.stderr")
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


def nginx_complaints(folder: Path, site: str) -> str:
    """Return what nginx says about a configuration, empty if it is valid."""
    command = [_write(folder, site), "-q", "-t", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    return subprocess.run(command, capture_output=True, text=True).stderr


def _write(folder: Path, site: str) -> str:
    """Write a configuration, and return the program's path."""
    (folder / "site.conf").write_text(site)
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(_MAIN.format(folder=folder, user=user))
    program = shutil.which("nginx", path=_PATH)
    assert program is not None
    return program


def _make_certificate(folder: Path) -> None:
    command = (
        f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -subj /CN={NAME} "
        f"-addext subjectAltName=DNS:{NAME},DNS:localhost -keyout {folder}/key.pem -out {folder}/certificate.pem"
    )
    subprocess.run(command.split(), check=True, capture_output=True)


def _wait_for(process: subprocess.Popen[bytes], port: int, stderr: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, stderr.read_text()
        assert time.monotonic() < deadline, stderr.read_text()
        if is_open(port):
            return
        time.sleep(0.02)
