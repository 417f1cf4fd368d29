"""The elements that a ``remove`` with a value selects: Entra's ``Remove`` of multi-valued attributes."""

from collections.abc import Callable, Mapping
from typing import Any

from scimsvc.protocol.attributes import Attribute
from scimsvc.protocol.filters.matching import comparable
from scimsvc.protocol.patch_work import PatchWork

_Element = Mapping[str, Any]
_Test = Callable[[_Element], bool]


def named_by(value: list[_Element], attribute: Attribute, elements: list[_Element], work: PatchWork) -> _Test:
    """Return a function that tests whether a ``remove`` with ``value`` selects one of ``elements``.

    Elements are compared by their ``value``, or without one by all members that were sent. Raises ``InvalidValue``
    if the comparison takes too much work.
    """
    if not attribute.sub_attributes:
        values = {comparable(attribute, each, work.folded) for each in value}
        return lambda element: comparable(attribute, element, work.folded) in values
    wanted: dict[tuple[str, ...], list[_Element]] = {}
    for element in value:
        names = ("value",) if "value" in element else tuple(sorted(element))
        wanted.setdefault(names, []).append(element)
    work.visit(elements, sum(map(len, wanted)))
    tests = [_test(attribute, names, sent, work) for names, sent in wanted.items()]
    return tests[0] if len(tests) == 1 else lambda element: any(test(element) for test in tests)


def _test(attribute: Attribute, names: tuple[str, ...], sent: list[_Element], work: PatchWork) -> _Test:
    """Return a function that tests whether an element has the same members called ``names`` as one of ``sent``."""
    subs = [sub for sub in attribute.sub_attributes if sub.name in names]
    if len(subs) == 1:
        (sub,) = subs
        values = {comparable(sub, each.get(sub.name), work.folded) for each in sent}
        return lambda element: comparable(sub, element.get(sub.name), work.folded) in values

    def members(element: _Element) -> tuple[Any, ...]:
        return tuple([comparable(sub, element.get(sub.name), work.folded) for sub in subs])

    several = set(map(members, sent))
    return lambda element: members(element) in several
