"""Filters evaluated on plain dicts: for value paths in PATCH, and as the oracle in tests of the SQL compiler."""

import operator
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from scimsvc.protocol.addresses import work_elements
from scimsvc.protocol.attributes import EMAILS, Attribute, AttributePath, fold
from scimsvc.protocol.filters.nodes import And, Comparison, Node, Not, Or, ValuePath
from scimsvc.protocol.filters.work_address import matched_address
from scimsvc.protocol.scalars import parse_instant

#: Tests whether a resource meets a filter. For a condition in brackets, the resource is an element.
Test = Callable[[Mapping[str, Any]], bool]
#: Folds a value that may be text.
Fold = Callable[[Any], Any]


def fold_text(value: Any) -> Any:
    """Return ``value``, folded if it is text."""
    return fold(value) if isinstance(value, str) else value


class FoldedTexts(dict[Any, Any]):
    """Folded texts by text. Many conditions on the same elements fold each text only once."""

    def __missing__(self, value: Any) -> Any:
        """Fold ``value`` and remember the result."""
        folded = self[value] = fold_text(value)
        return folded


def matches(node: Node, resource: Mapping[str, Any]) -> bool:
    """Return whether ``resource`` meets ``node``. For a condition in brackets, ``resource`` is an element."""
    return make_test(node)(resource)


def make_test(node: Node, folded: Fold = fold_text) -> Test:
    """Return the test of ``node``. It folds texts with ``folded``, which may remember them for other tests."""
    if isinstance(node, Comparison):
        return _comparison(node, folded)
    if isinstance(node, And | Or):
        return _joined([make_test(operand, folded) for operand in node.operands], until=isinstance(node, Or))
    if isinstance(node, Not):
        operand = make_test(node.operand, folded)
        return lambda resource: not operand(resource)
    values = _reader(node.path)
    if isinstance(node, ValuePath):
        address = matched_address(node)
        if address is not None:
            return _identified_by(fold(address))
        condition = make_test(node.condition, folded)
        if node.path.attribute.sub_attributes:
            return lambda resource: any(map(condition, values(resource)))
        return lambda resource: any(condition({"value": value}) for value in values(resource))
    return lambda resource: bool(values(resource))


def _identified_by(key: str) -> Test:
    """Return the test whether the work address of a user folds to ``key``."""
    return lambda user: any(fold(each.get("value", "")) == key for each in work_elements(user.get(EMAILS.name, [])))


def _joined(tests: list[Test], *, until: bool) -> Test:
    """Return the test that runs ``tests`` until one of them returns ``until``."""

    def test(resource: Mapping[str, Any]) -> bool:
        for each in tests:
            if each(resource) is until:
                return until
        return not until

    return test


def _comparison(node: Comparison, folded: Fold) -> Test:
    if len(node.path.steps) == 1 and isinstance(node.value, str) and not node.path.attribute.multi_valued:
        return _text_comparison(node, node.value, folded)
    values = _reader(node.path)
    if node.value is None:  # eq null matches absent values, ne null matches present ones
        wanted = node.operator == "ne"
        return lambda resource: bool(values(resource)) is wanted
    holds = _value_test("eq" if node.operator == "ne" else node.operator, node, folded)
    if node.operator != "ne":
        return lambda resource: any(map(holds, values(resource)))

    def differs(resource: Mapping[str, Any]) -> bool:
        present = values(resource)  # a resource without the attribute matches too
        return not present or not all(map(holds, present))

    return differs


def _text_comparison(node: Comparison, text: str, folded: Fold) -> Test:
    """Return the test of one text, the usual condition on an element. It takes a third of the general test's time."""
    name, holds = node.path.attribute.name, _OPERATORS["eq" if node.operator == "ne" else node.operator]
    wanted, differs = comparable(node.path.attribute, text), node.operator == "ne"
    if node.path.attribute.case_exact:
        folded = _unchanged

    def test(resource: Mapping[str, Any]) -> bool:
        value = resource.get(name)
        return holds(folded(value), wanted) is not differs if value else differs

    return test


def _unchanged(value: Any) -> Any:
    return value


def _value_test(name: str, node: Comparison, folded: Fold) -> Callable[[Any], bool]:
    """Return the test whether one value meets the operator ``name`` and the value of ``node``."""
    holds = _OPERATORS[name]
    if isinstance(node.value, datetime):
        return lambda value: holds(parse_instant(value), node.value)
    wanted = comparable(node.path.attribute, node.value)
    if node.path.attribute.case_exact:
        return lambda value: holds(value, wanted)
    return lambda value: holds(folded(value), wanted)


def comparable(attribute: Attribute, value: Any, folded: Fold = fold_text) -> Any:
    """Return ``value`` in the form that comparisons use: folded, unless the attribute is case-exact.

    Times are compared as instants.
    """
    if attribute.type == "dateTime":
        return (parse_instant(value) if isinstance(value, str) else None) or value
    return value if attribute.case_exact else folded(value)


def _reader(path: AttributePath) -> Callable[[Mapping[str, Any]], list[Any]]:
    """Return a function that returns every value at ``path``, without empty ones (RFC 7643 §2.5: they are absent)."""
    if len(path.steps) == 1:
        (name,) = (step.name for step in path.steps)
        return lambda resource: _present(resource.get(name))
    return lambda resource: _values(path, resource)


def _present(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return [] if value in (None, "", {}) else [value]


def _values(path: AttributePath, resource: Mapping[str, Any]) -> list[Any]:
    values: list[Any] = [resource]
    for step in path.steps:
        values = [below for container in values for below in _present(container.get(step.name))]
    return values


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "co": operator.contains,
    "sw": str.startswith,
    "ew": str.endswith,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
