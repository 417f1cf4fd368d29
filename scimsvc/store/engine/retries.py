"""Retry transactions that PostgreSQL aborted in favor of others (docs/design/storage.md)."""

import functools
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError

from scimsvc.protocol.errors import Unavailable
from scimsvc.store.engine.database import current_database

#: The maximum number of retries. If the last one fails, the client gets the error of an outage.
RETRIES = 3
#: serialization_failure and deadlock_detected. Nothing was written, and a retry can succeed.
_GIVEN_UP = ("40001", "40P01")
_LONGEST_PAUSE = 0.05


class Outdated(Unavailable):
    """The work is based on settings that changed before its transaction locked them. A retry uses the new ones."""

    def __init__(self) -> None:
        super().__init__("The settings of this enterprise are changing. Retry the request.", {"Retry-After": "1"})


_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def retried(use_case: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Retry ``use_case`` up to ``RETRIES`` times if the database aborts its transaction, or if it is ``Outdated``.

    Use it only for functions that do all their work in one transaction that they open.
    """

    @functools.wraps(use_case)
    def run(*args: _Arguments.args, **arguments: _Arguments.kwargs) -> _Result:
        for attempt in range(RETRIES):
            try:
                return use_case(*args, **arguments)
            except Outdated:
                continue
            except DBAPIError as error:
                if not was_given_up(error) or current_database().deadlines.are_over:
                    raise
            # A random pause, so that two conflicting transactions do not collide again.
            time.sleep(random.uniform(0, _LONGEST_PAUSE * 2**attempt))  # noqa: S311  # no secret
        return use_case(*args, **arguments)

    return run


def was_given_up(error: DBAPIError) -> bool:
    """Return whether ``error`` is a serialization failure or a deadlock."""
    return getattr(error.orig, "sqlstate", None) in _GIVEN_UP
