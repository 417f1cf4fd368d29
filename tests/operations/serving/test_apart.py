"""Work after answers runs in order in one thread, and a bounded amount of it waits."""

import threading

import pytest

from scimsvc.operations.serving.apart import Apart


def test_actions_run_in_order_in_another_thread_although_one_fails(caplog: pytest.LogCaptureFixture) -> None:
    apart, ran, end = Apart("apart"), list[tuple[int, str]](), threading.Event()

    def fail() -> None:
        raise ValueError

    apart.add(fail)
    for number in range(3):
        apart.add(lambda number=number: ran.append((number, threading.current_thread().name)))  # type: ignore[misc]
    apart.add(end.set)

    assert end.wait(5)
    assert ran == [(number, "apart") for number in range(3)]
    assert "ValueError" in caplog.text


def test_a_full_queue_drops_further_actions() -> None:
    apart, hang, ran = Apart("apart", most=3), threading.Event(), list[str]()
    end = threading.Event()

    def note() -> None:
        ran.append("note")
        if len(ran) == 2:
            end.set()

    apart.add(lambda: ran.clear() if hang.wait(5) else None)
    for _ in range(5):
        apart.add(note)
    assert apart.is_busy
    hang.set()

    assert end.wait(5)
    assert ran == ["note", "note"]


def test_a_thread_that_cannot_start_is_started_with_a_later_action(monkeypatch: pytest.MonkeyPatch) -> None:
    apart, end = Apart("apart", most=1), threading.Event()

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError):
            apart.add(end.set)
    apart.add(end.set)

    assert end.wait(5)
