"""The steps of a run."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from scimsvc.selftest import load, proxies
from scimsvc.selftest.cleanup import delete_leftovers
from scimsvc.selftest.providers import PLAYED, read_sequences, run_sequence, title_of
from scimsvc.selftest.session import Check

#: The value of ``--as`` for all providers.
ALL = "all"
CHOICES = (ALL, *PLAYED)


@dataclass(frozen=True)
class Step:
    """A check with the title that the progress shows. ``name`` is that of the finding if the check fails itself."""

    title: str
    check: Check
    name: str = "step"


def make_plan(provider: str = ALL) -> tuple[Step, ...]:
    """Return the steps of a run that plays one ``provider``, or all of them."""
    return tuple(_steps([*PLAYED] if provider == ALL else [provider]))


def _steps(providers: list[str]) -> Iterator[Step]:
    yield _step(delete_leftovers)
    yield from map(_step, proxies.CHECKS)
    yield from map(_step, load.CHECKS)
    for provider in providers:
        for name, _payload in read_sequences(provider):
            check = partial(run_sequence, provider=provider, name=name)
            yield Step(title_of(provider, name), check, f"{provider}.{name}")


def _step(check: Check) -> Step:
    """Return the step of a check whose docstring begins with its title."""
    title = (check.__doc__ or "").partition("\n")[0].rstrip(".")
    return Step(title, check, f"step.{getattr(check, '__name__', 'check')}")
