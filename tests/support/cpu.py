"""Measure the CPU time of a request. Bounds in tests are several times what the work takes, so that they are stable."""

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def cpu_seconds(run: Callable[[], Result]) -> tuple[Result, float]:
    """Return the result of ``run``, and the seconds of CPU time that it took in this process."""
    started = time.process_time()
    result = run()
    return result, time.process_time() - started
