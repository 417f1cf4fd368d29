"""The number of connections is bounded, and the most demanding network loses connections first."""

import resource
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import pytest
from waitress.adjustments import Adjustments

from scimsvc.operations.serving.channels import Channel
from scimsvc.operations.serving.connections import (
    HEAD_SECONDS,
    MARGIN,
    MOST_CONNECTIONS,
    MOST_UNREAD_OF_LANE,
    UNREAD_SECONDS,
    Connections,
    connection_limit,
    connections_for,
)
from scimsvc.operations.serving.lanes import LaneName


def test_a_low_soft_limit_is_raised() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
    try:
        assert connection_limit() == connections_for(before[1])
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 256
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize(
    ("files", "connections"),
    [(200, 2 * MARGIN), (1024, 448), (4096, MOST_CONNECTIONS), (sys.maxsize, MOST_CONNECTIONS)],
)
def test_fewer_files_leave_fewer_connections(files: int, connections: int) -> None:
    assert connections_for(files) == connections


class Place:
    """Connections of several clients, without a server."""

    def __init__(self, stack: ExitStack, limit: int) -> None:
        self._stack = stack
        self.sockets: dict[int, Any] = {}
        self.connections = Connections(self.sockets, limit)
        self._server: Any = SimpleNamespace(active_channels={})

    def open(self, address: str) -> Channel:
        front: Any = None
        near, far = socket.socketpair()
        self._stack.enter_context(near)
        self._stack.enter_context(far)
        return Channel(front, self._server, near, (address, 1), Adjustments(), map=self.sockets)

    def is_open(self, channel: Channel) -> bool:
        return channel in self.sockets.values()


@pytest.fixture
def place() -> Iterator[Place]:
    with ExitStack() as stack:
        place = Place(stack, 3 * MARGIN)
        yield place
        for channel in list(place.sockets.values()):
            channel.handle_close()


def test_the_network_with_the_most_connections_makes_room(place: Place) -> None:
    honest = [place.open("192.0.2.1") for _ in range(5)]
    greedy = [place.open(f"2001:db8::{number}") for number in range(2 * MARGIN)]
    assert place.connections.are_too_many

    assert place.connections.close_idle()

    assert all(map(place.is_open, honest))
    assert sum(map(place.is_open, greedy)) == MARGIN
    assert not place.connections.are_too_many


def test_idle_connections_go_first_then_unread_ones_and_none_with_a_request(place: Place) -> None:
    running, unread = place.open("192.0.2.1"), place.open("192.0.2.1")
    running.requests = [running.parser_class(running.adj)]
    unread.total_outbufs_len = 100
    idle = [place.open("192.0.2.1") for _ in range(MARGIN)]

    assert place.connections.close_idle()
    assert [place.is_open(each) for each in (running, unread, *idle)] == [True, True] + [False] * MARGIN
    assert place.connections.close_idle()
    assert [place.is_open(each) for each in (running, unread)] == [True, False]
    assert not place.connections.close_idle()


def test_a_request_without_its_head_and_an_unread_answer_end_after_a_while(place: Place) -> None:
    slow, young, unread = (place.open("192.0.2.1") for _ in range(3))
    slow.request, young.request = slow.parser_class(slow.adj), young.parser_class(young.adj)
    slow.request.began -= HEAD_SECONDS + 1
    unread.is_parked, unread.last_activity = True, time.time() - UNREAD_SECONDS - 1

    place.connections.look_after()

    assert [place.is_open(each) for each in (slow, young, unread)] == [False, True, False]


def test_a_lane_with_too_many_unread_bytes_is_held(place: Place) -> None:
    for lane, size in {"acme": MOST_UNREAD_OF_LANE + 1, "globex": MOST_UNREAD_OF_LANE}.items():
        channel = place.open("192.0.2.1")
        channel.lane = LaneName(lane, is_known=True)
        channel.outbufs[0].append(b"x" * size)
        channel.total_outbufs_len = size

    assert place.connections.look_after() == {"acme"}


def test_unread_answers_move_to_files_only_when_they_are_many(place: Place) -> None:
    channels = [place.open("192.0.2.1") for _ in range(10)]
    for channel in channels:
        channel.outbufs[0].append(b"x" * 900_000)
        channel.total_outbufs_len = 900_000

        place.connections.spill(channel)

    assert [channel.outbufs[0].overflowed for channel in channels] == [False] * 9 + [True]
    assert all(channel.outbufs[0].get(10) == b"x" * 10 for channel in channels)
