"""Webhooks are delivered by real processes: at least once and in order in spite of kills, by one process at a time."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.apps import SECRET_KEY
from tests.support.client import CONTENT_TYPE, SCIM, Enterprise, user_body
from tests.support.live import PATIENCE, environment, serving
from tests.support.long_runs import LONG, outside_the_database
from tests.support.receivers import THIS_MACHINE, Answer, Receiver, receiving
from tests.support.webhooks import emails, make_hook, verified

pytestmark = [pytest.mark.system, pytest.mark.slow]

KILLS = 100 if LONG else 3
#: Messages that arrive between two kills.
MESSAGES = 8

#: The background work with short periods of the lease, in a new process for each line of standard input. Forks are
#: cheaper than starts.
PROGRAM = """
import os, signal, sys
from scimsvc import create_app
from scimsvc.operations.background.lease import Periods
from scimsvc.operations.background.schedule import shared_jobs
from scimsvc.operations.background.worker import Worker

app = create_app()
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        periods = Periods(beat=0.2, look=0.1, trust=1.2, patience=1.6)
        Worker(app, shared_jobs(app), periods, tick=0.05).start()
        signal.pause()
    print(pid, flush=True)
"""


class Workers:
    """Processes that deliver for one database, one at a time."""

    def __init__(self, parent: "subprocess.Popen[str]") -> None:
        self._parent = parent
        self.pids: list[int] = []

    def start(self) -> None:
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        print(file=self._parent.stdin, flush=True)
        self.pids.append(int(self._parent.stdout.readline()))

    def kill_the_one_that_delivers_to(self, port: int) -> None:
        """Kill the process with a connection to the port."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            sockets = _sockets_to(port)
            for pid in self.pids:
                if sockets & _sockets_of(pid):
                    os.kill(pid, signal.SIGKILL)
                    self.pids.remove(pid)
                    return
            time.sleep(0.02)
        raise AssertionError("no process delivers")


@contextmanager
def two_workers(database_url: str, folder: Path) -> Iterator[Workers]:
    settings = environment(
        DATABASE_URL=database_url, SECRET_KEY=SECRET_KEY, INSTANCE_PATH=str(folder), WEBHOOK_NETWORKS=THIS_MACHINE
    )
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(
        command, env=settings, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        workers = Workers(parent)
        try:
            workers.start()
            workers.start()
            yield workers
        finally:
            for pid in workers.pids:
                os.kill(pid, signal.SIGKILL)
            parent.kill()


def _sockets_to(port: int) -> set[str]:
    """Return the numbers of this machine's sockets that are connected to the port."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {f"socket:[{fields[9]}]" for fields in lines if fields[2].endswith(f":{port:04X}") and fields[3] == "01"}


def _sockets_of(pid: int) -> set[str]:
    folder = Path(f"/proc/{pid}/fd")
    return {str(each.readlink()) for each in folder.iterdir() if each.is_symlink()} if folder.exists() else set()


class Writer(threading.Thread):
    """Creates users until it is stopped."""

    def __init__(self, acme: Enterprise) -> None:
        super().__init__(daemon=True)
        self._acme = acme
        self._stopping = threading.Event()
        #: The addresses in the order of their changes.
        self.created: list[str] = []

    def run(self) -> None:
        while not self._stopping.wait(0.1):
            email = f"{len(self.created)}@x.example"
            self._acme.create(email=email)
            self.created.append(email)

    def stop(self) -> None:
        self._stopping.set()
        self.join(PATIENCE)


def test_kills_of_the_delivering_process_lose_and_reorder_nothing(
    acme: Enterprise, database_url: str, tmp_path: Path, trusted: Path
) -> None:
    writer = Writer(acme)
    with (
        receiving(trusted, Receiver(lambda _: Answer(delay=0.01))) as receiver,
        two_workers(database_url, tmp_path) as workers,
    ):
        hook = make_hook(acme, receiver.url)
        port = int(receiver.url.split(":")[2].partition("/")[0])
        writer.start()
        before_kills = emails(receiver.wait(MESSAGES))
        for kill in range(KILLS):
            receiver.wait(len(receiver.requests) + MESSAGES)
            workers.kill_the_one_that_delivers_to(port)
            if kill < KILLS - 1:  # the last one is replaced by the one that waits
                workers.start()
        writer.stop()
        last = writer.created[-1]
        deadline = time.monotonic() + PATIENCE
        while last not in emails(receiver.requests[-3:]) and time.monotonic() < deadline:
            time.sleep(0.05)

    arrived = emails(receiver.requests)
    print(f"{len(writer.created)} changes, {KILLS} kills, {len(arrived) - len(set(arrived))} arrived twice")
    assert list(dict.fromkeys(arrived)) == writer.created
    assert before_kills == writer.created[: len(before_kills)]  # two processes run, and nothing arrives twice
    assert len(arrived) <= len(writer.created) + KILLS
    assert verified(receiver.requests[-1], hook.secret)["data"]["email"] == last


@outside_the_database
def test_a_receiver_that_hangs_delays_neither_another_webhook_nor_the_end_of_the_server(
    acme: Enterprise, database_url: str, tmp_path: Path, trusted: Path
) -> None:
    headers = {"Authorization": f"Bearer {acme.token}", "Content-Type": CONTENT_TYPE}
    with (
        receiving(trusted, Receiver(lambda _: Answer(delay=60))) as hanging,
        receiving(trusted, Receiver()) as quick,
        serving(
            tmp_path, command="serve", DATABASE_URL=database_url, SECRET_KEY=SECRET_KEY, WEBHOOK_NETWORKS=THIS_MACHINE
        ) as live,
    ):
        hung, prompt = make_hook(acme, hanging.url), make_hook(acme, quick.url)
        acme.create(email="first@x.example")
        hanging.wait(1)
        for number in range(5):
            began = time.monotonic()
            body = json.dumps(user_body(email=f"{number}@x.example", userName=f"u{number}"))
            assert live.send("POST", f"{SCIM}/Users", body, headers).status == 201
            quick.wait(number + 2)
            assert time.monotonic() - began < 5
        began = time.monotonic()
        status = live.stop(signal.SIGTERM)
        took = time.monotonic() - began

    assert (status, took < 10) == (0, True)
    assert len(hanging.requests) == 1
    assert (hung.row().cursor, hung.row().failures, prompt.row().cursor) == (0, 0, 6)
