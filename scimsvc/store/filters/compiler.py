"""Compile filter nodes to SQL for SQLite and PostgreSQL (RFC 7644 §3.4.2.2).

Attributes with a column are compared by column, which may have an index. Other attributes are read from the ``search``
document with the JSON functions of the database. A row meets the condition exactly if ``protocol.filters.matching``
matches its SCIM representation. A comparison with an absent value is false instead of unknown, so ``not`` works too.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    String,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    union_all,
)

from scimsvc.clock import timestamp
from scimsvc.models import User
from scimsvc.protocol.attributes import EMAILS, PRIMARY, ROLES, Attribute, AttributePath, fold
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
from scimsvc.protocol.json_text import write_json
from scimsvc.protocol.role_elements import default_element
from scimsvc.protocol.versions import entity_tag
from scimsvc.store.filters.merging import matched_address, merge_alternatives, merge_exclusions
from scimsvc.store.filters.search_functions import SEARCH_FUNCTIONS, Expression
from scimsvc.store.representations import View

ENTERPRISE_ID = bindparam("enterprise_id", type_=User.enterprise_id.type)

Condition = ColumnElement[bool]
#: The members of an element by name.
Element = Mapping[str, Expression]


def compile_filter(node: Node, *, dialect: str, view: View) -> Condition:
    """Return the condition of ``node`` on rows of ``User``. ``dialect`` is sqlite or postgresql."""
    return _Compiler(dialect, view).compile(node)


def compile_sort_key(path: AttributePath, *, dialect: str, view: View) -> Expression:
    """Return the value of ``path`` to sort rows of ``User`` by (RFC 7644 §3.4.2.3), or null if the value is absent.

    For a multi-valued attribute, this is the value of the primary element or else of the first element.
    """
    return _Compiler(dialect, view).sort_key(path)


class _Compiler:
    """Compiles for one view of the enterprise, so that filters on roles see the same roles as responses."""

    def __init__(self, dialect: str, view: View) -> None:
        self.functions = SEARCH_FUNCTIONS[dialect]
        on_default = entity_tag(0, view.role_revision).partition("0")[2]
        self.columns: dict[str, Expression] = {
            "id": User.id.expression,
            "externalId": User.external_id.expression,
            "userName": User.user_name_key.expression,
            "active": User.active.expression,
            "meta.resourceType": literal("User"),
            "meta.created": User.created_at.expression,
            "meta.lastModified": User.modified_at.expression,
            "meta.location": literal(f"{view.base}/Users/") + User.id,
            "meta.version": literal('W/"') + cast(User.version, String)
            + case((User.role_id.is_(None), literal(on_default)), else_=literal('"')),
        }  # fmt: skip
        self.default_roles = write_json([default_element(fold(view.default_role))])

    def compile(self, node: Node, element: Element | None = None) -> Condition:
        """Return the condition of ``node`` on a row, or on one ``element`` of a multi-valued attribute."""
        if isinstance(node, And):
            return and_(*(self.compile(operand, element) for operand in merge_exclusions(node.operands)))
        if isinstance(node, Or):
            return or_(*(self.compile(operand, element) for operand in merge_alternatives(node.operands)))
        if isinstance(node, Not):
            return not_(self.compile(node.operand, element))
        if isinstance(node, ValuePath):
            return self._value_path(node)
        *parents, attribute = node.path.steps
        if element is None and isinstance(node, Comparison) and node.operator == "eq" and _is_address(node.path):
            return self._any_address(node)
        multi_valued = next((step for step in node.path.steps if step.multi_valued), None)
        if multi_valued is not None and element is None:
            return self._any_element(node, multi_valued, attribute if parents else None)
        if isinstance(node, Present):
            return self._value(node.path, element).is_not(None)
        return self._compare(node, self._value(node.path, element))

    def sort_key(self, path: AttributePath) -> Expression:
        """Return the value of ``path`` to sort rows by."""
        attribute, *below = path.steps
        if not attribute.multi_valued:
            return self._value(path, None)
        rows, element, position = self.functions.numbered_elements(self._elements_of(attribute))
        value = self.functions.member(element, (below[0].name,)) if below else self.functions.scalar(element)
        is_primary = self.functions.member(element, (PRIMARY.name,)) == self.functions.boolean(True)
        preferred = case((is_primary, 0), else_=1) if below else position
        return select(value).select_from(rows).order_by(preferred, position).limit(1).scalar_subquery()

    def _value_path(self, node: ValuePath) -> Condition:
        address = matched_address(node)
        if address is not None:
            return User.email_key == fold(address)
        return self._exists_with(node.path.attribute, node.condition)

    def _any_address(self, node: Comparison) -> Condition:
        """Return the condition that a user has the address: as work address, or as one of several addresses."""
        if not isinstance(node.value, str):
            return self._any_element(node, EMAILS, node.path.attribute)
        # Two searches, each with its index. With an OR of both conditions, the planner would read all users.
        users = select(User.id).where(User.enterprise_id == ENTERPRISE_ID).correlate(None)
        among_others = self._any_element(node, EMAILS, node.path.attribute)
        return User.id.in_(
            union_all(
                users.where(User.email_key == fold(node.value)),
                users.where(User.has_other_emails, among_others),
            )
        )

    def _any_element(self, node: Comparison | Present, attribute: Attribute, sub: Attribute | None) -> Condition:
        def value(element: Expression) -> Expression:
            return self.functions.scalar(element) if sub is None else self.functions.member(element, (sub.name,))

        def present(element: Expression) -> Condition:
            return true() if sub is None else value(element).is_not(None)

        if isinstance(node, Present):
            return self._exists(attribute, present)
        if node.value is None:
            exists = self._exists(attribute, present)
            return exists if node.operator == "ne" else not_(exists)
        if node.operator == "ne":
            differs = self._exists(attribute, lambda e: and_(present(e), self._compare(node, value(e))))
            return or_(not_(self._exists(attribute, present)), differs)
        return self._exists(attribute, lambda element: self._compare(node, value(element)))

    def _exists(self, attribute: Attribute, condition: Callable[[Expression], Condition]) -> Condition:
        rows, element, _ = self.functions.numbered_elements(self._elements_of(attribute))
        return select(literal(1)).select_from(rows).where(condition(element)).exists()

    def _exists_with(self, attribute: Attribute, condition: Node) -> Condition:
        """Return the condition that an element meets ``condition``, whose members are read once for each element."""
        rows, element, _ = self.functions.numbered_elements(self._elements_of(attribute))
        names = {each.path.attribute.name for each in conditions(condition)}
        members = [self.functions.member(element, (name,)).label(name) for name in sorted(names)]
        # Both databases read the members again for each condition if they can merge the subquery with its outer query.
        # OFFSET prevents that.
        read = select(*members).select_from(rows).correlate(User).offset(0).subquery()
        return select(literal(1)).select_from(read).where(self.compile(condition, dict(read.c))).exists()

    def _elements_of(self, attribute: Attribute) -> Expression:
        array = self.functions.array(User.search.expression, attribute.name)
        if attribute is ROLES:
            return case((User.role_id.is_(None), self.functions.constant(self.default_roles)), else_=array)
        return array

    def _value(self, path: AttributePath, element: Element | None) -> Expression:
        names = tuple(step.name for step in path.steps)
        if element is not None:
            return element[path.attribute.name]
        column = self.columns.get(".".join(names))
        if column is not None:
            return column
        if names == ("meta",):
            return literal("User")
        return self.functions.member(User.search.expression, names)

    def _compare(self, node: Comparison, value: Expression) -> Condition:
        attribute = node.path.attribute
        if node.value is None:
            return value.is_(None) if node.operator == "eq" else value.is_not(None)
        if isinstance(node.value, datetime):
            return _compare_instants(value, node.operator, node.value)
        if isinstance(node.value, bool):
            wanted = node.value if value is self.columns["active"] else self.functions.boolean(node.value)
            compared: Condition = value == wanted if node.operator == "eq" else value != wanted
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


def _is_address(path: AttributePath) -> bool:
    return path.steps[0] is EMAILS and path.attribute is EMAILS.value


def _compare_instants(value: Expression, operator: str, instant: datetime) -> Condition:
    """Compare a column of timestamps in milliseconds with an instant that may be more precise."""
    if instant.microsecond % 1000 == 0:
        return _ORDERED[operator](value, timestamp(instant))
    # No stored time is equal to an instant between two milliseconds. Compare with the millisecond before it.
    before = value <= timestamp(instant)
    return {"eq": false(), "ne": true(), "gt": not_(before), "ge": not_(before), "lt": before, "le": before}[operator]
