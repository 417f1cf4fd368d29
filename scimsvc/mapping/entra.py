"""The set-up of Microsoft Entra ID: what its administrator enters there, and how far it has come here.

The README's table of the mapping is held against ``MAPPINGS`` by a test.
"""

from dataclasses import dataclass
from typing import Any

from scimsvc.activity import provisioning_log
from scimsvc.mapping.roles import list_roles
from scimsvc.protocol.urns import ENTERPRISE_USER
from scimsvc.store import queries
from scimsvc.store.tenancy import reading_in
from scimsvc.vocabulary import CREATE, OK, PATCH, REFUSED, REPLACE

ROLE_EXPRESSION = "SingleAppRoleAssignment([appRoleAssignments])"
ACTIVE_EXPRESSION = 'Switch([IsSoftDeleted], , "False", "True", "True", "False")'


@dataclass(frozen=True, slots=True)
class Mapping:
    """A row of Entra's attribute mapping: the target, where it comes from, and what is to be heeded."""

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
        "Where some have no mail, map userPrincipalName.",
    ),
    Mapping("userName", "displayName", is_mandatory=True, note="Match objects using this attribute: no."),
    Mapping("active", ACTIVE_EXPRESSION, is_expression=True, note="Keep it: without it nobody is ever disabled."),
    Mapping(
        'roles[primary eq "True"].value',
        ROLE_EXPRESSION,
        is_expression=True,
        note="Without a role the user is on the default role.",
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
    """Return every role with the ``value`` of the app role to make in Entra, None where it needs an alias for one."""
    return [role | {"value": app_role_value(role)} for role in list_roles(enterprise)]


def app_role_value(role: dict[str, Any]) -> str | None:
    """Return the first of the role's name and aliases that can be an app role's value, which has no blanks."""
    return next((name for name in (role["name"], *role["aliases"]) if " " not in name), None)


#: The operations by which a user of Entra's arrives or was found.
_FOUND = (PATCH, REPLACE)
#: How many entries of the log are looked at: who has more is set up.
_NEWEST = 200


def read_progress(enterprise: str) -> dict[str, Any]:
    """Return how far Entra has come: ``tested``, ``matched``, ``created``, ``refused``, each None before it happens.

    ``tested`` is when a SCIM token was last used. ``matched`` and ``created`` are the newest entries of the log by
    which Entra had found a user, or had not and made it; ``refused`` is the newest refusal, if nothing was done since.
    """
    with reading_in(enterprise) as tenant:
        tested = tenant.connection.execute(queries.LAST_SCIM_USE, tenant.own).scalar_one_or_none()
    entries = provisioning_log.list_entries(enterprise, limit=_NEWEST).items
    done = [entry for entry in entries if entry["outcome"] == OK]
    newest = entries[0] if entries else None
    return {
        "tested": tested,
        "matched": next((entry for entry in done if entry["operation"] in _FOUND), None),
        "created": next((entry for entry in done if entry["operation"] == CREATE), None),
        "refused": newest if newest is not None and newest["outcome"] == REFUSED else None,
    }
