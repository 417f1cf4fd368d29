"""Which steps a run has."""

from dataclasses import dataclass

from scimsvc.selftest import proxies
from scimsvc.selftest.session import Check

#: The value of ``--as`` for all providers.
ALL = "all"


@dataclass(frozen=True)
class Step:
    """A check with the title that the progress shows."""

    title: str
    check: Check


def make_plan() -> tuple[Step, ...]:
    """Return the steps of a run."""
    return tuple(Step(_title(check), check) for check in proxies.CHECKS)


def _title(check: Check) -> str:
    """Return the first line of the docstring of a check, as progress."""
    return (check.__doc__ or check.__name__).partition("\n")[0].rstrip(".")
