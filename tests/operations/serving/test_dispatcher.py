"""The dispatcher shares threads fairly among lanes. Its requests are plain tasks here."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from scimsvc.operations.serving.dispatcher import FairDispatcher
from scimsvc.operations.serving.slots import Kind

#: The maximum seconds until a task begins. A busy machine may need some.
SOON = 10.0


class Task:
    """A request that runs until it is allowed to end."""

    def __init__(self, action: Callable[[], None] | None = None) -> None:
        self.begun, self.may_end, self.ended, self.cancelled = (threading.Event() for _ in range(4))
        self._action = action

    def service(self) -> None:
        self.begun.set()
        if self._action is not None:
            self._action()
        self.may_end.wait(20)
        self.ended.set()

    def cancel(self) -> None:
        self.cancelled.set()


class Dispatching:
    """A dispatcher, and all tasks that it got."""

    def __init__(self, threads: int = 4, reserve: int = 16, idle_seconds: float = 10.0) -> None:
        self.dispatcher = FairDispatcher(threads=threads, reserve=reserve, idle_seconds=idle_seconds)
        self.tasks: list[Task] = []

    def add(self, lane: str, number: int = 1, kind: Kind = Kind.READ, *, is_known: bool = True) -> list[Task]:
        tasks = [Task() for _ in range(number)]
        self.tasks += tasks
        for task in tasks:
            self.dispatcher.add(task, lane, kind, is_known=is_known)
        return tasks

    def end(self) -> None:
        for task in self.tasks:
            task.may_end.set()
        self.dispatcher.shutdown(timeout=5)


@pytest.fixture
def four() -> Iterator[Dispatching]:
    """A dispatcher with four ordinary threads."""
    dispatching = Dispatching()
    yield dispatching
    dispatching.end()


def begun(tasks: list[Task], number: int) -> int:
    """Wait until ``number`` of the tasks have begun, and then for more of them, and return how many have."""
    deadline = time.monotonic() + SOON
    while sum(task.begun.is_set() for task in tasks) < number and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(0.05)
    return sum(task.begun.is_set() for task in tasks)


def test_a_lane_uses_all_ordinary_threads_and_no_others(four: Dispatching) -> None:
    tasks = four.add("acme", 50)

    assert begun(tasks, 4) == 4
    for task in tasks:
        task.may_end.set()
    assert all(task.ended.wait(5) for task in tasks)


def test_tasks_of_a_lane_begin_in_their_order() -> None:
    one = Dispatching(threads=1, reserve=0)
    order: list[int] = []
    tasks = [Task(lambda n=n: order.append(n)) for n in range(20)]  # type: ignore[misc]
    for task in tasks:
        task.may_end.set()
        one.dispatcher.add(task, "acme", Kind.READ, is_known=True)

    assert all(task.ended.wait(5) for task in tasks)
    assert order == list(range(20))
    one.end()


def test_another_lane_begins_at_once_however_many_wait(four: Dispatching) -> None:
    attack = four.add("acme", 200)
    assert begun(attack, 4) == 4

    for n in range(20):
        (task,) = four.add("globex")
        assert task.begun.wait(SOON), n
        task.may_end.set()
        assert task.ended.wait(SOON)


def test_each_of_many_lanes_begins_at_once_up_to_the_reserve(four: Dispatching) -> None:
    assert begun(four.add("acme", 10), 4) == 4
    others = [four.add(f"enterprise {n}", 2) for n in range(20)]

    assert begun([tasks[0] for tasks in others], 16) == 16
    assert begun([tasks[1] for tasks in others], 0) == 0


def test_a_free_thread_serves_the_lane_with_the_fewest_running_requests() -> None:
    dispatching = Dispatching(threads=4, reserve=0)
    first = dispatching.add("acme", 20)
    assert begun(first, 4) == 4
    second = dispatching.add("globex", 20)

    for task in first[:2]:
        task.may_end.set()

    assert begun(second, 2) == 2
    assert begun(first, 4) == 4
    second[0].may_end.set()
    # Now two and one run.
    assert begun(second, 3) == 3
    dispatching.end()


def test_strangers_leave_half_of_the_threads_to_enterprises(four: Dispatching) -> None:
    strangers = [four.add(f"192.0.2.{n}", is_known=False)[0] for n in range(40)]
    assert begun(strangers, 2 + 8) == 2 + 8

    enterprises = [four.add(f"enterprise {n}")[0] for n in range(2 + 8)]

    assert all(task.begun.wait(SOON) for task in enterprises)


def test_a_free_thread_serves_enterprises_before_strangers() -> None:
    one = Dispatching(threads=1, reserve=0)
    (running,) = one.add("acme")
    assert running.begun.wait(SOON)
    strangers = [one.add(f"192.0.2.{n}", is_known=False)[0] for n in range(40)]
    (waiting,) = one.add("acme")

    running.may_end.set()

    assert waiting.begun.wait(SOON)
    assert begun(strangers, 0) == 0
    one.end()


def test_writes_leave_a_thread_for_reads_of_their_lane(four: Dispatching) -> None:
    writes = four.add("acme", 20, Kind.WRITE)
    assert begun(writes, 3) == 3

    (read,) = four.add("acme")

    assert read.begun.wait(SOON)


def test_writes_of_all_lanes_leave_threads_for_reads(four: Dispatching) -> None:
    writes = [task for n in range(40) for task in four.add(f"enterprise {n}", 3, Kind.WRITE)]
    assert begun(writes, 3 + 8) == 3 + 8

    reads = [four.add(f"enterprise {n}")[0] for n in range(9)]

    assert all(task.begun.wait(SOON) for task in reads)


def test_a_single_thread_writes_and_another_one_reads() -> None:
    one = Dispatching(threads=1)
    (write,) = one.add("acme", 1, Kind.WRITE)
    assert write.begun.wait(SOON)

    (read,) = one.add("acme")

    assert read.begun.wait(SOON)
    one.end()


def test_one_sign_in_runs_at_a_time_and_uses_no_thread_of_others(four: Dispatching) -> None:
    attack = four.add("192.0.2.1", 50, Kind.SIGN_IN, is_known=False)
    assert begun(attack, 1) == 1
    (honest,) = four.add("192.0.2.2", 1, Kind.SIGN_IN, is_known=False)

    assert begun(four.add("acme", 4), 4) == 4
    for task in attack[:2]:  # the addresses take turns
        task.may_end.set()

    assert honest.begun.wait(SOON)
    assert begun(attack, 2) == 2


def test_a_request_that_steps_aside_makes_room_for_another() -> None:
    one = Dispatching(threads=1, reserve=0)
    change = threading.Event()

    def wait() -> None:
        one.dispatcher.step_aside()
        change.wait(10)

    poll = Task(wait)
    poll.may_end.set()
    one.dispatcher.add(poll, "acme", Kind.READ, is_known=True)
    assert poll.begun.wait(SOON)

    tasks = one.add("acme", 2)

    assert begun(tasks, 1) == 1
    change.set()
    assert poll.ended.wait(SOON)
    assert begun(tasks, 1) == 1
    one.end()


def test_requests_that_wait_too_long_leave_their_queue() -> None:
    dispatching = Dispatching(threads=1, reserve=0)
    running, *waiting = dispatching.add("acme", 4)
    assert running.begun.wait(SOON)
    time.sleep(1.2)
    (young,) = dispatching.add("acme")

    assert dispatching.dispatcher.take_late(1.0) == waiting
    assert dispatching.dispatcher.queued == 1
    running.may_end.set()
    assert young.begun.wait(SOON)
    dispatching.end()


def test_a_held_lane_waits_and_continues_later(four: Dispatching) -> None:
    four.dispatcher.hold(frozenset({"acme"}))
    held, (other,) = four.add("acme", 2), four.add("globex")

    assert other.begun.wait(SOON)
    assert begun(held, 0) == 0
    four.dispatcher.hold(frozenset())
    assert begun(held, 2) == 2


def test_threads_beyond_the_ordinary_ones_end_after_a_while() -> None:
    dispatching = Dispatching(threads=1, idle_seconds=0.1)
    before = threading.active_count()
    tasks = [dispatching.add(f"enterprise {n}")[0] for n in range(8)]
    assert all(task.begun.wait(SOON) for task in tasks)
    assert threading.active_count() == before + 8

    for task in tasks:
        task.may_end.set()
    deadline = time.monotonic() + SOON
    while threading.active_count() > before + 1 and time.monotonic() < deadline:
        time.sleep(0.05)

    assert threading.active_count() == before + 1
    assert dispatching.dispatcher.running == 0
    dispatching.end()
    assert threading.active_count() == before


def test_a_request_that_fails_leaves_its_thread_working(four: Dispatching, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise ValueError

    four.dispatcher.add(Task(fail), "acme", Kind.READ, is_known=True)
    tasks = four.add("acme", 4)

    assert begun(tasks, 4) == 4
    assert "failed outside of the application" in caplog.text


def test_a_stop_cancels_waiting_requests_and_ends_threads() -> None:
    dispatching = Dispatching()
    tasks = dispatching.add("acme", 6)
    assert begun(tasks, 4) == 4
    for task in tasks[:4]:
        threading.Timer(0.2, task.may_end.set).start()

    dispatching.dispatcher.shutdown(timeout=5)

    assert [task.cancelled.is_set() for task in tasks] == [False] * 4 + [True] * 2
    assert all(task.ended.is_set() for task in tasks[:4])


def test_no_request_is_lost_under_load() -> None:
    dispatching = Dispatching(threads=3, reserve=2, idle_seconds=0.001)
    tasks = [Task() for _ in range(3000)]
    for task in tasks:
        task.may_end.set()

    def add(part: int) -> None:
        for n, task in enumerate(tasks[part::3]):
            dispatching.dispatcher.add(task, f"lane {n % 7}", (n * 5) % 3, is_known=n % 2 == 0)
            if n % 50 == 0:
                time.sleep(0.002)

    threads = [threading.Thread(target=add, args=(part,)) for part in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(task.ended.wait(10) for task in tasks)
    assert dispatching.dispatcher.queued == 0
    dispatching.end()
    assert dispatching.dispatcher.running == 0
