"""Compile filters and sort keys on groups to SQL."""

from sqlalchemy import bindparam, literal

from scimsvc.models import Group
from scimsvc.protocol.attributes import AttributePath
from scimsvc.protocol.filters.nodes import Comparison, Node, Present, ValuePath
from scimsvc.protocol.groups import GROUPS, MEMBERS
from scimsvc.store.filters.compiler import Condition, FilterCompiler, Steps, tag_beginning
from scimsvc.store.filters.membership_rows import ElementRows, groups_with, member_rows
from scimsvc.store.filters.search_functions import Expression

ENTERPRISE_ID = bindparam("enterprise_id", type_=Group.enterprise_id.type)


def compile_group_filter(node: Node, *, dialect: str, base: str) -> Condition:
    """Return the condition of ``node`` on rows of ``Group``. ``dialect`` is sqlite or postgresql."""
    return _GroupCompiler(dialect, base).compile(node)


def compile_group_sort_key(path: AttributePath, *, dialect: str, base: str) -> Expression:
    """Return the value of ``path`` to sort rows of ``Group`` by, or null if the value is absent."""
    return _GroupCompiler(dialect, base).sort_key(path)


class _GroupCompiler(FilterCompiler):
    """Compiles with the members as rows of their own. ``base`` is the Tenant URL."""

    def __init__(self, dialect: str, base: str) -> None:
        columns: dict[str, Expression] = {
            "id": Group.id.expression,
            "externalId": Group.external_id.expression,
            "displayName": Group.name_key.expression,
            "meta": literal(GROUPS.name),
            "meta.resourceType": literal(GROUPS.name),
            "meta.created": Group.created_at.expression,
            "meta.lastModified": Group.modified_at.expression,
            "meta.location": literal(f"{base}{GROUPS.endpoint}/") + Group.id,
            "meta.version": tag_beginning(Group) + literal('"'),
        }
        super().__init__(dialect, Group, columns)
        self._base = base

    def find_by_index(self, node: Node) -> Condition | None:
        """Return the condition of ``node`` if it is about one member, or about any member."""
        if isinstance(node, ValuePath):
            condition = node.condition
            is_value = isinstance(condition, Comparison) and condition.path.attribute is MEMBERS.value
            return _has_member(condition) if is_value and isinstance(condition, Comparison) else None
        if isinstance(node, Present) and node.path.attribute in (MEMBERS, MEMBERS.value):
            return Group.members > 0
        return _has_member(node) if isinstance(node, Comparison) and _is_member(node.path) else None

    def rows_of(self, steps: Steps) -> ElementRows:
        """Return the elements of an attribute as rows."""
        return member_rows(self.functions, self._base) if steps[-1] is MEMBERS else super().rows_of(steps)


def _has_member(node: Comparison) -> Condition | None:
    if node.operator != "eq" or not isinstance(node.value, str):
        return None
    return groups_with(node.value, ENTERPRISE_ID)


def _is_member(path: AttributePath) -> bool:
    return path.steps[0] is MEMBERS and path.attribute is MEMBERS.value
