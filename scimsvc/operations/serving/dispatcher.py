"""Share the threads of the server fairly among lanes.

Each request belongs to a lane: an enterprise, an administrator or an address. A request waits in the queue of its lane
and never in a thread. A free thread serves the lane with the fewest running requests. A lane without a running request
does not wait for the others: if all ordinary threads are busy, its request runs on a reserve thread.
"""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from scimsvc.operations.serving.apart import run
from scimsvc.operations.serving.slots import Job, Kind, Lane, Slots, Ticket

#: The most reserve threads.
RESERVE = 16
#: Seconds after which a thread beyond the ordinary ones ends if it has nothing to do.
IDLE_SECONDS = 10.0


#: The rank of the lane of a known caller without a running request.
_FIRST = (False, 0)


class _Worker:
    """A thread while it has no request."""

    __slots__ = ("is_woken", "signal")

    def __init__(self) -> None:
        self.signal = threading.Lock()
        self.signal.acquire()
        self.is_woken = False


class _Current(threading.local):
    ticket: Ticket | None = None


class FairDispatcher:
    """Runs the requests of all lanes on a bounded number of threads. Waitress calls ``add_task``."""

    def __init__(
        self,
        *,
        threads: int,
        reserve: int = RESERVE,
        idle_seconds: float = IDLE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Create a dispatcher with this number of ordinary threads, and at most ``reserve`` further ones."""
        self._clock = clock
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._ended = threading.Condition(self._lock)
        # A database that hangs in COMMIT keeps the threads of writes. The others still read.
        self._ordinary = Slots(threads, most_writes=max(1, threads - 1), most_strangers=max(1, threads // 2))
        self._reserve = Slots(reserve, most_writes=reserve // 2, most_strangers=reserve // 2)
        self._sign_in = Slots(1, most_writes=1, most_strangers=1)
        self._lanes: dict[str, Lane] = {}
        #: The lanes with waiting requests, in turn.
        self._turns: dict[Lane, None] = {}
        #: Lanes whose requests do not start, because too many answers were not read yet.
        self._held: frozenset[str] = frozenset()
        self._queued = 0
        self._threads = 0
        #: Threads without a request. The last one to finish is the first to start again.
        self._idle: list[_Worker] = []
        #: Threads that were woken or created and have not looked for a request yet.
        self._waking = 0
        self._is_stopping = False
        self._current = _Current()

    @property
    def running(self) -> int:
        """The number of running requests."""
        return self._ordinary.running + self._reserve.running + self._sign_in.running

    @property
    def queued(self) -> int:
        """The number of waiting requests."""
        return self._queued

    def add(self, job: Job, lane: str, kind: int, *, is_known: bool) -> None:
        """Run ``job`` when it is the turn of ``lane``. ``is_known`` is False for the lane of an address."""
        with self._lock:
            queue = self._lanes.get(lane)
            if queue is None:
                queue = self._lanes[lane] = Lane(lane, is_known=is_known)
            queue.waiting[kind].append(Ticket(job, queue, kind, self._clock()))
            self._turns.setdefault(queue)
            self._queued += 1
            self._wake()

    def step_aside(self) -> None:
        """Free the slot of this thread's request, which will wait for something other than the processor."""
        ticket = self._current.ticket
        if ticket is not None:
            with self._lock:
                self._release(ticket)
                self._wake()

    def hold(self, lanes: frozenset[str]) -> None:
        """Start no requests of ``lanes`` until the next call."""
        if lanes != self._held:
            with self._lock:
                self._held = lanes
                self._wake()

    def take_late(self, seconds: float) -> list[Job]:
        """Remove and return the requests that have waited for more than ``seconds``."""
        if not self._queued:
            return []
        before, late = self._clock() - seconds, []
        with self._lock:
            for lane in list(self._turns):
                for queue in lane.waiting:
                    while queue and queue[0].arrived < before:
                        late.append(queue.popleft().job)
                self._forget_if_unused(lane)
            self._queued -= len(late)
        return late

    def take_from_longest(self, number: int) -> list[Job]:
        """Remove and return the ``number`` youngest requests of the longest queue."""
        with self._lock:
            queue = max((each for lane in self._turns for each in lane.waiting), key=len, default=None)
            if not queue:
                return []
            lane = queue[0].lane
            taken = [queue.pop().job for _ in range(min(number, len(queue)))]
            self._queued -= len(taken)
            self._forget_if_unused(lane)
        return taken

    def shutdown(self, cancel_pending: bool = True, timeout: float = 5) -> bool:
        """End the threads that finish within ``timeout`` seconds, and cancel the waiting requests."""
        until = self._clock() + timeout
        with self._lock:
            self._is_stopping = True
            while self._idle:
                self._wake_one()
            while self._threads and (left := until - self._clock()) > 0:
                self._ended.wait(left)
            waiting = [ticket.job for lane in self._turns for queue in lane.waiting for ticket in queue]
            self._turns.clear()
            self._queued = 0
        for job in waiting:
            job.cancel()
        return True

    def _wake(self) -> None:
        """Let another thread look for a request if one may start. The caller has the lock."""
        if self._queued <= self._waking or self._is_stopping or self._find() is None:
            return
        if self._idle:
            self._wake_one()
        else:
            with suppress(RuntimeError):  # the system allows no more threads, and a running one will take the request
                threading.Thread(target=self._serve, name="scimsvc-worker", daemon=True).start()
                self._waking += 1
                self._threads += 1

    def _wake_one(self) -> None:
        worker = self._idle.pop()
        self._waking += 1
        worker.is_woken = True
        worker.signal.release()

    def _serve(self) -> None:
        """Serve requests until the server stops, or until this thread is not needed any more."""
        worker, ticket = _Worker(), None
        while True:
            with self._lock:
                if ticket is None:
                    self._waking -= 1  # this thread is new
                else:
                    self._release(ticket)
                ticket = self._take() or self._wait_for_turn(worker)
                if ticket is None:
                    self._threads -= 1
                    self._ended.notify()
                    return
                self._wake()
            self._current.ticket = ticket
            run(ticket.job.service)

    def _wait_for_turn(self, worker: _Worker) -> Ticket | None:
        """Wait for a request that may start. Return None if this thread must end."""
        while not self._is_stopping:
            self._sleep(worker)
            ticket = self._take()
            if ticket is not None or (not worker.is_woken and self._threads > self._ordinary.most):
                return ticket
        return None

    def _sleep(self, worker: _Worker) -> None:
        """Release the lock until this thread is woken. A thread beyond the ordinary ones sleeps only for a while."""
        worker.is_woken = False
        self._idle.append(worker)
        seconds = self._idle_seconds if self._threads > self._ordinary.most else -1
        self._lock.release()
        try:
            in_time = worker.signal.acquire(timeout=seconds)
        finally:
            self._lock.acquire()
        if not worker.is_woken:
            self._idle.remove(worker)
            return
        self._waking -= 1
        if not in_time:  # it was woken at the last moment
            worker.signal.acquire()

    def _take(self) -> Ticket | None:
        found = None if self._is_stopping else self._find()
        if found is None:
            return None
        lane, kind, slots = found
        ticket = lane.waiting[kind].popleft()
        ticket.slots = slots
        slots.count(ticket, 1)
        lane.running[kind] += 1
        self._queued -= 1
        del self._turns[lane]
        if any(lane.waiting):
            self._turns[lane] = None  # behind the others
        return ticket

    def _find(self) -> tuple[Lane, int, Slots] | None:
        """Return the request to start next: its lane, kind and slots. None if no request may start.

        Lanes of known callers come first, then lanes with few running requests.
        """
        best: tuple[Lane, int, Slots] | None = None
        first = (True, sys.maxsize)
        for lane in self._turns:
            rank = (not lane.is_known, sum(lane.running))
            if rank < first and lane.name not in self._held:
                found = self._find_in(lane)
                if found is not None:
                    best, first = found, rank
                    if rank == _FIRST:
                        break
        return best

    def _find_in(self, lane: Lane) -> tuple[Lane, int, Slots] | None:
        """Return the oldest waiting request of ``lane`` that may start."""
        best: tuple[Lane, int, Slots] | None = None
        for kind, queue in enumerate(lane.waiting):
            if queue and (best is None or queue[0].arrived < lane.waiting[best[1]][0].arrived):
                slots = self._find_slots(lane, kind)
                if slots is not None:
                    best = lane, kind, slots
        return best

    def _find_slots(self, lane: Lane, kind: int) -> Slots | None:
        if kind == Kind.SIGN_IN:
            return self._sign_in if self._sign_in.has_room(lane, kind) else None
        if self._ordinary.has_room(lane, kind):
            return self._ordinary
        return self._reserve if not lane.running[kind] and self._reserve.has_room(lane, kind) else None

    def _release(self, ticket: Ticket) -> None:
        """Free the slot of a request, unless it is free already."""
        if ticket.slots is not None:
            ticket.slots.count(ticket, -1)
            ticket.slots = None
            ticket.lane.running[ticket.kind] -= 1
            self._forget_if_unused(ticket.lane)

    def _forget_if_unused(self, lane: Lane) -> None:
        if not any(lane.waiting):
            self._turns.pop(lane, None)
            if not any(lane.running):
                self._lanes.pop(lane.name, None)
