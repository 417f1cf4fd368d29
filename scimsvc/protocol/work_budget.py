"""The work that a request may still take. A Bulk request has one budget for all of its operations.

A small body can describe much work. A condition is evaluated for every element, a value that is set in every element is
copied as often, and each operation of a Bulk request reads a user. The budgets are far more than honest requests need.
Within them, the operations of a PATCH take at most a few tenths of a second.
"""

from scimsvc.protocol.errors import InvalidValue
from scimsvc.protocol.limits import Limits

#: Searched characters, characters that are set in several elements, and characters of the users that a Bulk request
#: reads, for each byte that a user may have.
_SEARCHES, _COPIES, _READS = 128, 4, 256


class TooMuchWork(InvalidValue):
    """The rest of a budget is too small for a request."""


class WorkBudget:
    """Counts work of several kinds. Each method raises ``TooMuchWork`` if the rest of the budget is too small."""

    def __init__(self, limits: Limits) -> None:
        self._visits = limits.elements * (limits.patch_conditions + limits.patch_operations)
        self._searches = limits.document * _SEARCHES
        self._copies = limits.document * _COPIES
        self._reads = limits.document * _READS

    def visit(self, elements: int) -> None:
        """Count visits of ``elements``."""
        self._visits -= elements
        if self._visits < 0:
            raise _too_much("visit too many elements of multi-valued attributes")

    def search(self, characters: int) -> None:
        """Count searches of ``characters``."""
        self._searches -= characters
        if self._searches < 0:
            raise _too_much("search too much text with co")

    def copy(self, characters: int) -> None:
        """Count copies of ``characters``."""
        self._copies -= characters
        if self._copies < 0:
            raise _too_much("set too much text in several elements")

    def read(self, document: str) -> None:
        """Count a user with ``document`` whom an operation of a Bulk request reads."""
        self._reads -= len(document)
        if self._reads < 0:
            raise _too_much("change too many large users")


def _too_much(what: str) -> TooMuchWork:
    return TooMuchWork(f"The operations of this request {what}. Send fewer operations in one request.")
