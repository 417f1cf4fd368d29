"""The role that the elements of ``roles`` give a user, as pure functions (contract section 7).

The package's docstring states the rules. ``protocol.patch`` applies the operations of a request to ``roles`` before,
and ``protocol.role_elements`` unpacks Entra's packed values.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from scimsvc.protocol.advice import Advice
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.errors import InvalidValue, listed, quoted
from scimsvc.protocol.reasons import Reason
from scimsvc.protocol.role_elements import Element
from scimsvc.vocabulary import DEFAULT, FROM_GROUP, SENT


@dataclass(frozen=True, slots=True)
class Role:
    """A role of an enterprise."""

    id: str
    name: str
    restrict_editing: bool = False
    #: The place in the enterprise's order, from 1.
    position: int = 0


@dataclass(frozen=True, slots=True)
class EnterpriseRoles:
    """The roles of one enterprise, by folded name and folded alias."""

    enterprise: str
    default: Role
    by_name: Mapping[str, Role]

    @property
    def names(self) -> list[str]:
        """The names of the roles without aliases, sorted for display."""
        return sorted({role.name for role in self.by_name.values()}, key=fold)

    def find(self, name: str) -> Role | None:
        """Return the role with the name or alias ``name``, without regard to case; None if there is none."""
        return self.by_name.get(fold(name))


@dataclass(frozen=True, slots=True)
class RoleDecision:
    """The role that a user gets, and the element that gives it. Both are None for the enterprise's default role."""

    role: Role | None
    element: Element | None

    @property
    def role_id(self) -> str | None:
        """The ID of the role; None for the default role."""
        return self.role.id if self.role else None


ON_DEFAULT = RoleDecision(None, None)


def resolve_role(elements: Sequence[Element], roles: EnterpriseRoles, *, highest: bool = False) -> RoleDecision:
    """Return the role that the ``elements`` of ``roles`` give a user.

    With ``highest``, of several elements without a primary one the first in the enterprise's order counts, and values
    that name no role are left out.

    Raises ``InvalidValue`` if the value does not name a role of the enterprise, or if several elements have a value
    and not exactly one of them is primary.
    """
    if highest and is_undecided(elements):
        return _highest(elements, roles)
    element = chosen_element(elements)
    if element is None:
        return ON_DEFAULT
    role = roles.find(element["value"])
    if role is None:
        raise _unknown(element["value"], roles)
    return RoleDecision(role, element)


def effective_role(sent: Role | None, from_groups: Iterable[Role], default: Role) -> tuple[Role, str]:
    """Return the role that a user has, and why: ``SENT``, ``FROM_GROUP`` or ``DEFAULT``.

    A role that was sent for the user comes before roles that the user's groups give, of which the first in the
    enterprise's order counts, and these before the default role. ``store.role_recomputation`` does the same in SQL.
    """
    if sent is not None:
        return sent, SENT
    first = min(from_groups, key=lambda role: role.position, default=None)
    return (default, DEFAULT) if first is None else (first, FROM_GROUP)


def is_undecided(elements: Sequence[Element]) -> bool:
    """Return whether several of ``elements`` have a value, and none of these is primary."""
    named = [element for element in elements if element.get("value")]
    return len(named) > 1 and not any(element.get("primary") is True for element in named)


def _highest(elements: Sequence[Element], roles: EnterpriseRoles) -> RoleDecision:
    named = [element for element in elements if element.get("value")]
    known = [(role, element) for element in named if (role := roles.find(element["value"])) is not None]
    if not known:
        raise _unknown(named[0]["value"], roles)
    return RoleDecision(*min(known, key=lambda pair: pair[0].position))


def _unknown(name: str, roles: EnterpriseRoles) -> InvalidValue:
    value = quoted(name)
    choice = f"{listed(roles.names)}, or add {value} as an alias in the scimsvc console, under Roles."
    return InvalidValue(
        f"Role {value} does not exist in {roles.enterprise}.",
        advice=Advice(f"Set the app role's value in Entra to one of {choice}", f"Send one of {choice}"),
        reason=Reason.UNKNOWN_ROLE,
    )


def chosen_element(elements: Sequence[Element]) -> Element | None:
    """Return the element that gives the role, or None if no element has a value.

    Raises ``InvalidValue`` if several elements have a value and not exactly one of them is primary.
    """
    named = [element for element in elements if element.get("value")]
    if len(named) <= 1:
        return named[0] if named else None
    primary = [element for element in named if element.get("primary") is True]
    if len(primary) != 1:
        raise InvalidValue(
            f"'roles' has {len(named)} elements ({listed(quoted(each['value']) for each in named)}), and "
            f"{'more than one' if primary else 'none'} of them is primary.",
            advice=Advice(
                "In Entra, map SingleAppRoleAssignment([appRoleAssignments]) and assign one app role to each user.",
                "Send one role for each user, or mark one of them as primary.",
            ),
            reason=Reason.SEVERAL_ROLES,
        )
    return primary[0]
