"""The results of checks: their kind, their severity, and the remedy."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias


class Severity(StrEnum):
    """How much a finding matters, the worst first."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    OK = "ok"


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class Subject(NamedTuple):
    """The enterprise that a finding concerns."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. Its ID stays the same over versions, and its texts do not."""

    id: str
    severity: Severity
    found: str
    remedy: str | None = None
    enterprise: Subject | None = None
    #: The endpoint of the page of the console that helps.
    page: str | None = None

    def represent(self) -> dict[str, Any]:
        """Return the finding for programs."""
        return {
            "id": self.id,
            "severity": self.severity.value,
            "found": self.found,
            "remedy": self.remedy,
            "enterprise": self.enterprise.name if self.enterprise is not None else None,
        }


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of findings. The manual lists all kinds."""

    id: str
    severity: Severity
    #: The meaning, for the manual.
    meaning: str
    page: str | None = None

    def found(self, found: str, remedy: str, *, enterprise: Subject | None = None) -> Finding:
        """Return a finding of this kind."""
        return Finding(self.id, self.severity, found, remedy, enterprise, self.page)


Check: TypeAlias = Callable[[], Iterator[Finding]]


class Topic(NamedTuple):
    """Checks that belong together. ``sound`` is the text if nothing is wrong."""

    name: str
    sound: str
    check: Check
    kinds: tuple[Kind, ...]


def worst_first(findings: list[Finding]) -> list[Finding]:
    """Return the findings sorted by severity. Those of one severity keep their order."""
    return sorted(findings, key=lambda finding: _RANKS[finding.severity])
