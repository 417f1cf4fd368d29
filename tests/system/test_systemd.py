"""``scimsvc serve`` under a service manager: passed sockets, reports of its state, and the watchdog."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.support.live import PATIENCE, SCIMSVC, environment, wait_for_url

pytestmark = pytest.mark.system

#: Runs a command with a file as its file 3, as systemd passes a socket.
_PASS = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}
os.execv(sys.argv[2], sys.argv[2:])
"""


def passing(file: int, *words: str) -> list[str]:
    return [sys.executable, "-c", _PASS, str(file), SCIMSVC, *words]


@contextmanager
def activated(folder: Path, listener: socket.socket, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``serve`` with ``listener`` as a passed socket."""
    with (folder / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            passing(listener.fileno(), "serve", "--port", "1"),
            stderr=stderr,
            env=environment(INSTANCE_PATH=str(folder / "instance")) | variables,
            pass_fds=(listener.fileno(),),
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE)


def test_it_serves_passed_sockets_and_reports_its_state_until_it_stops(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
    ):
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE)
        port = listener.getsockname()[1]
        # Connections wait in the socket before the service runs.
        early = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        early.request("GET", "/healthz")
        variables = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "300000"}

        with activated(tmp_path, listener, **variables) as process:
            url = wait_for_url(process, tmp_path / "stderr")
            first = early.getresponse()
            body = first.read()
            reports = [manager.recv(100).decode() for _ in range(3)]
            process.send_signal(signal.SIGHUP)
            while reports[-1] != "STOPPING=1":
                reports.append(manager.recv(100).decode())
            early.request("GET", "/readyz")  # on the same connection
            last = early.getresponse()
            text = last.read()
            status = process.wait(PATIENCE)

    early.close()
    assert url == f"http://127.0.0.1:{port}"
    assert (first.status, first.getheader("Connection"), body) == (200, None, b'{"status":"ok"}')
    assert reports[:3] == ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]
    assert (last.status, last.getheader("Connection"), b"stopping" in text) == (503, "close", True)
    assert status == 0


def test_sockets_for_another_process_are_ignored_and_invalid_ones_refused(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as no_socket:
        refused = subprocess.run(
            passing(no_socket.fileno(), "serve"),
            env=environment(INSTANCE_PATH=str(tmp_path / "instance")),
            pass_fds=(no_socket.fileno(),),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith("Error: Cannot use the sockets of LISTEN_FDS: ")
    # The variables of a parent process are of no concern.
    ignored = subprocess.run(
        [SCIMSVC, "serve", "--host", "host.invalid"],
        env=environment(INSTANCE_PATH=str(tmp_path / "instance")) | {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert "Cannot listen on host.invalid:8000" in ignored.stderr
