"""Findings: the result of each check, with its remedy."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """The result of a check. Only an error makes the self-test fail."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """The result of a check.

    ``check`` is a stable identifier such as ``proxy.authorization_lost``. ``detail`` says what was seen, ``remedy``
    what to change; ``nginx`` and ``caddy`` are lines of configuration that do it. ``provider`` is the identity
    provider that the check plays. ``seconds`` is set by the run.
    """

    check: str
    title: str
    outcome: Outcome
    detail: str = ""
    remedy: str = ""
    nginx: str | None = None
    caddy: str | None = None
    provider: str | None = None
    seconds: float = 0.0


def ok(check: str, title: str, detail: str = "") -> Finding:
    """Return a finding without a fault."""
    return Finding(check, title, Outcome.OK, detail)


def skipped(check: str, title: str, detail: str) -> Finding:
    """Return the finding of a check that could not run. ``detail`` says why."""
    return Finding(check, title, Outcome.SKIPPED, detail)


def warning(
    check: str, title: str, detail: str, remedy: str, *, nginx: str | None = None, caddy: str | None = None
) -> Finding:
    """Return the finding of a fault that an identity provider can live with."""
    return Finding(check, title, Outcome.WARNING, detail, remedy, nginx, caddy)


def error(
    check: str, title: str, detail: str, remedy: str, *, nginx: str | None = None, caddy: str | None = None
) -> Finding:
    """Return the finding of a fault that breaks provisioning."""
    return Finding(check, title, Outcome.ERROR, detail, remedy, nginx, caddy)


def count_outcomes(findings: Iterable[Finding]) -> dict[str, int]:
    """Return the number of findings with each outcome."""
    counts = dict.fromkeys(map(str, Outcome), 0)
    for finding in findings:
        counts[finding.outcome] += 1
    return counts
