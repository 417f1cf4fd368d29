"""Build a new manual user from valid fields: the row to insert, and the entry for the change feed."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scimsvc.activity.feed_writing import UserChange
from scimsvc.errors import InvalidInput
from scimsvc.mapping.resolve import Role
from scimsvc.protocol.attributes import Resource
from scimsvc.protocol.errors import ScimError
from scimsvc.protocol.reading.tolerances import RequestNotes
from scimsvc.protocol.resources import canonical_resource, changed_attributes
from scimsvc.protocol.role_elements import default_element, with_role
from scimsvc.protocol.users import USERS, work_address
from scimsvc.store.representations import manual_document, user_columns
from scimsvc.store.roles import RoleRow
from scimsvc.store.user_writes import NewUser
from scimsvc.vocabulary import CREATED, MANUAL


@dataclass(frozen=True, slots=True)
class ManualUser:
    """A manual user to insert, and the entry for the feed."""

    row: NewUser
    change: UserChange


def describe_manual_user(
    fields: Mapping[str, Any],
    role: Role | RoleRow | None,
    *,
    default_role: str,
    unique_user_name: bool,
    origin: str | None,
) -> ManualUser:
    """Return the manual user with ``fields`` (valid by ``schemas.ManualUserSchema``) and ``role``.

    ``default_role`` is the name of the role if ``role`` is None. Raises ``InvalidInput``.
    """
    user = read_manual_document(fields, str(uuid.uuid4()), role)
    effective = {name: fields.get(name) or None for name in ("title", "organization")}
    columns = user_columns(user, USERS, role_id=role.id if role else None, unique_user_name=unique_user_name)
    change = UserChange(
        type=CREATED,
        user_id=user["id"],
        email=work_address(user),
        changed=changed_attributes({"id": user["id"]}, user, USERS)
        + [name for name, value in effective.items() if value],
        role=role.name if role else default_role,
        active=user["active"],
        origin=origin,
    )
    return ManualUser(NewUser(user["id"], columns, MANUAL, **effective), change)


def read_manual_document(fields: Mapping[str, Any], user_id: str, role: Role | RoleRow | None) -> Resource:
    """Return the SCIM document of the manual user with ``fields`` and ``role``; raises ``InvalidInput``."""
    try:
        user = canonical_resource(manual_document(fields) | {"id": user_id}, USERS, RequestNotes())
    except ScimError as error:
        error.advise(for_entra=False)
        raise InvalidInput(error.detail, {"email": [error.detail]}) from None
    return with_role(user, default_element(role.name) if role else None, USERS)
