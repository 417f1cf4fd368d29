"""The identifiers, titles and remedies of the checks, as ``catalog.toml`` has them."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from scimsvc.selftest.findings import Finding, Outcome


@dataclass(frozen=True)
class Entry:
    """A check: its identifier, the fact that it proves, and what to change where that is not so."""

    check: str
    title: str
    outcome: Outcome
    remedy: str
    nginx: str
    caddy: str

    def passed(self) -> Finding:
        """Return a finding without a fault."""
        return Finding(self.check, self.title, Outcome.OK)

    def skipped(self, reason: str) -> Finding:
        """Return the finding of a check that could not run."""
        return Finding(self.check, self.title, Outcome.SKIPPED, reason)

    def failed(self, detail: str, outcome: Outcome | None = None) -> Finding:
        """Return the finding of a fault, by default with the outcome of the catalog."""
        return Finding(
            self.check, self.title, outcome or self.outcome, detail, self.remedy, nginx=self.nginx, caddy=self.caddy
        )


@cache
def read_catalog() -> dict[str, Entry]:
    """Return the entries by name, which is the identifier without ``proxy.``, in the order of a run."""
    tables = tomllib.loads((files(__package__) / "catalog.toml").read_text("utf-8"))
    return {name: _entry(name, table) for name, table in tables.items()}


def _entry(name: str, table: dict[str, str]) -> Entry:
    title, remedy, nginx, caddy = (table[member] for member in ("title", "remedy", "nginx", "caddy"))
    return Entry(f"proxy.{name}", title, Outcome(table["outcome"]), remedy, nginx, caddy)
