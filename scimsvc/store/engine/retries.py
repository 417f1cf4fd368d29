"""Transactions that PostgreSQL gave up in favour of others are done again (docs/design/storage.md)."""

import functools
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError

#: How often a use case is begun anew; what fails then is told to the client as an outage.
RETRIES = 3
#: serialization_failure and deadlock_detected: nothing was done, and the same again may well succeed.
_GIVEN_UP = ("40001", "40P01")
_LONGEST_PAUSE = 0.05

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def retried(use_case: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Do ``use_case`` again, up to ``RETRIES`` times, where the database gave its transaction up.

    For functions that do all of their work in one transaction that they open themselves.
    """

    @functools.wraps(use_case)
    def run(*args: _Arguments.args, **arguments: _Arguments.kwargs) -> _Result:
        for attempt in range(RETRIES):
            try:
                return use_case(*args, **arguments)
            except DBAPIError as error:
                if not was_given_up(error):
                    raise
            # By chance, so that two that met do not meet again.
            time.sleep(random.uniform(0, _LONGEST_PAUSE * 2**attempt))  # noqa: S311  # no secret
        return use_case(*args, **arguments)

    return run


def was_given_up(error: DBAPIError) -> bool:
    """Tell whether ``error`` is a serialization failure or a deadlock."""
    return getattr(error.orig, "sqlstate", None) in _GIVEN_UP
