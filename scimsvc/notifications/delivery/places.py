"""Decide which webhook may begin a turn, so that slow receivers delay only themselves."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

#: Turns at the same time.
PLACES = 16
#: Turns of slow receivers at the same time, and turns of one enterprise.
PLACES_OF_SLOW = 12
PLACES_OF_ENTERPRISE = 8
#: Turns at the same time if receivers only turn out to be slow after they have begun.
MOST_PLACES = 32


class Claim(NamedTuple):
    """A place that a webhook has or waits for."""

    enterprise_id: str
    is_slow: bool


def may_begin(claim: Claim, taken: Iterable[Claim]) -> bool:
    """Return whether a turn with the ``claim`` may begin beside those with the ``taken`` places.

    Slow turns beyond their share take no place from the others. They began when their receivers were not known to be
    slow.
    """
    slow, by_enterprise = 0, Counter[str]()
    for each in taken:
        slow += each.is_slow
        by_enterprise[each.enterprise_id] += 1
    total = by_enterprise.total()
    if total >= MOST_PLACES or by_enterprise[claim.enterprise_id] >= PLACES_OF_ENTERPRISE:
        return False
    if claim.is_slow:
        return slow < PLACES_OF_SLOW and total < PLACES
    return total - slow + min(slow, PLACES_OF_SLOW) < PLACES
