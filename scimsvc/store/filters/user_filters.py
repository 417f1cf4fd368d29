"""Compile filters and sort keys on users to SQL."""

from sqlalchemy import and_, bindparam, case, literal, select, union_all

from scimsvc.models import User
from scimsvc.protocol.attributes import EMAILS, ROLES, AttributePath, fold
from scimsvc.protocol.filters.nodes import Comparison, Node, ValuePath
from scimsvc.protocol.filters.work_address import matched_address
from scimsvc.protocol.json_text import write_json
from scimsvc.protocol.role_elements import default_element
from scimsvc.protocol.users import USERS
from scimsvc.store.filters.compiler import Condition, FilterCompiler, Steps, tag_beginning
from scimsvc.store.filters.membership_rows import ElementRows, group_rows, users_in
from scimsvc.store.filters.search_functions import Expression
from scimsvc.store.representations import View
from scimsvc.store.users import ON_DEFAULT

USER_GROUPS = USERS.by_name["groups"]
ENTERPRISE_ID = bindparam("enterprise_id", type_=User.enterprise_id.type)


def compile_filter(node: Node, *, dialect: str, view: View) -> Condition:
    """Return the condition of ``node`` on rows of ``User``. ``dialect`` is sqlite or postgresql."""
    return _UserCompiler(dialect, view).compile(node)


def compile_sort_key(path: AttributePath, *, dialect: str, view: View) -> Expression:
    """Return the value of ``path`` to sort rows of ``User`` by (RFC 7644 §3.4.2.3), or null if the value is absent.

    For a multi-valued attribute, this is the value of the primary element or else of the first element.
    """
    return _UserCompiler(dialect, view).sort_key(path)


class _UserCompiler(FilterCompiler):
    """Compiles for one view of the enterprise, so that filters on roles see the same roles as responses."""

    def __init__(self, dialect: str, view: View) -> None:
        columns: dict[str, Expression] = {
            "id": User.id.expression,
            "externalId": User.external_id.expression,
            "userName": User.user_name_key.expression,
            "active": User.active.expression,
            "meta": literal(USERS.name),
            "meta.resourceType": literal(USERS.name),
            "meta.created": User.created_at.expression,
            "meta.lastModified": User.modified_at.expression,
            "meta.location": literal(f"{view.base}{USERS.endpoint}/") + User.id,
            "meta.version": tag_beginning(User)
            + case((ON_DEFAULT, literal(f'-{view.role_revision}"')), else_=literal('"')),
        }  # fmt: skip
        super().__init__(dialect, User, columns)
        self._base = view.base
        self.default_roles = _folded_roles(view.default_role)
        self.group_roles = [(role_id, _folded_roles(name)) for role_id, name in view.group_roles]

    def find_by_index(self, node: Node) -> Condition | None:
        """Return the condition of ``node`` if it is about addresses or a group, which have an index."""
        group_id = _group_in(node)
        if group_id is not None:
            return users_in(group_id, ENTERPRISE_ID)
        if isinstance(node, ValuePath):
            address = matched_address(node)
            return User.email_key == fold(address) if address is not None else None
        if isinstance(node, Comparison) and node.operator == "eq" and _is_address(node.path):
            return self._any_address(node)
        return None

    def rows_of(self, steps: Steps) -> ElementRows:
        """Return the elements of an attribute as rows. Groups are not a part of the document."""
        return group_rows(self.functions, self._base) if steps[-1] is USER_GROUPS else super().rows_of(steps)

    def elements_of(self, steps: Steps) -> Expression:
        """Return the JSON array with the elements of an attribute.

        The default role and a role from groups are elements of ``roles``.
        """
        array = super().elements_of(steps)
        if steps[-1] is not ROLES:
            return array
        constant = self.functions.constant
        from_groups = (
            (and_(User.role_id.is_(None), User.group_role_id == role_id), constant(roles))
            for role_id, roles in self.group_roles
        )
        return case(*from_groups, (User.role_id.is_(None), constant(self.default_roles)), else_=array)

    def _any_address(self, node: Comparison) -> Condition:
        """Return the condition that a user has the address: as work address, or as one of several addresses."""
        if not isinstance(node.value, str):
            return self.any_element(node, (EMAILS,), node.path.attribute)
        # Two searches, each with its index. With an OR of both conditions, the planner would read all users.
        users = select(User.id).where(User.enterprise_id == ENTERPRISE_ID).correlate(None)
        among_others = self.any_element(node, (EMAILS,), node.path.attribute)
        return User.id.in_(
            union_all(
                users.where(User.email_key == fold(node.value)),
                users.where(User.has_other_emails, among_others),
            )
        )


def _folded_roles(name: str) -> str:
    return write_json([default_element(fold(name))])


def _group_in(node: Node) -> str | None:
    """Return the ID of the only group to which ``node`` limits users, as in ``groups.value eq "…"``, or None."""
    condition = node.condition if isinstance(node, ValuePath) and node.path.attribute is USER_GROUPS else node
    if not isinstance(condition, Comparison) or condition.path.attribute is not USER_GROUPS.value:
        return None
    return condition.value if condition.operator == "eq" and isinstance(condition.value, str) else None


def _is_address(path: AttributePath) -> bool:
    return path.steps[0] is EMAILS and path.attribute is EMAILS.value
