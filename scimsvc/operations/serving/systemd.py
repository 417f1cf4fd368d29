"""The parts of systemd's protocols that a server needs: socket activation, readiness and the watchdog.

Each protocol is an environment variable and a line of text (sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3)).
Without systemd nothing here has an effect.
"""

import os
import socket
import time
from collections.abc import Mapping, MutableMapping
from contextlib import suppress

#: The first file descriptor that systemd passes.
_FIRST_SOCKET = 3


def take_passed_sockets(environment: MutableMapping[str, str] = os.environ) -> list[socket.socket]:
    """Return the listening sockets that systemd passed to this process.

    Their variables are removed, so that no child process takes the sockets too. Raises ``ValueError`` if a variable is
    not a number, and ``OSError`` if a descriptor is not a socket.
    """
    process, count = environment.pop("LISTEN_PID", ""), environment.pop("LISTEN_FDS", "0")
    environment.pop("LISTEN_FDNAMES", None)
    if process != str(os.getpid()):
        return []
    sockets = [socket.socket(fileno=_FIRST_SOCKET + number) for number in range(int(count))]
    for each in sockets:
        os.set_inheritable(each.fileno(), False)
    return sockets


class ServiceManager:
    """Reports the state of this process to systemd. A report that cannot be sent is dropped."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        """Read where and how often reports are expected."""
        address = environment.get("NOTIFY_SOCKET", "")
        # A name that begins with @ is in Linux's abstract namespace.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._interval = _watchdog_seconds(environment) / 3
        self._next_beat = 0.0

    def report_ready(self) -> None:
        """Report that requests are accepted."""
        self._send("READY=1")

    def report_stopping(self) -> None:
        """Report that the process is about to end."""
        self._send("STOPPING=1")

    def beat(self) -> None:
        """Report, if it is time, that the process works. It is restarted if reports stop for ``WatchdogSec``."""
        if self._interval and time.monotonic() >= self._next_beat:
            self._next_beat = time.monotonic() + self._interval
            self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.sendto(message.encode(), self._address)


def _watchdog_seconds(environment: Mapping[str, str]) -> float:
    """Return the seconds after which systemd restarts a silent process, or 0 if it watches another process or none."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0.0
    microseconds = environment.get("WATCHDOG_USEC", "")
    return int(microseconds) / 1_000_000 if microseconds.isdecimal() else 0.0
