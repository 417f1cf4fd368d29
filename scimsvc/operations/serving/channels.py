"""The connections of the server, and the requests that arrive on them."""

import time
from collections.abc import Iterable
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.task import WSGITask

from scimsvc.operations.serving.apart import Apart
from scimsvc.operations.serving.bodies import BoundedBuffer, longest_body
from scimsvc.operations.serving.connections import MARGIN, SMALL, Connections
from scimsvc.operations.serving.dispatcher import FairDispatcher
from scimsvc.operations.serving.lanes import LaneName, Lanes, kind_of, route_of
from scimsvc.operations.serving.refusals import Busy, RefusalTask
from scimsvc.operations.serving.slots import Job
from scimsvc.protocol.limits import Limits
from scimsvc.store.engine.deadlines import hung_within

#: Unread bytes of a connection's earlier answers at which its next request waits, so that it holds no thread.
MOST_UNREAD = 1024 * 1024
#: Seconds after which a request that still waits for a thread is answered 503, while the database hangs.
MOST_SECONDS = 20.0
#: How many times longer a request waits if no write exceeded its deadline within ``HANG_SECONDS``.
MOVING_QUEUE = 6
HANG_SECONDS = 60.0
#: Paths that are answered by a thread of their own.
ALIVE, READY = "/healthz", "/readyz"


class Request(HTTPRequestParser):
    """A request with its lane. Requests that a proxy may interpret differently are refused."""

    #: The path in the form that the app routes. A request that cannot be read has this one.
    route = "/"
    path: str
    command: str  # type: ignore[assignment]  # the stubs of waitress say bytes

    def __init__(self, adj: Any, front: "Front", address: str) -> None:
        super().__init__(adj)
        self.began = time.monotonic()
        self._front = front
        self._address = address
        self._lane: LaneName | None = None

    @property
    def lane(self) -> LaneName:
        """The lane of the request, after its head was read."""
        if self._lane is None:
            self._lane = self._front.lanes.find(self.headers, self.route, self._address)
        return self._lane

    def parse_header(self, header_plus: bytes) -> None:
        """Read the head, and limit the body that follows. Raises ``ParsingError``."""
        super().parse_header(header_plus)
        # With both headers, two readers can disagree about the end of a request (RFC 9112 §6.1). Waitress keeps
        # Transfer-Encoding of HTTP/1.0 requests, and has removed it from HTTP/1.1 requests here.
        if ("CONTENT_LENGTH" in self.headers and self.chunked) or "TRANSFER_ENCODING" in self.headers:
            raise ParsingError("Content-Length and Transfer-Encoding must not be combined")
        if self.version == "1.1" and ("HOST" not in self.headers or "," in self.headers["HOST"]):
            raise ParsingError("HTTP/1.1 requires one Host header")  # RFC 9112 §3.2
        # Without this, waitress would wait forever for the body of a request with Expect but without a body.
        if self.expect_continue and not self.chunked and not self.content_length:
            self.expect_continue = False
        self.header_plus = b""  # it was parsed
        self.route = route_of(self.path)
        if self.body_rcv is not None:
            longest = longest_body(self.route, is_known=self.lane.is_known, longest=self._front.limits.body)
            # A body that is too long by its length is not stored at all.
            stored = longest if self.content_length <= longest else 0
            self.body_rcv.buf = BoundedBuffer(self.adj.inbuf_overflow, stored)


class Task(WSGITask):
    """Answers a request through the app."""

    channel: "Channel"

    def build_response_header(self) -> bytes:
        """Return the head of the response. While the server stops, it says that the connection is closed."""
        if self.channel.is_last_answer:
            super().set_close_on_finish()
        return bytes(super().build_response_header())

    def set_close_on_finish(self) -> None:
        """Close the connection after the response, unless only the missing body is a reason for that.

        Waitress closes the connection after each 204 and 304, because they have no length. They need none (RFC 9112
        §6.3).
        """
        request: Any = self.request
        is_last = request.version != "1.1" or request.headers.get("CONNECTION", "").lower() == "close"
        if self.has_body or is_last:
            super().set_close_on_finish()


class Front:
    """Passes each request to the thread of its path, or to the queue of its lane."""

    def __init__(self, lanes: Lanes, dispatcher: FairDispatcher, connections: Connections, limits: Limits) -> None:
        self.lanes = lanes
        self.dispatcher = dispatcher
        self.connections = connections
        self.limits = limits
        #: Whether the server stops, so that each response is the last one of its connection.
        self.is_stopping = False
        self._apart = {ALIVE: Apart("scimsvc-alive"), READY: Apart("scimsvc-ready")}

    @property
    def running(self) -> int:
        """The number of requests that a thread works on."""
        return self.dispatcher.running

    @property
    def queued(self) -> int:
        """The number of requests that wait for a thread."""
        return self.dispatcher.queued

    @property
    def open_connections(self) -> int:
        """The number of open connections."""
        return self.connections.count

    def add_task(self, channel: "Channel") -> None:
        """Pass on the first request of ``channel``. Waitress calls this in several threads."""
        request = channel.requests[0]
        route = request.route
        if request.error is not None:
            self._apart[ALIVE].add(channel.service)
        elif route in self._apart and request.command.upper() in ("GET", "HEAD"):
            self._apart[route].add(channel.service)
        elif not channel.parks():
            lane = channel.lane = request.lane
            self.dispatcher.add(channel, lane.name, kind_of(request.command.upper(), route), is_known=lane.is_known)

    def look_after(self, queue_seconds: float = MOST_SECONDS) -> None:
        """Answer requests that have waited too long, close slow connections, and hold lanes.

        A request waits for ``queue_seconds`` while the database hangs, and otherwise much longer, because the queue
        moves.
        """
        patience = queue_seconds if hung_within(HANG_SECONDS) else queue_seconds * MOVING_QUEUE
        self._refuse(self.dispatcher.take_late(patience), "The service is busy, and the request waited too long.")
        self.dispatcher.hold(self.connections.look_after())

    def make_room(self) -> None:
        """Close or refuse connections if there are almost as many as possible."""
        if self.connections.are_too_many and not self.connections.close_idle():
            self._refuse(self.dispatcher.take_from_longest(MARGIN), "The service has too many connections.")

    def _refuse(self, jobs: Iterable[Job], reason: str) -> None:
        for job in jobs:
            assert isinstance(job, Channel)
            job.requests[0].error = Busy(reason)
            self._apart[ALIVE].add(job.service)

    def shutdown(self, cancel_pending: bool = True, timeout: float = 5) -> bool:
        """End the threads."""
        return self.dispatcher.shutdown(cancel_pending, timeout)


class Channel(HTTPChannel):
    """A connection."""

    task_class = Task
    error_task_class = RefusalTask
    requests: list[Request]
    request: Request | None
    #: The lane of the last request.
    lane: LaneName | None = None
    #: Whether the next request waits until earlier answers are read.
    is_parked = False

    def __init__(self, front: Front, *arguments: Any, **options: Any) -> None:
        self._front = front
        super().__init__(*arguments, **options)

    @property
    def address(self) -> str:
        """The address of the client, or of the proxy before it."""
        return str(self.addr[0])

    @property
    def is_last_answer(self) -> bool:
        """Whether the server closes the connection after this answer, because it stops."""
        return self._front.is_stopping

    def parser_class(self, adj: Any) -> Request:  # type: ignore[override]  # waitress only calls it
        """Return the next request."""
        return Request(adj, self._front, self.address)

    def service(self) -> None:
        """Answer one request. The part that the client does not read at once may be moved to a file."""
        super().service()
        if self.total_outbufs_len > SMALL:
            self._front.connections.spill(self)

    def parks(self) -> bool:
        """Return whether the next request must wait until earlier answers are read. Then the loop passes it on."""
        if self.total_outbufs_len <= MOST_UNREAD:
            return False
        with self.outbuf_lock:
            self.is_parked = self.connected and self.total_outbufs_len > MOST_UNREAD
        return self.is_parked

    def handle_write(self) -> None:
        """Send a part of the answers, and continue with the next request when they were read."""
        super().handle_write()
        if self.is_parked and self.total_outbufs_len <= MOST_UNREAD:
            with self.outbuf_lock:
                self.is_parked = False
            if self.connected and self.requests:
                self._front.add_task(self)
