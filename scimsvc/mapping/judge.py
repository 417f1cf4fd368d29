"""The role of a user after SCIM creates, replaces or patches the user.

Each write judges the role once, after its last operation and in its own transaction.
"""

from collections.abc import Sequence
from typing import NamedTuple

from scimsvc.mapping.resolve import ON_DEFAULT, Role, RoleDecision, chosen_element, is_undecided, resolve_role
from scimsvc.mapping.roles import find_role, read_enterprise_roles
from scimsvc.protocol.attributes import ROLES
from scimsvc.protocol.role_elements import Element, default_element
from scimsvc.store.engine.transactions import Connection
from scimsvc.store.representations import read_document
from scimsvc.store.users import EnterpriseRules, UserToChange
from scimsvc.vocabulary import HIGHEST


class RoleAfter(NamedTuple):
    """The role of a user after a write. The ID is None for the default role and for a role from groups."""

    name: str
    id: str | None
    restrict_editing: bool


def judge_new_user(connection: Connection, rules: EnterpriseRules, elements: Sequence[Element]) -> RoleDecision:
    """Return the role of a new user with the ``elements`` of ``roles``.

    Raises ``InvalidValue`` if the value does not name a role, or if the elements give several roles.
    """
    return _resolve(connection, rules, elements)


def judge_changed_user(
    connection: Connection, rules: EnterpriseRules, row: UserToChange, elements: Sequence[Element]
) -> RoleDecision:
    """Return the role of the user ``row`` after a PUT or PATCH that results in the ``elements`` of ``roles``.

    A client may send back the element that a response showed. The element of the default role keeps the user on the
    default role, and that of a role from groups keeps this role. The element of a role that was renamed in between
    keeps that role.

    Raises ``InvalidValue`` if the value does not name a role, or if the elements give several roles.
    """
    shown = row.group_role or rules.default_role
    if not elements or (row.role_id is None and elements == [default_element(shown)]):
        return ON_DEFAULT
    return _resolve(connection, rules, elements, row)


def sent_value(elements: Sequence[Element]) -> str | None:
    """Return the role value in ``elements`` for the log of an unknown role: the primary one, or else the first."""
    named = [element for element in elements if element.get("value")]
    primary = (element["value"] for element in named if element.get("primary") is True)
    return next(primary, named[0]["value"] if named else None)


def role_after(rules: EnterpriseRules, row: UserToChange, decision: RoleDecision | None) -> RoleAfter:
    """Return the role that ``decision`` gives the user ``row``. The decision None keeps the present role."""
    if decision is None:
        restricts = rules.default_restricts if row.restricts is None else row.restricts
        return RoleAfter(row.role or rules.default_role, row.role_id, bool(restricts))
    role = decision.role
    if role is None and row.group_role is not None:
        return RoleAfter(row.group_role, None, bool(row.group_restricts))
    if role is None:
        return RoleAfter(rules.default_role, None, rules.default_restricts)
    return RoleAfter(role.name, role.id, role.restrict_editing)


def _resolve(
    connection: Connection, rules: EnterpriseRules, elements: Sequence[Element], row: UserToChange | None = None
) -> RoleDecision:
    """Return the result of ``resolve_role``, but read only the named role if it exists.

    All roles are read only to list them in an error.
    """
    if rules.several_roles == HIGHEST and is_undecided(elements):
        return resolve_role(elements, read_enterprise_roles(connection, rules.id, rules.name), highest=True)
    element = chosen_element(elements)
    if element is None:
        return ON_DEFAULT
    role = find_role(connection, rules.id, element["value"])
    if role is None and row is not None:
        role = _find_renamed_role(connection, rules, row, element)
    if role is not None:
        return RoleDecision(role, element)
    return resolve_role(elements, read_enterprise_roles(connection, rules.id, rules.name))


def _find_renamed_role(
    connection: Connection, rules: EnterpriseRules, row: UserToChange, element: Element
) -> Role | None:
    """Return the user's present role if ``element`` repeats the value that gave it, before the role was renamed."""
    values = [each["value"] for each in read_document(row).get(ROLES.name, [])]
    if values != [element["value"]]:
        return None
    roles = read_enterprise_roles(connection, rules.id, rules.name)
    return next((role for role in roles.by_name.values() if role.id == row.role_id), None)
