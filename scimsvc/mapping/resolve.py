"""The provider's roles and the enterprise's: what ``roles[primary eq "True"]`` means here (contract section 7).

Start here. Entra's administrator maps an app role to ``roles[primary eq "True"].value``; the app role's *value*
must be the name or an alias of one of the enterprise's roles. A user holds one role:

1. Elements without a value are no role, as Entra sends them when only ``.type`` or ``.display`` is mapped.
2. Of several elements the one with ``primary`` true counts; several with none primary are refused.
3. The value names a role, by name or alias, without regard to case: the user gets it.
4. The value names none: the request is refused and nothing changes.
5. There is no role: the user is on the enterprise's default role, today's and any later one.

The role is judged once, after the last operation of a request; how single operations change ``roles`` is
``protocol.patch``'s, and Entra's packed values are unpacked in ``protocol.leniency``. Nothing here reads or writes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scimsvc.protocol.attributes import fold
from scimsvc.protocol.errors import InvalidValue, quoted
from scimsvc.protocol.reasons import Reason
from scimsvc.protocol.role_elements import Element


@dataclass(frozen=True, slots=True)
class Role:
    """A role of an enterprise."""

    id: str
    name: str
    restrict_editing: bool = False


@dataclass(frozen=True, slots=True)
class EnterpriseRoles:
    """The roles of one enterprise, by folded name and folded alias."""

    enterprise: str
    default: Role
    by_name: Mapping[str, Role]

    @property
    def names(self) -> list[str]:
        """The roles' names in order, for people."""
        return sorted({role.name for role in self.by_name.values()}, key=fold)

    def find(self, name: str) -> Role | None:
        """Find the role that ``name`` names, by name or alias, without regard to case."""
        return self.by_name.get(fold(name))


@dataclass(frozen=True, slots=True)
class RoleDecision:
    """The role that a user gets and the element that says so; both None is the enterprise's default role."""

    role: Role | None
    element: Element | None

    @property
    def role_id(self) -> str | None:
        """The role's id; None is the default role."""
        return self.role.id if self.role else None


ON_DEFAULT = RoleDecision(None, None)


def resolve_role(elements: Sequence[Element], roles: EnterpriseRoles) -> RoleDecision:
    """Return the role that the ``roles`` of a whole request come to.

    Raises ``InvalidValue``, whose detail names the value and the enterprise's roles, for a value that names none
    of them, and for several elements of which none is primary.
    """
    element = chosen_element(elements)
    if element is None:
        return ON_DEFAULT
    role = roles.find(element["value"])
    if role is None:
        raise InvalidValue(
            f"role {quoted(element['value'])} does not exist in {roles.enterprise}; it has {', '.join(roles.names)}; "
            "set the app role's value in Entra to one of them, or add it here as an alias of one",
            reason=Reason.UNKNOWN_ROLE,
        )
    return RoleDecision(role, element)


def chosen_element(elements: Sequence[Element]) -> Element | None:
    """Return the one element that counts, or None where there is no role; raises ``InvalidValue``."""
    named = [element for element in elements if element.get("value")]
    if len(named) <= 1:
        return named[0] if named else None
    primary = [element for element in named if element.get("primary") is True]
    if len(primary) != 1:
        raise InvalidValue(
            f"roles has {len(named)} elements ({', '.join(quoted(each['value']) for each in named[:10])}) and "
            f"{'none' if not primary else 'more than one'} is primary; a user holds one role: "
            "in Entra, use the expression SingleAppRoleAssignment and assign one app role",
            reason=Reason.SEVERAL_ROLES,
        )
    return primary[0]
