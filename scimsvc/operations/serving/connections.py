"""Bound the number of connections, and the memory of answers that clients do not read."""

import resource
import sys
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from waitress.buffers import OverflowableBuffer
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer

from scimsvc.operations.serving.lanes import lane_of_address

if TYPE_CHECKING:
    from scimsvc.operations.serving.channels import Channel

#: The most connections of a process that may open enough files.
MOST_CONNECTIONS = 1000
#: Connections that are closed together to make room, before the limit is reached.
MARGIN = 32
#: Connections that are accepted together. A look at all sockets between two of them would take longer than accepting.
_ACCEPTED_TOGETHER = 16
#: Files of a process besides connections: of the database, the log and modules.
_OTHER_FILES = 128
#: Each connection may need a file for a body or an answer.
_FILES_PER_CONNECTION = 2

#: Seconds for the head of a request, for the whole request, and for reading the next part of an answer.
HEAD_SECONDS = 20.0
REQUEST_SECONDS = 300.0
UNREAD_SECONDS = 60.0
#: Bytes of the heads of incomplete requests of all connections together. Heads that are small are not counted.
_MOST_OF_HEADS = 8 * 1024 * 1024
#: Bytes of unread answers that stay in memory: of a connection, and of all connections together. Others are in files.
SMALL = 16 * 1024
_MOST_IN_MEMORY = 8 * 1024 * 1024
#: Bytes of unread answers at which a lane's next requests wait.
MOST_UNREAD_OF_LANE = 32 * 1024 * 1024


def connection_limit() -> int:
    """Return the most connections for the files that this process may open. Raises the soft limit if possible."""
    wanted = MOST_CONNECTIONS * _FILES_PER_CONNECTION + _OTHER_FILES
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft, hard = map(_finite, limits)
    if soft < min(wanted, hard):
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), limits[1]))
            soft = min(wanted, hard)
    return connections_for(soft)


def _finite(limit: int) -> int:
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit


def connections_for(files: int) -> int:
    """Return the most connections of a process that may open this number of files."""
    return max(2 * MARGIN, min(MOST_CONNECTIONS, (files - _OTHER_FILES) // _FILES_PER_CONNECTION))


def accept_some(listener: BaseWSGIServer) -> None:
    """Accept some of the waiting connections, instead of only one."""
    sockets: dict[int, Any] = listener._map  # type: ignore[attr-defined]  # noqa: SLF001  # the stubs lack it
    for _ in range(_ACCEPTED_TOGETHER):
        before = len(sockets)
        type(listener).handle_accept(listener)
        if len(sockets) == before:
            return


class Connections:
    """The open connections of a server. ``sockets`` is waitress's map of listeners and connections."""

    def __init__(self, sockets: dict[int, Any], limit: int) -> None:
        self._sockets = sockets
        self._limit = limit

    @property
    def are_too_many(self) -> bool:
        """Whether almost as many connections are open as possible."""
        return len(self._sockets) >= self._limit - MARGIN

    @property
    def count(self) -> int:
        """The number of open connections."""
        return len(self._channels())

    def _channels(self) -> list["Channel"]:
        return [each for each in list(self._sockets.values()) if isinstance(each, HTTPChannel)]  # type: ignore[misc]

    def close_idle(self) -> bool:
        """Close the oldest connections without a running request of the network with the most connections.

        Those with unread answers are the last ones. Return False if that network has no such connection.
        """
        channels = self._channels()
        counts = Counter(lane_of_address(channel.address) for channel in channels)
        greediest = max(counts, key=counts.__getitem__, default=None)
        idle = [each for each in channels if lane_of_address(each.address) == greediest and _is_idle(each)]
        idle.sort(key=lambda channel: (channel.total_outbufs_len > 0, channel.creation_time))
        for channel in idle[:MARGIN]:
            channel.handle_close()
        return bool(idle)

    def look_after(self) -> frozenset[str]:
        """Close connections that are too slow. Return the lanes with too many bytes of unread answers."""
        self._close_heads()
        unread: Counter[str] = Counter()
        now, time_of_day = time.monotonic(), time.time()
        for channel in self._channels():
            if _is_late(channel, now, time_of_day):
                channel.handle_close()
                continue
            if channel.lane is not None and channel.total_outbufs_len > SMALL:
                unread[channel.lane.name] += _unread(channel)
        return frozenset(lane for lane, length in unread.items() if length > MOST_UNREAD_OF_LANE)

    def _close_heads(self) -> None:
        """Close incomplete requests with long heads of the network that sent most of them, if they are too many."""
        heads: Counter[str] = Counter()
        channels = [each for each in self._channels() if _head(each) > SMALL]
        for channel in channels:
            heads[lane_of_address(channel.address)] += _head(channel)
        if heads.total() > _MOST_OF_HEADS:
            longest = max(heads, key=heads.__getitem__)
            for channel in channels:
                if lane_of_address(channel.address) == longest:
                    channel.handle_close()

    def spill(self, channel: "Channel") -> None:
        """Move the unread answers of ``channel`` to files if those of all connections use too much memory."""
        if sum(each.total_outbufs_len for each in self._channels()) > _MOST_IN_MEMORY:
            with channel.outbuf_lock:
                _move_to_files(channel.outbufs)


def _head(channel: "Channel") -> int:
    return channel.request.header_bytes_received if channel.request is not None else 0


def _is_idle(channel: "Channel") -> bool:
    return not channel.requests or channel.is_parked


def _is_late(channel: "Channel", now: float, time_of_day: float) -> bool:
    if channel.is_parked:
        return time_of_day - channel.last_activity > UNREAD_SECONDS
    request = channel.request
    if request is None or channel.requests:
        return False
    return now - request.began > (REQUEST_SECONDS if request.headers_finished else HEAD_SECONDS)


def _unread(channel: "Channel") -> int:
    """Return the bytes of unread answers, without files of the application, which bounds them itself."""
    return sum(len(each) for each in list(channel.outbufs) if isinstance(each, OverflowableBuffer))


def _move_to_files(buffers: Iterable[Any]) -> None:
    for buffer in buffers:
        # A buffer of waitress moves to a file when it is longer than this after bytes are appended.
        if isinstance(buffer, OverflowableBuffer) and not buffer.overflowed and len(buffer) > SMALL:
            buffer.overflow = SMALL
            buffer.append(b"")
