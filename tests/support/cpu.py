"""Measure CPU time, and how busy the machine is.

Bounds in tests are several times what the work takes, so that they are stable.
"""

import os
import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

#: CPU seconds of ``_fixed_work`` on a core that runs nothing else.
_ON_A_FREE_CORE = 0.009


def cpu_seconds(run: Callable[[], Result]) -> tuple[Result, float]:
    """Return the result of ``run``, and the seconds of CPU time that it took in this process."""
    started = time.process_time()
    result = run()
    return result, time.process_time() - started


def crowd() -> float:
    """Return the number of programs that share a core, at least 1, because other tests run at the same time."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def slowness(clock: Callable[[], float] = time.process_time) -> float:
    """Return how many times longer fixed work takes now than on a free core, at least 1, by the best of five attempts.

    Measure it beside the work that has a bound: in CPU time, or with ``time.perf_counter`` for the time that others keep
    the core.
    """

    def attempt() -> float:
        started = clock()
        _fixed_work()
        return clock() - started

    return max(1.0, min(attempt() for _ in range(5)) / _ON_A_FREE_CORE)


def _fixed_work() -> int:
    total = 0
    for number in range(200_000):
        total += number % 7
    return total
