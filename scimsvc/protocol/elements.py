"""Elements of multi-valued attributes: when two of them are the same one, and how they are merged (RFC 7643 §2.4)."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

from scimsvc.protocol.attributes import Attribute, Resource, fold
from scimsvc.protocol.errors import InvalidValue
from scimsvc.protocol.filters.matching import comparable
from scimsvc.protocol.patch_work import PatchWork

#: Folds a text. It may remember texts.
Fold = Callable[[str], str]


def element_key(attribute: Attribute, element: Resource, folded: Fold = fold) -> Hashable:
    """Return the key that elements of ``attribute`` have in common if only one of them is to be stored.

    It consists of value and type, compared by the case-exactness of each. The key is only the value for an attribute
    with a single element, and all members but ``primary`` for an element without a value.
    """
    value, type_ = element.get("value"), element.get("type")
    if value is None or attribute.value is None:
        return frozenset((name, member) for name, member in element.items() if name != "primary")
    key = value if attribute.value.case_exact else folded(value)
    return key if attribute.single_element else (key, type_ and folded(type_))


def merged_elements(attribute: Attribute, elements: Sequence[Resource], folded: Fold = fold) -> list[Resource]:
    """Return ``elements`` with those merged that have the same key. The members of later ones count."""
    merged: dict[Hashable, Resource] = {}
    for element in elements:
        key = element_key(attribute, element, folded)
        merged[key] = merged_element(merged[key], element) if key in merged else element
    return list(merged.values())


def merged_element(first: Resource, second: Resource) -> Resource:
    """Return ``first`` with the members of ``second``, or ``first`` itself if these change nothing.

    The result is primary if one of both is.
    """
    present: dict[str, Any] = {name: member for name, member in second.items() if member is not None}
    merged = first | present | ({"primary": True} if first.get("primary") is True else {})
    return first if merged == first else merged


def with_added(
    elements: list[Resource], attribute: Attribute, added: list[Resource], work: PatchWork
) -> list[Resource]:
    """Return ``elements`` with ``added``, of which those that are present already are merged with the present ones.

    Raises ``InvalidValue`` if that takes too much work.
    """
    present = dict.fromkeys(_positions_of(elements, attribute, added, work))
    if not present:
        return [*elements, *added]
    positions = {element_key(attribute, elements[each], work.folded): each for each in present}
    result = list(elements)
    for element in added:
        position = positions.get(element_key(attribute, element, work.folded))
        if position is None:
            result.append(element)
        else:
            result[position] = merged_element(result[position], element)
    return result


def _positions_of(
    elements: list[Resource], attribute: Attribute, added: list[Resource], work: PatchWork
) -> Iterable[int]:
    """Return the positions of the elements that may be the same as one of ``added``: all that have the same value."""
    if attribute.value is None:
        work.visit(elements, _KEY_VISITS)
        return range(len(elements))
    values = {comparable(attribute.value, each.get("value"), work.folded) for each in added}
    if attribute.value.case_exact:
        return [position for position, each in enumerate(elements) if each.get("value") in values]
    folded = work.folded
    return [position for position, each in enumerate(elements) if folded(each.get("value")) in values]


#: The key of an element without a value takes as long as this number of visits.
_KEY_VISITS = 5


def end_older_primary(attribute: Attribute, elements: list[Any], before: list[Any]) -> None:
    """Set primary to false on older elements if there is a new primary one (RFC 7644 §3.5.2)."""
    primary = [element for element in elements if is_primary(element)]
    old = set(map(id, before))
    new = [element for element in primary if id(element) not in old]
    if any(element != new[0] for element in new):
        raise InvalidValue(f"The attribute {attribute.name} has two primary elements. Send primary true only once.")
    if new:
        for element in primary:
            if element != new[0]:
                element["primary"] = False


def is_primary(element: Any) -> bool:
    """Return whether an element is marked as primary."""
    return isinstance(element, dict) and element.get("primary") is True
