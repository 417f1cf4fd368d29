"""Filter nodes over plain dicts: value paths in PATCH, and the oracle that the SQL is held against."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from scimsvc.protocol.attributes import Attribute, AttributePath, fold
from scimsvc.protocol.filters.nodes import And, Comparison, Node, Not, Or, ValuePath, parse_instant


def matches(node: Node, resource: Mapping[str, Any]) -> bool:
    """Tell whether ``resource`` (or an element, for a condition in brackets) meets ``node``."""
    if isinstance(node, Comparison):
        return _compare(node, _values(node.path, resource))
    if isinstance(node, And):
        return all(matches(operand, resource) for operand in node.operands)
    if isinstance(node, Or):
        return any(matches(operand, resource) for operand in node.operands)
    if isinstance(node, Not):
        return not matches(node.operand, resource)
    if isinstance(node, ValuePath):
        return any(matches(node.condition, element) for element in _values(node.path, resource))
    return bool(_values(node.path, resource))


def _compare(node: Comparison, values: list[Any]) -> bool:
    if node.value is None:  # eq null finds the unassigned, ne null the assigned
        return bool(values) is (node.operator == "ne")
    if node.operator == "ne":  # also true of a resource that lacks the attribute
        return not values or any(not _holds("eq", node, value) for value in values)
    return any(_holds(node.operator, node, value) for value in values)


def _holds(operator: str, node: Comparison, value: Any) -> bool:
    attribute = node.path.attribute
    if isinstance(node.value, datetime):
        left: Any = parse_instant(value)
        right: Any = node.value
    else:
        left, right = comparable(attribute, value), comparable(attribute, node.value)
    return _OPERATORS[operator](left, right)


def comparable(attribute: Attribute, value: Any) -> Any:
    """Return ``value`` as it is compared: folded, unless the attribute tells cases apart."""
    return fold(value) if isinstance(value, str) and not attribute.case_exact else value


def _values(path: AttributePath, resource: Mapping[str, Any]) -> list[Any]:
    """Return every value at ``path``; an absent or empty one is none (RFC 7643 §2.5)."""
    values: list[Any] = [resource]
    for step in path.steps:
        below = (container.get(step.name) for container in values)
        values = []
        for value in below:
            if isinstance(value, list):
                values.extend(value)
            elif value not in (None, "", {}):
                values.append(value)
    return values


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda left, right: left == right,
    "co": lambda left, right: right in left,
    "sw": lambda left, right: left.startswith(right),
    "ew": lambda left, right: left.endswith(right),
    "gt": lambda left, right: left > right,
    "ge": lambda left, right: left >= right,
    "lt": lambda left, right: left < right,
    "le": lambda left, right: left <= right,
}
