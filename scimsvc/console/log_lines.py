"""The lines of the provisioning log's table: refusals in a row with the same cause are one line."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LogLine:
    """An entry, and the older ones directly after it that are refused for the same cause."""

    entry: Entry
    folded: list[Entry] = field(default_factory=list)

    @property
    def entries(self) -> int:
        """The number of entries."""
        return 1 + len(self.folded)

    @property
    def other_people(self) -> int:
        """The number of other people whom the folded entries are about."""
        return len({about(each) for each in self.folded} - {about(self.entry)})

    def takes(self, entry: Entry) -> bool:
        """Return whether ``entry`` belongs to this line."""
        return self.entry["why"] is not None and _reason(self.entry) == _reason(entry)


def fold_equal_refusals(entries: Iterable[Entry]) -> list[LogLine]:
    """Return the lines of the ``entries``, which are in the order of the list."""
    lines: list[LogLine] = []
    for entry in entries:
        if lines and lines[-1].takes(entry):
            lines[-1].folded.append(entry)
        else:
            lines.append(LogLine(entry))
    return lines


def _reason(entry: Entry) -> tuple[str, str] | None:
    return (entry["why"]["title"], entry["client_id"]) if entry["why"] is not None else None


def about(entry: Entry) -> str | None:
    """Return the address, or else another name, of the person or the group that the entry is about."""
    user = entry["user"]
    names = [entry["email"], user and user.email, *map(entry.get, _NAMES)]
    return next((name for name in names if name), None)


_NAMES = ("user_name", "external_id", "group", "user_id", "group_id")
