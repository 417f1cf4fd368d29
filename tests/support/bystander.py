"""A client that does nothing wrong and measures how long others make it wait.

It runs in a process of its own (``python -m tests.support.bystander URL TOKEN``), so that the attacker's Python code does
not slow it down. It imports only the standard library, because it should start at once.
"""

import itertools
import json
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PAUSE = 0.1  # seconds between two requests of one kind
PATIENCE = 20.0
USERS = "/api/scim/v2/Users"
_ROOT = Path(__file__).parents[2]


@dataclass
class Report:
    """The seconds of the slowest request and of the median request of each kind, and the failures."""

    slowest: dict[str, float] = field(default_factory=dict)
    median: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


@contextmanager
def watching(base_url: str, token: str, *, pause: float = PAUSE) -> Iterator[Report]:
    """Send the bystander's requests until the block ends, then fill in the report."""
    command = [sys.executable, "-m", "tests.support.bystander", base_url, token, str(pause)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_ROOT)
    report = Report()
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield report
        vars(report).update(json.loads(process.communicate(b"stop\n", timeout=2 * PATIENCE)[0]))
    finally:
        process.kill()
        process.wait()


class _Repeated(threading.Thread):
    """Sends requests of one kind, each over a new connection, until it is stopped."""

    def __init__(self, kind: str, send: Callable[[], int], wait: Callable[[], bool]) -> None:
        super().__init__(daemon=True)
        self.kind = kind
        self.times: list[float] = []
        self.failures: list[str] = []
        self._send = send
        self._wait = wait

    def run(self) -> None:
        while not self._wait():
            begin = time.monotonic()
            try:
                status: Any = self._send()
            except (OSError, HTTPException) as error:
                status = repr(error)
            self.times.append(time.monotonic() - begin)
            if status not in (200, 201):
                self.failures.append(f"{self.kind}: {status} after {self.times[-1]:.2f} s")


class _Client:
    def __init__(self, base_url: str, token: str) -> None:
        url = urlsplit(base_url)
        self._address = (str(url.hostname), int(url.port or 80))
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"}
        self._mark = secrets.token_hex(4)
        self._turns = itertools.count()
        self._user = ""

    def health(self) -> int:
        return self._send("GET", "/healthz")[0]

    def read(self) -> int:
        return self._send("GET", USERS + "?count=10")[0]

    def write(self) -> int:
        """Create a user and then change it, in turns."""
        turn = next(self._turns)
        if turn % 2:
            change = {"op": "replace", "path": "title", "value": f"Title {turn}"}
            return self._send("PATCH", f"{USERS}/{self._user}", {"schemas": [_PATCH], "Operations": [change]})[0]
        address = f"bystander.{self._mark}.{turn}@bystander.example"
        user = {"schemas": [_USER], "userName": address, "emails": [{"type": "work", "value": address}]}
        status, content = self._send("POST", USERS, user)
        self._user = json.loads(content).get("id", "") if status == 201 else self._user
        return status

    def _send(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        connection = HTTPConnection(*self._address, timeout=PATIENCE)
        try:
            connection.request(method, path, json.dumps(body) if body else None, self._headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


_USER = "urn:ietf:params:scim:schemas:core:2.0:User"
_PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def main(base_url: str, token: str, pause: str) -> None:
    """Measure until a line arrives on standard input, and print the report as JSON."""
    client, stop = _Client(base_url, token), threading.Event()
    kinds = {"health": client.health, "read": client.read, "write": client.write}
    for send in kinds.values():
        send()
    wait = partial(stop.wait, float(pause))
    threads = [_Repeated(kind, send, wait) for kind, send in kinds.items()]
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    sys.stdin.readline()
    stop.set()
    for thread in threads:
        thread.join()
    report = Report(
        {each.kind: max(each.times, default=0.0) for each in threads},
        {each.kind: sorted(each.times)[len(each.times) // 2] for each in threads if each.times},
        {each.kind: len(each.times) for each in threads},
        [failure for each in threads for failure in each.failures],
    )
    print(json.dumps(vars(report)))


if __name__ == "__main__":
    main(*sys.argv[1:])
