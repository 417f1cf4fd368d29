"""The attribute mapping and the app roles that an administrator of Microsoft Entra ID enters there.

A test compares the manual's table of the mapping with ``MAPPINGS``.
"""

from dataclasses import dataclass
from typing import Any

from scimsvc.mapping.roles import list_role_names
from scimsvc.protocol.urns import ENTERPRISE_USER

ROLE_EXPRESSION = "SingleAppRoleAssignment([appRoleAssignments])"
ACTIVE_EXPRESSION = 'Switch([IsSoftDeleted], , "False", "True", "True", "False")'


@dataclass(frozen=True, slots=True)
class Mapping:
    """A row of Entra's attribute mapping: the target attribute, its source, and advice."""

    target: str
    source: str
    is_expression: bool = False
    is_mandatory: bool = False
    note: str = ""


MAPPINGS = (
    Mapping(
        'emails[type eq "work"].value',
        "mail",
        is_mandatory=True,
        note="Match objects using this attribute: yes, matching precedence 1. "
        "If some users have no mail, map userPrincipalName.",
    ),
    Mapping("userName", "displayName", is_mandatory=True, note="Match objects using this attribute: no."),
    Mapping("active", ACTIVE_EXPRESSION, is_expression=True, note="Required. Without it, Entra never disables users."),
    Mapping(
        'roles[primary eq "True"].value',
        ROLE_EXPRESSION,
        is_expression=True,
        note="Users without a role get the default role.",
    ),
    Mapping("externalId", "objectId"),
    Mapping("name.givenName", "givenName"),
    Mapping("name.familyName", "surname"),
    Mapping("displayName", "displayName"),
    Mapping("title", "jobTitle"),
    Mapping('phoneNumbers[type eq "work"].value', "telephoneNumber"),
    Mapping(f"{ENTERPRISE_USER}:organization", "companyName"),
    Mapping(f"{ENTERPRISE_USER}:department", "department"),
    Mapping(f"{ENTERPRISE_USER}:manager", "manager"),
)


def app_roles(enterprise: str) -> list[dict[str, Any]]:
    """Return every role with the ``value`` of its app role in Entra, or None if the role needs an alias for that."""
    return [role | {"value": app_role_value(role)} for role in list_role_names(enterprise)]


def app_role_value(role: dict[str, Any]) -> str | None:
    """Return the role's first name or alias without spaces, which an app role's value in Entra cannot contain."""
    return next((name for name in (role["name"], *role["aliases"]) if " " not in name), None)
