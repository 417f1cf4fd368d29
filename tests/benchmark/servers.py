"""The measured servers: separate processes, whose processor time and memory come from the kernel.

This runs only on Linux, because it reads ``/proc`` and the clock of each process's processor time.
"""

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmark.storage import KEY, Place
from tests.support.live import SCIMSVC, environment

PATIENCE = 30.0  # seconds
_CHECKOUT = Path(__file__).parents[2]
_SERVING_ON = re.compile(r"serving on http://127\.0\.0\.1:(\d+)")
_KIBIBYTES = re.compile(r"^(VmRSS|VmHWM):\s+(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True)
class Server:
    """A running server. ``start_s`` is the time from its start to its first response."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    start_s: float

    def processor_seconds(self) -> float:
        """Return the user and system time of all threads of the server's processes so far."""
        return processor_seconds(family(self.process.pid))

    def memory_mib(self) -> dict[str, float]:
        """Return the current and the maximum memory of the server's processes."""
        sizes = {"VmRSS": 0.0, "VmHWM": 0.0}
        for pid in family(self.process.pid):
            for name, size in _KIBIBYTES.findall(Path(f"/proc/{pid}/status").read_text()):
                sizes[name] += int(size) / 1024
        return {"rss": sizes["VmRSS"], "peak": sizes["VmHWM"]}


@contextmanager
def service(where: Place, *, threads: int, probe: bytes) -> Iterator[Server]:
    """Run ``scimsvc serve``. The response to ``probe`` shows that it has started."""
    variables = environment(DATABASE_URL=where.service_url, SECRET_KEY=KEY, INSTANCE_PATH=str(where.folder))
    command = [SCIMSVC, "serve", "--port=0", f"--threads={threads}"]
    with running("service", command, where.folder / "service.log", probe, variables) as server:
        yield server


@contextmanager
def floor(where: Place, *, threads: int, probe: bytes) -> Iterator[Server]:
    """Run the floor."""
    options = [f"--database={where.floor_database}", f"--key={KEY}", f"--threads={threads}"]
    command = [sys.executable, "-m", "tests.benchmark.floor", *options]
    with running("floor", command, where.folder / "floor.log", probe, environment()) as server:
        yield server


@contextmanager
def running(name: str, command: Sequence[str], log: Path, probe: bytes, variables: dict[str, str]) -> Iterator[Server]:
    """Run a server until the block ends. Its standard error goes to ``log`` and contains its address."""
    started = time.perf_counter()
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr, cwd=_CHECKOUT, env=variables)
    try:
        port = _wait_for_port(process, log)
        _wait_for_answer(port, probe)
        yield Server(name, process, port, time.perf_counter() - started)
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_for_port(process: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = _SERVING_ON.search(log.read_text("utf-8"))
        if found:
            return int(found[1])
        if process.poll() is not None:
            break
        time.sleep(0.002)
    raise RuntimeError(f"the server does not serve: {log.read_text('utf-8')}")


def _wait_for_answer(port: int, probe: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(probe)
        head = connection.recv(65536)
    if not head.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"the first answer is {head[:200]!r}")


def processor_seconds(pids: Sequence[int]) -> float:
    """Return the user and system time of processes, in steps of nanoseconds instead of ticks of 10 ms."""
    # The clock of another process, numbered as in clock_getcpuclockid(3).
    return sum(time.clock_gettime((~pid << 3) | 2) for pid in pids)


def family(pid: int) -> list[int]:
    """Return the process and all its descendants."""
    children = [
        int(child)
        for tasks in Path(f"/proc/{pid}/task").glob("*/children")
        for child in tasks.read_text().split()
    ]  # fmt: skip
    return [pid, *(each for child in children for each in family(child))]
