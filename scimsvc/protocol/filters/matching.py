"""Filters evaluated on plain dicts: for value paths in PATCH, and as the oracle in tests of the SQL compiler."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from scimsvc.protocol.attributes import Attribute, AttributePath, fold
from scimsvc.protocol.filters.nodes import And, Comparison, Node, Not, Or, ValuePath, parse_instant


def matches(node: Node, resource: Mapping[str, Any]) -> bool:
    """Return whether ``resource`` meets ``node``. For a condition in brackets, ``resource`` is an element."""
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
    if node.value is None:  # eq null matches absent values, ne null matches present ones
        return bool(values) is (node.operator == "ne")
    if node.operator == "ne":  # a resource without the attribute matches too
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
    """Return ``value`` in the form that comparisons use: folded, unless the attribute is case-exact."""
    return fold(value) if isinstance(value, str) and not attribute.case_exact else value


def _values(path: AttributePath, resource: Mapping[str, Any]) -> list[Any]:
    """Return every value at ``path``, without empty ones, which count as absent (RFC 7643 §2.5)."""
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
