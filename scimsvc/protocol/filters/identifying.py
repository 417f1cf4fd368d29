"""Recognize filters by which a provider finds one user."""

from collections.abc import Sequence

from scimsvc.protocol.filters.nodes import And, Comparison, Node, ValuePath

_IDENTIFYING = frozenset({"id", "userName", "externalId", "emails.value"})


def identifies_user(node: Node) -> bool:
    """Return whether the filter requires one value of an attribute that identifies users.

    Further conditions may follow with ``and``, such as the one about the manager in a reference check of Entra.
    """
    return any(_is_identifying(each) for each in _operands(node))


def _is_identifying(node: Node) -> bool:
    if isinstance(node, ValuePath):
        return str(node.path) == "emails" and any(_is_equality(each, {"value"}) for each in _operands(node.condition))
    return _is_equality(node, _IDENTIFYING)


def _is_equality(node: Node, paths: frozenset[str] | set[str]) -> bool:
    return isinstance(node, Comparison) and node.operator == "eq" and str(node.path) in paths


def _operands(node: Node) -> Sequence[Node]:
    return node.operands if isinstance(node, And) else (node,)
