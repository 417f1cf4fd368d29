"""Readiness is checked apart from requests, and a check that hangs does not delay them."""

import threading
import time

from scimsvc.operations.readiness import NO_ANSWER, Readiness


def test_a_result_is_remembered_for_a_short_time() -> None:
    reasons = iter([None, "no schema"])
    readiness = Readiness(lambda: next(reasons))

    first, second = readiness.reason(), readiness.reason()
    time.sleep(Readiness.FRESH + 0.05)

    assert (first, second, readiness.reason()) == (None, None, "no schema")


def test_a_check_that_hangs_means_that_the_database_does_not_answer_until_it_does() -> None:
    checks, answers = [], threading.Event()

    def check() -> None:
        checks.append(threading.current_thread())
        answers.wait(20)

    readiness = Readiness(check)
    begin = time.monotonic()
    first = readiness.reason()
    took = time.monotonic() - begin
    begin = time.monotonic()
    others = {readiness.reason() for _ in range(100)}
    took_others = time.monotonic() - begin
    answers.set()
    checks[0].join()

    assert (first, others) == (NO_ANSWER, {NO_ANSWER})
    assert 0.7 < took < 10  # the check itself hangs for 20 s
    assert took_others < took  # a hundred answers together
    assert len(checks) == 1
    assert readiness.reason() is None
