"""The process returns free memory to the system.

New processes check this, because one that has run other tests has free memory already.
"""

import os
import subprocess
import sys
from collections.abc import Callable

from scimsvc.operations.serving.memory import FreeMemory
from tests.support.attacks import resident
from tests.support.documents import ROOT

Action = Callable[[], None]
_BLOCK = 4096
_BLOCKS = 25_000


def own() -> int:
    return resident(os.getpid())


def use_and_free() -> list[bytes]:
    """Allocate 100 MiB, free it, and return the few blocks that keep the allocator from shrinking its heap."""
    blocks = [bytes(_BLOCK) for _ in range(_BLOCKS)]
    return blocks[::100]


def check_in_a_new_process(check: Callable[[], None]) -> None:
    """Run ``check`` in a new process. Raises ``CalledProcessError`` if it fails."""
    command = f"from {check.__module__} import {check.__name__} as check; check()"
    subprocess.run([sys.executable, "-c", command], check=True, timeout=60, cwd=ROOT)


def free_memory_is_returned() -> None:
    before = own()
    free_memory = FreeMemory(lambda action: action())
    kept = use_and_free()
    assert own() > before + _BLOCK * _BLOCKS // 2

    free_memory.return_some()

    assert own() < before + _BLOCK * _BLOCKS // 4
    assert len(kept) == _BLOCKS // 100


def test_free_memory_is_returned_every_few_seconds() -> None:
    check_in_a_new_process(free_memory_is_returned)
    check_in_a_new_process(memory_is_returned_every_few_seconds)


def test_a_process_that_has_not_grown_keeps_its_memory() -> None:
    later: list[Action] = []

    FreeMemory(later.append).return_some()

    assert later == []


def memory_is_returned_every_few_seconds() -> None:
    later: list[Action] = []
    free_memory = FreeMemory(later.append)
    kept = use_and_free()

    free_memory.return_some()
    free_memory.return_some()

    assert len(later) == 1
    assert len(kept) == _BLOCKS // 100
