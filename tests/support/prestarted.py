"""Processes of ``scimsvc`` that start at once, because they are forked from one that has imported the package.

Importing takes nine tenths of the time of a short command, and tests start hundreds of commands and servers. A forked
process has its own environment, folder, files, signals and exit status, and runs the program's ``main``. Tests of the
start itself run the real program.

``python -m tests.support.prestarted SOCKET`` forks one process for each connection. The request contains the words,
the environment and the folder, and comes with the three standard files. The replies are the process ID and, at the end
of the process, its exit status.
"""

import atexit
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import IO, Any, Never

_ROOT = Path(__file__).parents[2]
_MOST = 2**20
_READY = b"ready\n"
#: Modules that servers and commands import, in addition to those of ``scimsvc.cli``.
_LATE = ("psycopg", "alembic.command", "sqlalchemy.dialects.postgresql.psycopg", "marshmallow", "scimsvc.migrations")
#: A program that asks for a command and has its exit status. It is killed with the command.
_SHIM = """#!{python} -IS
import json, os, signal, socket, sys
connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
connection.connect({path!r})
request = {{"words": sys.argv[1:], "environment": dict(os.environ), "folder": os.getcwd()}}
socket.send_fds(connection, [json.dumps(request).encode()], [0, 1, 2])
process = int(connection.recv(100))
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, lambda received, _: os.kill(process, received))
status = int(connection.recv(100))
if status < 0:
    signal.signal(-status, signal.SIG_DFL)
    os.kill(os.getpid(), -status)
sys.exit(status)
"""


class Process:
    """A running command, with the part of the interface of ``subprocess.Popen`` that tests use."""

    def __init__(self, words: list[str], stdout: IO[bytes], stderr: IO[bytes], environment: dict[str, str]) -> None:
        self.args = words
        self.returncode: int | None = None
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._connection.connect(str(_server() / "socket"))
        request = {"words": words, "environment": environment, "folder": str(Path.cwd())}
        with Path(os.devnull).open("rb") as stdin:
            files = [each.fileno() for each in (stdin, stdout, stderr)]
            socket.send_fds(self._connection, [json.dumps(request).encode()], files)
        self.pid = int(self._connection.recv(100))

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status. Raises ``TimeoutExpired`` if the process does not end in time."""
        if self.returncode is None:
            if not select.select([self._connection], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self.returncode = int(self._connection.recv(100))
            self._connection.close()
        return self.returncode

    def poll(self) -> int | None:
        """Return the exit status, or None while the process runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def folder_of_commands() -> Path:
    """Return a folder with a program ``scimsvc`` that starts at once, for ``PATH``."""
    return _server()


@cache
def _server() -> Path:
    """Start the process that forks, until this process ends. Return the folder of its socket and program."""
    folder = tempfile.TemporaryDirectory(prefix="scimsvc_prestarted_")
    path = Path(folder.name)
    shim = path / "scimsvc"
    shim.write_text(_SHIM.format(python=sys.executable, path=str(path / "socket")), "utf-8")
    shim.chmod(0o755)
    command = [sys.executable, "-m", "tests.support.prestarted", str(path / "socket")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SCIMSVC_")}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_ROOT, env=environment)
    assert process.stdout is not None
    assert process.stdout.readline() == _READY

    def stop() -> None:
        process.communicate()  # closes its standard input, which ends it
        folder.cleanup()

    atexit.register(stop)
    return path


def _serve(path: str) -> Never:
    """Fork a process for each connection until standard input ends."""
    ended, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(path)
    listener.listen(64)
    clients: dict[int, socket.socket] = {}
    os.write(1, _READY)
    while True:
        readable = select.select([0, ended, listener.fileno()], [], [])[0]
        if 0 in readable:
            os._exit(0)
        if ended in readable:
            os.read(ended, 4096)
            _report(clients)
        if listener.fileno() in readable:
            client = listener.accept()[0]
            content, files, _, _ = socket.recv_fds(client, _MOST, 3)
            process = os.fork()
            if process == 0:
                signal.set_wakeup_fd(-1)
                _run(json.loads(content), files)
            for each in files:
                os.close(each)
            clients[process] = client
            _send(client, process)


def _report(clients: dict[int, socket.socket]) -> None:
    """Send the exit status of each process that has ended."""
    while clients:
        process, status = os.waitpid(-1, os.WNOHANG)
        if process == 0:
            return
        client = clients.pop(process)
        _send(client, os.waitstatus_to_exitcode(status))
        client.close()


def _send(client: socket.socket, number: int) -> None:
    try:
        client.send(str(number).encode())
    except OSError:  # the test does not wait for it
        return


def _run(request: dict[str, Any], files: list[int]) -> Never:
    """Become the program that the request describes."""
    for number, each in enumerate(files):
        os.dup2(each, number)
    os.closerange(3, 256)
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    os.chdir(request["folder"])
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdin = os.fdopen(0, encoding="utf-8")
    sys.stdout = os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1)
    sys.argv[:] = ["scimsvc", *request["words"]]
    sys.modules["__main__"].__package__ = None  # Click takes the name of the program from it
    from scimsvc.__main__ import main

    main()
    sys.exit()


def _import_all() -> None:
    from scimsvc.cli.commands import COMMANDS

    for name in COMMANDS:
        importlib.import_module(f"scimsvc.cli.{name.replace('-', '_')}")
    for name in _LATE:
        importlib.import_module(name)


if __name__ == "__main__":
    gc.disable()
    _import_all()
    gc.freeze()
    _serve(sys.argv[1])
