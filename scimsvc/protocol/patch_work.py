"""The notes and the bounded work of a request whose operations are applied."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from scimsvc.protocol.filters.matching import FoldedTexts
from scimsvc.protocol.reading.tolerances import RequestNotes, Tolerance
from scimsvc.protocol.work_budget import WorkBudget


class PatchWork:
    """The notes on a request, and its budget. Each method that counts raises ``InvalidValue``."""

    def __init__(self, notes: RequestNotes) -> None:
        self.notes = notes
        #: Each text is folded once, however many conditions and removed values are compared with it.
        self.folded = FoldedTexts().__getitem__
        self._budget = notes.budget or WorkBudget(notes.limits)

    def tolerate(self, tolerance: Tolerance) -> None:
        """Note that ``tolerance`` was needed."""
        self.notes.tolerate(tolerance)

    def visit(self, elements: Sequence[Any], times: int = 1) -> None:
        """Count ``times`` visits of each of ``elements``."""
        self._budget.visit(len(elements) * times)

    def search(self, elements: Iterable[Any], names: Mapping[str, int]) -> None:
        """Count as many searches of the texts called ``names`` in ``elements`` as ``names`` says."""
        for name, times in names.items():
            self._budget.search(times * sum(_length(element, name) for element in elements))

    def copy(self, value: Any, times: int) -> None:
        """Count ``times`` copies of ``value``, unless it is only set once."""
        if times > 1:
            members = value.values() if isinstance(value, dict) else (value,)
            self._budget.copy(times * sum(len(member) for member in members if isinstance(member, str)))


def _length(element: Any, name: str) -> int:
    """Return the length of the text called ``name`` in ``element``, which may be the text itself."""
    value = element.get(name) if isinstance(element, dict) else element
    return len(value) if isinstance(value, str) else 0
