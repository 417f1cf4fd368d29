"""The work of the operations of one request: it is counted, and bounded by the limits.

A small body can describe much work. A condition is evaluated for every element, and a value that is set in every
element is copied as often. Within the limits, the operations of a request take at most a few tenths of a second.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from scimsvc.protocol.errors import InvalidValue
from scimsvc.protocol.filters.matching import FoldedTexts
from scimsvc.protocol.reading.tolerances import RequestNotes, Tolerance

#: Searched characters for each byte that a user may have.
_SEARCHES = 128
#: Characters that are set in several elements, for each byte that a user may have.
_COPIES = 4


class PatchWork:
    """The notes on a request whose operations are applied, and the work that they may still take."""

    def __init__(self, notes: RequestNotes) -> None:
        self.notes = notes
        #: Each text is folded once, however many conditions and removed values are compared with it.
        self.folded = FoldedTexts().__getitem__
        limits = notes.limits
        self._visits = limits.elements * (limits.patch_conditions + limits.patch_operations)
        self._searches = limits.document * _SEARCHES
        self._copies = limits.document * _COPIES

    def tolerate(self, tolerance: Tolerance) -> None:
        """Note that ``tolerance`` was needed."""
        self.notes.tolerate(tolerance)

    def visit(self, elements: Sequence[Any], times: int = 1) -> None:
        """Count ``times`` visits of each of ``elements``. Raises ``InvalidValue`` if they are too many."""
        self._visits -= len(elements) * times
        if self._visits < 0:
            raise _too_much("visit too many elements of multi-valued attributes")

    def search(self, elements: Iterable[Any], names: Mapping[str, int]) -> None:
        """Count as many searches of the texts called ``names`` in ``elements`` as ``names`` says.

        Raises ``InvalidValue`` if they are too long.
        """
        for name, times in names.items():
            self._searches -= times * sum(len(element.get(name) or "") for element in elements)
        if self._searches < 0:
            raise _too_much("search too much text with co")

    def copy(self, value: Any, times: int) -> None:
        """Count ``times`` copies of ``value``. Raises ``InvalidValue`` if they are too long."""
        if times > 1:
            members = value.values() if isinstance(value, dict) else (value,)
            self._copies -= times * sum(len(member) for member in members if isinstance(member, str))
            if self._copies < 0:
                raise _too_much("set too much text in several elements")


def _too_much(what: str) -> InvalidValue:
    return InvalidValue(f"The operations of this request {what}. Send fewer operations, or operations on one element.")
