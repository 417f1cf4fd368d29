"""Merge conditions on the elements of one attribute, so that the elements are read once instead of once each.

An element meets one of several conditions exactly if one element meets the first, or one meets the second, and so on:
``ims[a] or ims[b]`` is ``ims[a or b]``, and ``not (ims[a]) and not (ims[b])`` is ``not (ims[a or b])``.
"""

from collections.abc import Iterable, Sequence

from scimsvc.protocol.attributes import EMAILS, Attribute, AttributePath
from scimsvc.protocol.filters.nodes import Comparison, Node, Not, Or, ValuePath
from scimsvc.protocol.filters.work_address import matched_address


def merge_alternatives(operands: Iterable[Node]) -> list[Node]:
    """Return the ``operands`` of an ``or`` with one value path for each attribute."""
    merged: dict[Attribute, list[tuple[Node, ValuePath]]] = {}
    others: list[Node] = []
    for operand in operands:
        path = _value_path(operand)
        if path is None:
            others.append(operand)
        else:
            merged.setdefault(path.path.attribute, []).append((operand, path))
    return [*others, *map(_merged, merged.values())]


def merge_exclusions(operands: Iterable[Node]) -> list[Node]:
    """Return the ``operands`` of an ``and`` with one negated value path for each attribute."""
    excluded = [each.operand for each in operands if isinstance(each, Not)]
    others = [each for each in operands if not isinstance(each, Not)]
    return [*others, *map(Not, merge_alternatives(excluded))]


def _value_path(node: Node) -> ValuePath | None:
    """Return ``node`` as a value path, or None if it is not one or if an index finds its users."""
    if isinstance(node, ValuePath):
        return node if matched_address(node) is None else None
    if not isinstance(node, Comparison) or node.operator == "ne" or node.value is None:
        return None
    outer, *below = node.path.steps
    if not outer.multi_valued or len(below) != 1 or (outer is EMAILS and node.operator == "eq"):
        return None
    return ValuePath(AttributePath((outer,)), Comparison(AttributePath((below[0],)), node.operator, node.value))


def _merged(members: Sequence[tuple[Node, ValuePath]]) -> Node:
    if len(members) == 1:
        return members[0][0]
    return ValuePath(members[0][1].path, Or(tuple(path.condition for _, path in members)))
