"""The element of ``roles``: how Entra packs a role into it, and how answers show it.

``scimsvc.mapping`` maps elements to roles of the enterprise.
"""

from collections.abc import Mapping
from typing import Any

from scimsvc.protocol.advice import Advice
from scimsvc.protocol.attributes import ROLES, Resource
from scimsvc.protocol.errors import InvalidValue
from scimsvc.protocol.json_text import InvalidJSON, read_json_text
from scimsvc.protocol.reading.tolerances import RequestNotes, Tolerance
from scimsvc.protocol.resource_types import ResourceType

#: An element of ``roles``: ``value`` and optionally ``display``, ``type`` and ``primary``.
Element = Mapping[str, Any]


def default_element(name: str) -> Element:
    """Return the element in answers for a user on the default role, which is called ``name``."""
    return {"value": name, "primary": True}


def with_role(user: Resource, element: Element | None, resource_type: ResourceType) -> Resource:
    """Return ``user``, a resource of ``resource_type``, with ``element`` as its only role.

    ``element`` is None for the default role, which is not part of the document.
    """
    roles = [dict(element)] if element is not None else None
    if user.get(ROLES.name) == roles:
        return user
    changed = user | {ROLES.name: roles}
    return {each.name: changed[each.name] for each in resource_type.attributes if changed.get(each.name) is not None}


def may_be_packed(text: str) -> bool:
    """Return whether ``text`` looks like the JSON text of an app role assignment."""
    return text.lstrip().startswith("{")


def unpack_role(text: str, notes: RequestNotes) -> str:
    """Return the name of the role in ``text``, which may be Entra's JSON text of an app role assignment.

    AppRoleAssignmentsComplex sends ``{"id": …, "value": "User", "displayName": "User"}`` as the value (Entra facts
    section 7, "Roles in PATCH"). The name is its ``value``, or else its ``displayName``. Raises ``InvalidValue`` if it
    has neither.
    """
    if not may_be_packed(text):
        return text
    try:
        assignment = read_json_text(text)
    except InvalidJSON:
        return text
    if not isinstance(assignment, dict):
        return text
    notes.tolerate(Tolerance.PACKED_ROLE)
    for name in ("value", "displayName"):
        value = assignment.get(name)
        if isinstance(value, str) and value:
            return value
    raise InvalidValue(
        "An app role assignment in roles has neither value nor displayName.",
        advice=Advice("In Entra, enter a value for the app role.", "Send the name of a role as value."),
    )
