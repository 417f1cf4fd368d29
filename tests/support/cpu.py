"""Measure CPU time, and how busy the machine is.

Bounds in tests are several times what the work takes, so that they are stable.
"""

import os
import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def cpu_seconds(run: Callable[[], Result]) -> tuple[Result, float]:
    """Return the result of ``run``, and the seconds of CPU time that it took in this process."""
    started = time.process_time()
    result = run()
    return result, time.process_time() - started


def crowd() -> float:
    """Return the number of programs that share a core, at least 1, because other tests run at the same time."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
