"""The lanes of requests, and the slots in which requests run."""

from collections import deque
from enum import IntEnum
from typing import Protocol


class Kind(IntEnum):
    """The kinds of requests that are limited separately."""

    READ = 0
    WRITE = 1
    #: Computes a password hash. At most one runs at a time.
    SIGN_IN = 2


class Job(Protocol):
    """A request with its connection."""

    def service(self) -> None:
        """Answer the request."""

    def cancel(self) -> None:
        """Close the connection without an answer."""


class Lane:
    """The waiting and running requests of one enterprise, operator or address."""

    __slots__ = ("is_known", "name", "running", "waiting")

    def __init__(self, name: str, *, is_known: bool) -> None:
        self.name = name
        self.is_known = is_known
        #: By kind.
        self.running = [0, 0, 0]
        self.waiting: tuple[deque[Ticket], ...] = (deque(), deque(), deque())


class Slots:
    """A number of requests that may run at the same time, and how many of them may be writes or from strangers."""

    __slots__ = ("most", "most_strangers", "most_writes", "running", "strangers", "writes")

    def __init__(self, most: int, *, most_writes: int, most_strangers: int) -> None:
        self.most = most
        self.most_writes = most_writes
        self.most_strangers = most_strangers
        self.running = self.writes = self.strangers = 0

    def has_room(self, lane: Lane, kind: int) -> bool:
        """Return whether a request of this lane and kind may run in addition."""
        return (
            self.running < self.most
            and (kind != Kind.WRITE or self.writes < self.most_writes)
            and (lane.is_known or self.strangers < self.most_strangers)
        )

    def count(self, ticket: "Ticket", change: int) -> None:
        """Count a request that begins (1) or ends (-1)."""
        self.running += change
        if ticket.kind == Kind.WRITE:
            self.writes += change
        if not ticket.lane.is_known:
            self.strangers += change


class Ticket:
    """A request in its queue, and later in its slot."""

    __slots__ = ("arrived", "job", "kind", "lane", "slots")

    def __init__(self, job: Job, lane: Lane, kind: int, arrived: float) -> None:
        self.job = job
        self.lane = lane
        self.kind = kind
        self.arrived = arrived
        #: The slots that count the running request. None before and after it runs, and while it waits for a change.
        self.slots: Slots | None = None
