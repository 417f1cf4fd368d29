"""Return free memory to the system.

The C allocator keeps the memory of large answers and slow searches for later.
After searches in eight threads it kept 44 MiB.
"""

import ctypes
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

#: Seconds between two times at which memory is returned.
REST = 2.0
#: Bytes by which the process must have grown since the last time. Returning memory costs a few milliseconds.
GROWTH = 8 * 2**20
_STATM = Path("/proc/self/statm")


class FreeMemory:
    """Returns free memory when the process has grown. Does nothing unless the system is Linux with glibc."""

    def __init__(self, later: Callable[[Callable[[], None]], None]) -> None:
        """Create the object. ``later`` runs an action in another thread."""
        self._later = later
        self._trim = _find_trim()
        self._resident = 0
        self._at = 0.0

    def return_some(self) -> None:
        """Return memory if the process has grown since the last time, which is some seconds ago."""
        if self._trim is None:
            return
        now, resident = time.monotonic(), _resident()
        self._resident = min(self._resident, resident)
        if now < self._at or resident < self._resident + GROWTH:
            return
        self._at = now + REST
        self._later(self._return)

    def _return(self) -> None:
        self._trim(0)
        self._resident = _resident()


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
