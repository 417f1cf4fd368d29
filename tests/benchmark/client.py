"""The client: a closed loop over persistent connections. It is cheap, so that it does not affect the measurement.

It runs as a separate process, which reads a pickled ``Job`` from standard input and writes its pickled ``Outcome`` to
standard output.
"""

import pickle
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_CHECKOUT = Path(__file__).parents[2]
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"
_LOCATION = b"location:"


@dataclass(frozen=True)
class Request:
    """A complete request, and the expected response: its status, and a part of its body."""

    content: bytes
    status: int = 200
    holds: bytes = b""


#: Requests that follow one another on one connection.
Flow = tuple[Request, ...]


@dataclass(frozen=True)
class Job:
    """Send all of ``flows``, ``concurrency`` at once, within ``seconds``."""

    port: int
    flows: Sequence[Flow]
    concurrency: int
    seconds: float


@dataclass
class Outcome:
    """For each flow, the seconds and length of each response, and the ID in its ``Location`` if it has one."""

    latencies: list[float] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    created: dict[int, str] = field(default_factory=dict)


class UnexpectedAnswer(Exception):
    """The error for a response that the workload does not expect. Its time would be meaningless."""


@contextmanager
def client() -> Iterator[Callable[[Job], Outcome]]:
    """Start a client process, and yield a function that runs a job in it."""
    command = [sys.executable, "-c", f"from {__name__} import main; main()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_CHECKOUT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        jobs, outcomes = process.stdin, process.stdout

        def send(job: Job) -> Outcome:
            pickle.dump(job, jobs)
            jobs.flush()
            try:
                outcome: Outcome = pickle.load(outcomes)
            except EOFError:
                raise RuntimeError("the client failed; its standard error tells why") from None
            return outcome

        try:
            yield send
        finally:
            jobs.close()  # the end of input ends the process


class _Connection:
    """One connection and its position in its flow."""

    def __init__(self, port: int, selector: selectors.BaseSelector) -> None:
        self.port = port
        self.selector = selector
        self.socket = self._connect()
        self.number = 0
        self.flow: Iterator[Request] = iter(())
        self.request = Request(b"")
        self.sent_at = 0.0
        self.received = b""
        self.end_of_head = -1
        self.length: int | None = None

    def _connect(self) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.selector.register(made, selectors.EVENT_READ, self)
        return made

    def close(self) -> None:
        """Close the connection."""
        self.selector.unregister(self.socket)
        self.socket.close()

    def send_next(self) -> bool:
        """Send the flow's next request; return whether there was one."""
        request = next(self.flow, None)
        if request is None:
            return False
        if self.end_of_head >= 0 and self.length is None:
            # waitress closes the connection after a response without a length, such as a 204.
            self.close()
            self.socket = self._connect()
        self.request, self.received, self.end_of_head = request, b"", -1
        self.sent_at = time.perf_counter()
        self.socket.sendall(request.content)
        return True

    def receive(self) -> bool:
        """Receive bytes; return whether the response is complete."""
        piece = self.socket.recv(262144)
        if not piece:
            raise UnexpectedAnswer(f"the connection was closed after {self.received[:200]!r}")
        self.received += piece
        if self.end_of_head < 0:
            self.end_of_head = self.received.find(_END_OF_HEAD)
            if self.end_of_head < 0:
                return False
            length = self.header(_LENGTH)
            self.length = int(length) if length is not None else None
        return len(self.received) >= self.end_of_head + len(_END_OF_HEAD) + (self.length or 0)

    def header(self, name: bytes) -> bytes | None:
        """Return the value of the response header of this name (``b"name:"``), or None."""
        head = self.received[: self.end_of_head]
        start = head.lower().find(b"\r\n" + name)
        return head[start + 2 + len(name) :].partition(b"\r\n")[0].strip() if start >= 0 else None

    def check(self) -> None:
        """Raise ``UnexpectedAnswer`` unless the response is the expected one."""
        status = int(self.received[9:12])
        if status != self.request.status or self.request.holds not in self.received:
            raise UnexpectedAnswer(f"{self.request.content[:300]!r} was answered {self.received[:600]!r}")


def run(job: Job) -> Outcome:
    """Run ``job`` in this process. Raises ``UnexpectedAnswer``, or ``TimeoutError`` if it takes too long."""
    outcome = Outcome()
    flows = enumerate(job.flows)
    deadline = time.perf_counter() + job.seconds
    with selectors.DefaultSelector() as selector:
        for _ in range(min(job.concurrency, len(job.flows))):
            _begin_next(_Connection(job.port, selector), flows)
        while selector.get_map():
            if time.perf_counter() > deadline:
                raise TimeoutError(f"not done within {job.seconds} s")
            for key, _ in selector.select(timeout=1):
                _go_on(key.data, flows, outcome)
    return outcome


def _go_on(connection: _Connection, flows: Iterator[tuple[int, Flow]], outcome: Outcome) -> None:
    if not connection.receive():
        return
    outcome.latencies.append(time.perf_counter() - connection.sent_at)
    outcome.lengths.append(len(connection.received))
    connection.check()
    location = connection.header(_LOCATION)
    if location is not None:
        outcome.created[connection.number] = location.rpartition(b"/")[2].decode()
    if not connection.send_next() and not _begin_next(connection, flows):
        connection.close()


def _begin_next(connection: _Connection, flows: Iterator[tuple[int, Flow]]) -> bool:
    number, flow = next(flows, (0, ()))
    connection.number, connection.flow = number, iter(flow)
    return connection.send_next()


def main() -> None:
    """Run the jobs from standard input until its end."""
    jobs, outcomes = sys.stdin.buffer, sys.stdout.buffer
    with suppress(EOFError):
        while True:
            outcome = run(pickle.load(jobs))
            pickle.dump(outcome, outcomes)
            outcomes.flush()
