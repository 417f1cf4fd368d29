"""The filter that Entra matches users by, recognised as a whole: it asks this of every user, each time anew.

What the general parser would make of it is made here without reading its words one by one; a property test holds the
two together.
"""

import re

from scimsvc.protocol.filters.parser import And, Comparison, Node, ValuePath, parse_filter
from scimsvc.protocol.limits import DEFAULTS, MAX_KEY_LENGTH, Limits

# Of the address what needs no JSON: neither escapes nor what has to be escaped, and no halves of surrogate pairs.
_MATCH = re.compile(rf'emails\[type eq "work"\]\.value eq "([^"\\\x00-\x1f\ud800-\udfff]{{0,{MAX_KEY_LENGTH}}})"')


def parse_match(text: str, limits: Limits = DEFAULTS) -> Node | None:
    """Return the node of ``emails[type eq "work"].value eq "…"``, or None where ``text`` is another filter."""
    found = _MATCH.fullmatch(text)
    if found is None or len(text) > limits.filter_length:
        return None
    return ValuePath(_EMAILS, And((_IS_WORK, Comparison(_VALUE, "eq", found[1]))))


def _shape() -> tuple[ValuePath, Comparison, Comparison]:
    whole = parse_filter('emails[type eq "work"].value eq ""')
    assert isinstance(whole, ValuePath)
    assert isinstance(whole.condition, And)
    is_work, has_value = whole.condition.operands
    assert isinstance(is_work, Comparison)
    assert isinstance(has_value, Comparison)
    return whole, is_work, has_value


_WHOLE, _IS_WORK, _HAS_VALUE = _shape()
_EMAILS, _VALUE = _WHOLE.path, _HAS_VALUE.path
