"""The worker runs jobs when they are due, and survives their errors and the loss of the database."""

import logging
import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Flask, current_app
from sqlalchemy.exc import OperationalError

from scimsvc.operations.background.jobs import Job, JobRunner
from scimsvc.operations.background.lease import Periods
from scimsvc.operations.background.worker import Worker
from scimsvc.web.state import web_state
from scimsvc.web.turns import Turn
from tests.support.moved_clock import MovedClock
from tests.support.types import MakeApp

QUICK = Periods(beat=0.1, look=0.05, trust=0.3, patience=0.5)
PATIENCE = 20.0


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> MovedClock:
    return MovedClock(monkeypatch)


@pytest.fixture
def one_app(make_app: MakeApp) -> Iterator[Flask]:
    app = make_app()
    yield app
    web_state.of(app).stopping.set()


class Counted:
    """A job that counts its runs and the threads that run it, and tells when it ran."""

    def __init__(self, *, result: Callable[[], float | None] = lambda: None) -> None:
        self.threads: list[str] = []
        self.ran = threading.Event()
        self._result = result

    def __call__(self, turn: Turn) -> float | None:
        assert current_app
        assert not turn.is_over()
        self.threads.append(threading.current_thread().name)
        self.ran.set()
        return self._result()


def runner(app: Flask, run: Callable[[Turn], float | None], *, interval: float) -> JobRunner:
    return JobRunner(app, Job("counting", run, interval=interval), Turn(web_state.of(app).stopping))


def start(each: JobRunner) -> None:
    """Start a job if it is due, and wait for its end."""
    each.start_if_due()
    each.join(PATIENCE)


def test_a_job_runs_at_its_interval_in_a_thread_of_its_own(one_app: Flask, time: MovedClock) -> None:
    job = Counted()
    each = runner(one_app, job, interval=60)
    for _ in range(5):
        start(each)
        time.move(seconds=25)

    assert job.threads == ["scimsvc-counting"] * 2  # after 0 and 75 seconds


def test_a_job_can_ask_for_another_interval(one_app: Flask, time: MovedClock) -> None:
    job = Counted(result=lambda: 20.0)
    each = runner(one_app, job, interval=60)
    for _ in range(3):
        start(each)
        time.move(seconds=25)

    assert len(job.threads) == 3


def test_a_job_that_is_still_running_is_not_started_again(one_app: Flask, time: MovedClock) -> None:
    released, begun = threading.Event(), list[int]()

    def wait(_turn: Turn) -> None:
        begun.append(1)
        released.wait(PATIENCE)

    each = runner(one_app, wait, interval=60)
    each.start_if_due()
    time.move(seconds=61)
    each.start_if_due()
    released.set()
    each.join(PATIENCE)

    assert begun == [1]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("x"), "The background job counting failed. It tries again."),
        (
            OperationalError("SELECT", {}, ConnectionError("no route")),
            "The background job counting cannot use the database: no route. It tries again.",
        ),
    ],
)
def test_a_failing_job_is_logged_once_and_waits_longer_each_time(
    one_app: Flask, time: MovedClock, caplog: pytest.LogCaptureFixture, error: Exception, message: str
) -> None:
    errors: list[Exception | None] = [*[error] * 6, None, error]

    def fail(_turn: Turn) -> None:
        next_error = errors.pop(0)
        if next_error is not None:
            raise next_error

    caplog.set_level(logging.INFO, "scimsvc")
    logging.getLogger("scimsvc").propagate = True
    each = runner(one_app, fail, interval=1)
    waits = [each.run_once() for _ in range(8)]

    assert waits == [2, 4, 8, 16, 30, 30, 1, 2]
    messages = [record.getMessage() for record in caplog.records]
    assert messages == [message, "The background job counting works again.", message]
    assert each.runs.failures == 7


def test_an_error_of_one_job_does_not_stop_the_others(make_app: MakeApp) -> None:
    app, good = make_app(), Counted()

    def fail(_turn: Turn) -> None:
        raise ValueError

    worker = Worker(app, [Job("bad", fail, interval=60), Job("good", good, interval=60)], tick=0.02)
    worker.start()

    assert good.ran.wait(PATIENCE)
    stop(app, worker)


def stop(app: Flask, worker: Worker) -> None:
    web_state.of(app).stopping.set()
    worker.join(PATIENCE)
    assert not worker.is_busy


def test_shared_jobs_run_in_one_of_two_processes_and_others_in_both(make_app: MakeApp) -> None:
    apps = [make_app(), make_app()]
    shared, own = [Counted(), Counted()], [Counted(), Counted()]
    workers = [
        Worker(
            app,
            [Job("shared", shared[number], interval=0.01), Job("own", own[number], interval=0.01, is_shared=False)],
            QUICK,
            tick=0.02,
        )
        for number, app in enumerate(apps)
    ]
    for worker in workers:
        worker.start()
    assert all(job.ran.wait(PATIENCE) for job in own)
    while not any(job.ran.is_set() for job in shared):
        own[0].ran.clear()
        assert own[0].ran.wait(PATIENCE)
    holder = next(number for number in (0, 1) if workers[number].lease.is_held())

    stop(apps[holder], workers[holder])  # it releases the lease

    other = 1 - holder
    assert shared[other].ran.wait(PATIENCE)
    stop(apps[other], workers[other])
    assert set(shared[other].threads) == {"scimsvc-shared"}


def test_a_job_whose_lease_was_lost_sees_the_end_of_its_turn(make_app: MakeApp, time: MovedClock) -> None:
    app, begun, ended = make_app(), threading.Event(), list[bool]()

    def work(turn: Turn) -> None:
        begun.set()
        while not turn.is_over():
            turn.rest(0.01)
        ended.append(web_state.of(app).stopping.is_set())

    worker = Worker(app, [Job("long", work, interval=60)])
    worker.tick()
    assert begun.wait(PATIENCE)
    time.move(seconds=20)  # as for a process that was stopped

    worker.runners[0].join(PATIENCE)

    assert ended == [False]
    worker.tick()  # it still has the row, so it continues
    assert worker.lease.is_held()
    web_state.of(app).stopping.set()


def test_a_worker_whose_database_has_no_schema_warns_once_and_waits_for_it(
    make_app: MakeApp, time: MovedClock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_name: str) -> None:
        raise OperationalError("SELECT", {}, ConnectionError("no such table: leases"))

    logging.getLogger("scimsvc").propagate = True
    app, job = make_app(), Counted()
    worker = Worker(app, [Job("waiting", job, interval=60)])
    with monkeypatch.context() as patch:
        patch.setattr("scimsvc.store.leases.find_lease", fail)
        for _ in range(3):
            worker.tick()
            time.move(seconds=6)
    worker.tick()

    assert job.ran.wait(PATIENCE)
    assert [record.getMessage() for record in caplog.records] == [
        "The background worker cannot use the database: no such table: leases. It tries again."
    ]
    web_state.of(app).stopping.set()
