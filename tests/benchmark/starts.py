"""How long starts take: ``python -m tests.benchmark.starts``.

Commands are compared with ``python -c pass``, and ``scimsvc serve`` with ``tests.benchmark.bare``, until each answers
``GET /healthz``. They run in turns, because other work on the machine slows them down together. Processor time is what
counts; the other figure is the waiting time of people.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.benchmark.servers import processor_seconds, running
from tests.support.live import SCIMSVC, environment

_PROBE = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
_BARE = str(Path(__file__).with_name("bare.py"))


class Start(NamedTuple):
    """The times of one start, in seconds."""

    processor: float
    elapsed: float


def _run_command(command: Sequence[str], variables: dict[str, str]) -> Start:
    processor, elapsed = _processor_of_children(), time.perf_counter()
    subprocess.run(command, env=variables, check=True, stdout=subprocess.DEVNULL)
    return Start(_processor_of_children() - processor, time.perf_counter() - elapsed)


def _processor_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _start_server(command: Sequence[str], variables: dict[str, str], log: Path) -> Start:
    with running("server", command, log, _PROBE, variables) as server:
        return Start(processor_seconds([server.process.pid]), server.start_s)


def measure(starts: int, folder: Path) -> dict[str, list[Start]]:
    """Return ``starts`` starts of each program; each is run once before, so that its byte code is there."""
    # Byte code is written as in an installation, regardless of the machine's settings.
    kept = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": ""}
    variables = environment(INSTANCE_PATH=str(folder / "instance")) | kept
    subprocess.run([SCIMSVC, "init"], env=variables, check=True, stdout=subprocess.DEVNULL)
    log = folder / "server.log"
    programs: dict[str, Callable[[], Start]] = {
        "python -c pass": lambda: _run_command([sys.executable, "-c", "pass"], variables),
        "scimsvc --version": lambda: _run_command([SCIMSVC, "--version"], variables),
        "scimsvc --help": lambda: _run_command([SCIMSVC, "--help"], variables),
        "Flask and waitress": lambda: _start_server([sys.executable, _BARE], variables, log),
        "+ sqlalchemy": lambda: _start_server([sys.executable, _BARE, "sqlalchemy"], variables, log),
        "+ flask_sqlalchemy": lambda: _start_server([sys.executable, _BARE, "flask_sqlalchemy"], variables, log),
        "scimsvc serve": lambda: _start_server([SCIMSVC, "serve", "--port=0"], variables, log),
    }
    results: dict[str, list[Start]] = {name: [] for name in programs}
    for start in programs.values():
        start()
    for _ in range(starts):
        for name, start in programs.items():
            results[name].append(start())
    return results


def table(results: dict[str, list[Start]]) -> str:
    """Return the medians, and each as a multiple of the program that it is compared with."""
    lines = ["| program | processor, ms | elapsed, ms | multiple |", "| --- | ---: | ---: | ---: |"]
    base = 1.0
    for name, starts in results.items():
        processor = statistics.median(start.processor for start in starts)
        elapsed = statistics.median(start.elapsed for start in starts)
        base = base if name.startswith(("scimsvc", "+")) else processor
        lines.append(f"| {name} | {processor * 1000:.0f} | {elapsed * 1000:.0f} | {processor / base:.2f} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark.starts", description=__doc__)
    parser.add_argument("--starts", type=int, default=15, help="starts of each, of which the median counts")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="scimsvc-starts-") as folder:
        print(table(measure(options.starts, Path(folder))))


if __name__ == "__main__":
    main()
