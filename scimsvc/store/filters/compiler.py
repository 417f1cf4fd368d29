"""Compile filter nodes to SQL for SQLite and PostgreSQL (RFC 7644 §3.4.2.2).

Attributes with a column are compared by column, which may have an index. Other attributes are read from the ``search``
document with the JSON functions of the database. ``user_filters`` compiles for users. A row meets the
condition exactly if ``protocol.filters.matching`` matches its SCIM representation. A comparison with an absent value is
false instead of unknown, so ``not`` works too.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    String,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
)

from scimsvc.clock import timestamp
from scimsvc.protocol.attributes import META, PRIMARY, Attribute, AttributePath
from scimsvc.protocol.filters.matching import comparable
from scimsvc.protocol.filters.nodes import (
    And,
    Comparison,
    Node,
    Not,
    Or,
    Present,
    ValuePath,
    conditions,
)
from scimsvc.protocol.scalars import NUMBERS, sortable_instant
from scimsvc.protocol.versions import MARK
from scimsvc.store.filters.merging import merge_alternatives, merge_exclusions
from scimsvc.store.filters.search_functions import SEARCH_FUNCTIONS, Expression

Condition = ColumnElement[bool]
#: The members of an element by name.
Element = Mapping[str, Expression]
#: The steps to an attribute.
Steps = Sequence[Attribute]


def tag_beginning(table: Any) -> Expression:
    """Return the beginning of the ETags of the rows of ``table``, as ``protocol.versions.entity_tag`` writes it."""
    time = func.substr(table.modified_at, MARK.start + 1, MARK.stop - MARK.start)
    return literal('W/"') + cast(table.version, String) + literal("-") + time


class FilterCompiler:
    """Compiles for the rows of one table, whose ``search`` column contains the resource with folded texts.

    Attributes in ``columns`` (by path, such as ``meta.created``) are compared by column, which may have an index. A
    subclass for a table adds what else its rows need.
    """

    def __init__(self, dialect: str, table: Any, columns: Mapping[str, Expression]) -> None:
        self.functions = SEARCH_FUNCTIONS[dialect]
        self.table = table
        self.search: Expression = table.search.expression
        self.columns = columns

    def compile(self, node: Node, element: Element | None = None) -> Condition:
        """Return the condition of ``node`` on a row, or on one ``element`` of a multi-valued attribute."""
        if isinstance(node, And):
            return and_(*(self.compile(operand, element) for operand in merge_exclusions(node.operands)))
        if isinstance(node, Or):
            return or_(*(self.compile(operand, element) for operand in merge_alternatives(node.operands)))
        if isinstance(node, Not):
            return not_(self.compile(node.operand, element))
        indexed = self.find_by_index(node) if element is None else None
        if indexed is not None:
            return indexed
        if isinstance(node, ValuePath):
            return self._exists_with(node.path.steps, node.condition)
        if element is None:
            outer, below = _split(node.path)
            if outer:
                return self.any_element(node, outer, below[-1] if below else None)
        if isinstance(node, Present):
            return self._value(node.path, element).is_not(None)
        return self._compare(node, self._value(node.path, element))

    def sort_key(self, path: AttributePath) -> Expression:
        """Return the value of ``path`` to sort rows by."""
        outer, below = _split(path)
        if not outer:
            return self._value(path, None)
        rows, element, position = self.rows_of(outer)
        value = self._of_element(element, outer[-1], below[0] if below else None)
        is_primary = self.functions.member(element, (PRIMARY.name,)) == self.functions.boolean(True)
        preferred = case((is_primary, 0), else_=1) if below else position
        return select(value).select_from(rows).order_by(preferred, position).limit(1).scalar_subquery()

    def find_by_index(self, node: Node) -> Condition | None:
        """Return the condition of ``node`` on rows that an index finds, or None if the general condition is as fast."""
        return None

    def elements_of(self, steps: Steps) -> Expression:
        """Return the JSON array with the elements of the multi-valued attribute to which ``steps`` lead."""
        return self.functions.array(self.search, *(step.name for step in steps))

    def rows_of(self, steps: Steps) -> tuple[Any, Expression, Expression]:
        """Return a FROM clause with a row for each element of the attribute, the element, and its position."""
        return self.functions.numbered_elements(self.elements_of(steps))

    def any_element(self, node: Comparison | Present, steps: Steps, sub: Attribute | None) -> Condition:
        """Return the condition that an element of a multi-valued attribute, or its part ``sub``, meets ``node``."""

        def value(element: Expression) -> Expression:
            return self._of_element(element, steps[-1], sub)

        def present(element: Expression) -> Condition:
            return true() if sub is None else value(element).is_not(None)

        if isinstance(node, Present):
            return self._exists(steps, present)
        if node.value is None:
            exists = self._exists(steps, present)
            return exists if node.operator == "ne" else not_(exists)
        if node.operator == "ne":
            differs = self._exists(steps, lambda e: and_(present(e), self._compare(node, value(e))))
            return or_(not_(self._exists(steps, present)), differs)
        return self._exists(steps, lambda element: self._compare(node, value(element)))

    def _exists(self, steps: Steps, condition: Callable[[Expression], Condition]) -> Condition:
        rows, element, _ = self.rows_of(steps)
        return select(literal(1)).select_from(rows).where(condition(element)).exists()

    def _exists_with(self, steps: Steps, condition: Node) -> Condition:
        """Return the condition that an element meets ``condition``, whose members are read once for each element."""
        rows, element, _ = self.rows_of(steps)
        subs = {each.path.attribute.name: each.path.attribute for each in conditions(condition)}
        is_bare = not steps[-1].sub_attributes
        members = [
            self._of_element(element, subs[name], None if is_bare else subs[name]).label(name) for name in sorted(subs)
        ]
        # Both databases read the members again for each condition if they can merge the subquery with its outer query.
        # OFFSET prevents that.
        read = select(*members).select_from(rows).correlate(self.table).offset(0).subquery()
        return select(literal(1)).select_from(read).where(self.compile(condition, dict(read.c))).exists()

    def _value(self, path: AttributePath, element: Element | None) -> Expression:
        names = tuple(step.name for step in path.steps)
        if element is not None:
            return element[path.attribute.name]
        column = self.columns.get(".".join(names))
        if column is not None:
            return column
        read = self.functions.number if path.attribute.type in NUMBERS else self.functions.member
        return read(self.search, names)

    def _of_element(self, element: Expression, attribute: Attribute, sub: Attribute | None) -> Expression:
        """Return an element of ``attribute``, or its part ``sub``."""
        if sub is not None:
            return self.functions.member(element, (sub.name,))
        return (self.functions.scalar_number if attribute.type in NUMBERS else self.functions.scalar)(element)

    def _compare(self, node: Comparison, value: Expression) -> Condition:
        attribute = node.path.attribute
        compared: Condition
        if node.value is None:
            return value.is_(None) if node.operator == "eq" else value.is_not(None)
        if isinstance(node.value, datetime) and node.path.steps[0] is META:
            return _compare_instants(value, node.operator, node.value)
        if isinstance(node.value, datetime):
            compared = _ORDERED[node.operator](value, sortable_instant(node.value))
        elif attribute.type in NUMBERS and isinstance(node.value, int | float):
            compared = _ORDERED[node.operator](value, self.functions.number_literal(node.value))
        elif isinstance(node.value, bool):
            wanted = node.value if isinstance(value.type, Boolean) else self.functions.boolean(node.value)
            compared = value == wanted if node.operator == "eq" else value != wanted
        else:
            compared = self._compare_text(value, node.operator, comparable(attribute, node.value))
        if node.operator == "ne":
            return or_(value.is_(None), compared)
        return and_(value.is_not(None), compared)

    def _compare_text(self, value: Expression, operator: str, text: str) -> Condition:
        # Compare substrings instead of using LIKE, because LIKE treats % and _ as wildcards.
        if operator in ("co", "sw", "ew") and not text:
            return true()
        if operator == "co":
            return self.functions.position(value, text) > 0
        if operator == "sw":
            starts: Condition = func.substr(value, 1, len(text)) == text
            # Values with the same beginning are next to each other in an index.
            return and_(value >= text, value < _successor(text), starts) if isinstance(value, Column) else starts
        if operator == "ew":
            return self.functions.right(value, len(text)) == text
        return _ORDERED[operator](value, text)


_ORDERED: dict[str, Callable[[Expression, Any], Condition]] = {
    "eq": lambda value, other: value == other,
    "ne": lambda value, other: value != other,
    "gt": lambda value, other: value > other,
    "ge": lambda value, other: value >= other,
    "lt": lambda value, other: value < other,
    "le": lambda value, other: value <= other,
}


def _split(path: AttributePath) -> tuple[Steps, Steps]:
    """Return the steps to the multi-valued attribute in ``path``, none without one, and the steps after it."""
    position = next((number for number, step in enumerate(path.steps, 1) if step.multi_valued), 0)
    return path.steps[:position], path.steps[position:]


def _successor(text: str) -> str:
    """Return the smallest text, by code points, that is greater than all texts that begin with ``text``."""
    head = text.rstrip(_LAST_CHARACTER)
    if not head:
        return _LAST_CHARACTER * (len(text) + 1)
    following = ord(head[-1]) + 1
    return head[:-1] + chr(_AFTER_SURROGATES if following == _FIRST_SURROGATE else following)


_LAST_CHARACTER = "\U0010ffff"
_FIRST_SURROGATE = 0xD800
_AFTER_SURROGATES = 0xE000


def _compare_instants(value: Expression, operator: str, instant: datetime) -> Condition:
    """Compare a column of timestamps in milliseconds with an instant that may be more precise."""
    if instant.microsecond % 1000 == 0:
        return _ORDERED[operator](value, timestamp(instant))
    # No stored time is equal to an instant between two milliseconds. Compare with the millisecond before it.
    before = value <= timestamp(instant)
    return {"eq": false(), "ne": true(), "gt": not_(before), "ge": not_(before), "lt": before, "le": before}[operator]
