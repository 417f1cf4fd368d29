"""Background work goes on in another process if the one that does it is killed, frozen or stopped."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.live import PATIENCE, SCIMSVC, environment

pytestmark = [pytest.mark.system, pytest.mark.slow]

#: A worker with short periods. Its job writes a line with its name and the time while its turn lasts.
PROGRAM = """
import signal, sys, time
from scimsvc import create_app
from scimsvc.operations.background.jobs import Job
from scimsvc.operations.background.lease import Periods
from scimsvc.operations.background.worker import Worker
from scimsvc.web.state import web_state

name, path = sys.argv[1:]
signals = {signal.SIGTERM}
signal.pthread_sigmask(signal.SIG_BLOCK, signals)

def work(turn):
    with open(path, "a") as lines:
        while not turn.is_over():
            print(name, time.monotonic(), file=lines, flush=True)
            turn.rest(0.02)

app = create_app()
worker = Worker(app, [Job("work", work, interval=0.01)], Periods(beat=0.1, look=0.05, trust=0.4, patience=1), tick=0.03)
worker.start()
signal.sigwait(signals)
web_state.of(app).stopping.set()
worker.join(10)
"""


@dataclass
class Workers:
    """Processes that compete for the lease, and what they wrote."""

    path: Path
    processes: dict[str, "subprocess.Popen[bytes]"]

    def lines(self) -> list[tuple[str, float]]:
        """Return the name and the time of each line."""
        text = self.path.read_text() if self.path.exists() else ""
        return [(line.split()[0], float(line.split()[1])) for line in text.split("\n")[:-1]]

    def wait_for_line(self, *names: str, after: float = 0.0) -> str:
        """Wait until one of ``names`` works, and return it."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for name, at in reversed(self.lines()):
                if name in names and at > after:
                    return name
            time.sleep(0.05)
        raise AssertionError(f"none of {names} works: {self.lines()[-5:]}")


@contextmanager
def two_workers(database_url: str, folder: Path) -> Iterator[tuple[Workers, str, str]]:
    """Run two workers. Yield them, and the names of the one that works and of the other one."""
    workers = Workers(folder / "lines", {})
    try:
        for name in ("a", "b"):
            workers.processes[name] = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, name, str(workers.path)],
                env=environment(DATABASE_URL=database_url, SECRET_KEY="k" * 32, INSTANCE_PATH=str(folder)),
                stderr=subprocess.DEVNULL,
            )
        first = workers.wait_for_line("a", "b")
        yield workers, first, "b" if first == "a" else "a"
    finally:
        for process in workers.processes.values():
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait(PATIENCE)


def test_another_process_works_after_the_freeze_and_after_the_kill_of_one(database_url: str, tmp_path: Path) -> None:
    with two_workers(database_url, tmp_path) as (workers, first, second):
        workers.processes[first].send_signal(signal.SIGSTOP)
        workers.wait_for_line(second, after=time.monotonic())

        workers.processes[first].send_signal(signal.SIGCONT)
        thawed_at = time.monotonic()
        workers.wait_for_line(second, after=thawed_at + 0.5)
        late = [at for name, at in workers.lines() if name == first and at > thawed_at]
        workers.processes[second].kill()
        workers.processes[second].wait(PATIENCE)
        workers.wait_for_line(first, after=time.monotonic())

    assert len(late) <= 1  # a step that had begun before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_deliver_stops_at_a_signal_with_status_0(sqlite_file: Path, tmp_path: Path, number: signal.Signals) -> None:
    settings = environment(DATABASE_URL=f"sqlite:///{sqlite_file}", SECRET_KEY="k" * 32, INSTANCE_PATH=str(tmp_path))
    with (tmp_path / "stderr").open("wb") as stderr:
        process = subprocess.Popen([SCIMSVC, "deliver"], env=settings, stderr=stderr)
    deadline = time.monotonic() + PATIENCE
    while "delivering" not in (tmp_path / "stderr").read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    began = time.monotonic()
    process.send_signal(number)

    assert process.wait(PATIENCE) == 0
    assert time.monotonic() - began < 10
    assert (tmp_path / "stderr").read_text().endswith("info stopped\n")
