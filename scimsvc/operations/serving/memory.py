"""Return free memory to the system.

The C allocator keeps the memory of large answers and slow searches for later.
After searches in eight threads it kept 44 MiB.
"""

import ctypes
import os
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

#: Seconds between two times at which memory is returned. It takes a few milliseconds, without Python's lock.
REST = 4.0
#: Bytes by which the process must be larger than it was at its smallest.
GROWTH = 8 * 2**20
_STATM = Path("/proc/self/statm")


class FreeMemory:
    """Returns free memory while the process is large. Does nothing unless the system is Linux with glibc."""

    def __init__(self, later: Callable[[Callable[[], None]], None]) -> None:
        """Create the object. ``later`` runs an action in another thread."""
        self._later = later
        self._trim = _find_trim()
        self._smallest = _resident() if self._trim else 0
        self._due_at = 0.0

    def return_some(self) -> None:
        """Return memory if the process has grown and the last time is some seconds ago.

        It need not have grown since the last time, because memory that was in use then can be free now.
        """
        if self._trim is None or (now := time.monotonic()) < self._due_at:
            return
        resident = _resident()
        self._smallest = min(self._smallest, resident)
        if resident >= self._smallest + GROWTH:
            self._due_at = now + REST
            self._later(partial(self._trim, 0))


def _find_trim() -> Any:
    """Return glibc's function that returns free memory, or None."""
    with suppress(OSError, AttributeError):
        trim = ctypes.CDLL(None).malloc_trim
        _resident()
        return trim
    return None


def _resident() -> int:
    """Return the bytes of memory that this process uses."""
    return int(_STATM.read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
