"""A running service: ``scimsvc serve`` or ``quickstart`` in a separate process, on a free port."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.support.prestarted import Process

SCIMSVC = str(Path(sys.executable).with_name("scimsvc"))
PATIENCE = 20.0  # seconds; generous, since other work may keep the machine busy
_SERVING_ON = re.compile(r'serving on ([^\s"]+)')


@dataclass(frozen=True)
class Answer:
    """A response."""

    status: int
    headers: dict[str, str]
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True)
class Live:
    """A running service. ``result`` is the output of ``quickstart --json``, and empty for ``serve``."""

    process: Process | subprocess.Popen[bytes]
    base_url: str
    folder: Path
    result: dict[str, Any]

    @property
    def token(self) -> str:
        """The SCIM token of the first enterprise, which ``quickstart`` issued."""
        return str(self.result["secret_token"])

    @property
    def log(self) -> str:
        """The text on standard error so far."""
        return (self.folder / "stderr").read_text("utf-8")

    def connect(self) -> HTTPConnection:
        """Return a new connection. The caller closes it."""
        url = urlsplit(self.base_url)
        assert url.hostname is not None
        return HTTPConnection(url.hostname, url.port, timeout=PATIENCE)

    def send(self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None) -> Answer:
        """Send a request over a new connection, with the service's token unless the headers have another one."""
        bearer = {"Authorization": f"Bearer {self.token}"} if self.result else {}
        connection = self.connect()
        try:
            connection.request(method, path, body, bearer | (headers or {}))
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read().decode())
        finally:
            connection.close()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@contextmanager
def serving(
    folder: Path,
    *options: str,
    command: str = "quickstart",
    as_json: bool = True,
    is_prestarted: bool = True,
    **settings: Any,
) -> Iterator[Live]:
    """Run the service with its instance in ``folder`` and further ``settings``; stop it with SIGTERM.

    A test of the start itself is not ``is_prestarted``, and runs the installed program.
    """
    folder.mkdir(parents=True, exist_ok=True)
    where = [] if "--unix-socket" in options or "--port" in options else ["--port=0"]
    form = ["--json"] if command == "quickstart" and as_json else []
    with (folder / "stdout").open("wb") as stdout, (folder / "stderr").open("wb") as stderr:
        words = [command, *where, *form, *options]
        variables = environment(INSTANCE_PATH=str(folder / "instance"), **settings)
        process = (
            Process(words, stdout, stderr, variables)
            if is_prestarted
            else subprocess.Popen([SCIMSVC, *words], stdout=stdout, stderr=stderr, env=variables)
        )
    try:
        url = wait_for_url(process, folder / "stderr")
        result = json.loads((folder / "stdout").read_text("utf-8")) if form else {}
        yield Live(process, url, folder, result)
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def environment(**settings: str) -> dict[str, str]:
    """Return this process's environment with only ``settings`` for the service. Their names have no prefix."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("SCIMSVC_")}
    return outside | {f"SCIMSVC_{name}": value for name, value in settings.items()}


def wait_for_url(process: Process | subprocess.Popen[bytes], stderr: Path) -> str:
    """Return the URL of a service as soon as its log shows it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = _SERVING_ON.search(stderr.read_text("utf-8"))
        if found:
            return found[1]
        assert process.poll() is None, stderr.read_text("utf-8")
        time.sleep(0.02)
    raise AssertionError(f"not serving after {PATIENCE} seconds: {stderr.read_text('utf-8')}")


def on_a_terminal(
    *words: str, settings: dict[str, str], content: bytes | None = None
) -> tuple[subprocess.CompletedProcess[bytes], str]:
    """Run a command with a terminal as standard error; return the result and the text on the terminal."""
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            [SCIMSVC, *words],
            input=content,
            stdout=subprocess.PIPE,
            stderr=theirs,
            env=environment(**settings) | {"TERM": "xterm"},
            timeout=PATIENCE * 2,
        )
    finally:
        os.close(theirs)
    try:
        seen = os.read(ours, 65536).decode()
    except OSError:  # Linux reports the end of the terminal this way
        seen = ""
    finally:
        os.close(ours)
    return done, seen
