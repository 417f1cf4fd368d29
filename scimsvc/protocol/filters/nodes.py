"""The nodes of a parsed filter (RFC 7644 §3.4.2.2, Figure 1).

Nodes refer to attributes of the attribute table and contain values of the attribute's type. The two evaluators,
``matching`` for dicts and ``store.filters.compiler`` for SQL, see neither spellings nor tolerances.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from scimsvc.protocol.attributes import AttributePath

EQUALITY = ("eq", "ne")
ORDER = ("gt", "ge", "lt", "le")
SUBSTRING = ("co", "sw", "ew")
OPERATORS = EQUALITY + SUBSTRING + ORDER


@dataclass(frozen=True, slots=True)
class Comparison:
    """``path operator value``. The value None means ``null``, and times are ``datetime``."""

    path: AttributePath
    operator: str
    value: str | bool | int | float | datetime | None


@dataclass(frozen=True, slots=True)
class Present:
    """``path pr``: the attribute has a value."""

    path: AttributePath


@dataclass(frozen=True, slots=True)
class And:
    """All operands are true."""

    operands: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one operand is true."""

    operands: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The operand is false."""

    operand: "Node"


@dataclass(frozen=True, slots=True)
class ValuePath:
    """``path[condition]``: at least one element meets the whole condition, whose paths are relative to the element.

    ``path`` is multi-valued.
    """

    path: AttributePath
    condition: "Node"


Node = Comparison | Present | And | Or | Not | ValuePath


def conditions(node: Node) -> Iterator[Comparison | Present]:
    """Yield the single conditions of ``node``, each of which costs an evaluation."""
    if isinstance(node, And | Or):
        for operand in node.operands:
            yield from conditions(operand)
    elif isinstance(node, Not):
        yield from conditions(node.operand)
    elif isinstance(node, ValuePath):
        yield from conditions(node.condition)
    else:
        yield node


def implied_values(condition: Node) -> dict[str, str | bool] | None:
    """Return the sub-attributes that an element must have to meet ``condition``, or None if several sets are possible.

    ``type eq "work" and primary eq true`` implies both. With ``or``, ``not`` or any other operator, the result is None.
    """
    if isinstance(condition, And):
        implied: dict[str, str | bool] = {}
        for operand in condition.operands:
            below = implied_values(operand)
            if below is None:
                return None
            implied |= below
        return implied
    if isinstance(condition, Comparison) and condition.operator == "eq" and isinstance(condition.value, str | bool):
        return {condition.path.attribute.name: condition.value}
    return None


def comparable_path(path: AttributePath) -> AttributePath | None:
    """Return the path whose value is compared, or None if ``path`` has no value of its own (RFC 7644 §3.4.2.2).

    ``emails co "x"`` compares ``emails.value``.
    """
    if path.attribute.type != "complex":
        return path
    value = path.attribute.value
    return AttributePath((*path.steps, value)) if value else None
