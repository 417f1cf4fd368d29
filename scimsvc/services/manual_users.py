"""Manual users: made outside SCIM, found and perhaps taken over by it (contract section 5)."""

import uuid
from typing import Any

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from scimsvc import clock, schemas
from scimsvc.mapping import default_element
from scimsvc.models import User
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.errors import ScimError
from scimsvc.protocol.remarks import Remarks
from scimsvc.protocol.resources import canonical_user
from scimsvc.services.errors import Conflict, InvalidInput, NoSuchThing
from scimsvc.services.input import validated
from scimsvc.services.roles import get_role
from scimsvc.services.tenancy import Tenant, reading_in, writing_in
from scimsvc.services.users import MANUAL
from scimsvc.store import queries
from scimsvc.store.representations import manual_document, profile_view, user_columns, with_role


def create_manual_user(enterprise: str, **given: Any) -> dict[str, Any]:
    """Make a manual user and return it (the members of ``schemas.ManualUserSchema``).

    Raises ``InvalidInput``, ``NoSuchThing`` for the role, or ``Conflict`` where the e-mail address is taken.
    """
    fields = validated(schemas.MANUAL_USER, **given)
    with writing_in(enterprise) as tenant:
        role = get_role(tenant, fields["role"]) if "role" in fields else None
        user = with_role(_canonical(fields), default_element(role.name) if role else None)
        now = clock.timestamp(clock.now())
        columns = user_columns(user, role_id=role.id if role else None, unique_user_name=tenant.row.unique_user_name)
        row = {
            "source": MANUAL,
            "version": 1,
            "created_at": now,
            "modified_at": now,
            "title": fields.get("title"),
            "organization": fields.get("organization"),
        }
        try:
            tenant.connection.execute(insert(User).values(enterprise_id=tenant.id, id=user["id"], **columns, **row))
        except IntegrityError as error:
            taken = "e-mail address" if "email" in str(error.orig) else "userName"
            raise Conflict(f"a user of {tenant.row.name} has this {taken} already") from None
        return _get(tenant, user["id"])


def list_users(enterprise: str) -> list[dict[str, Any]]:
    """Return every user of the enterprise, manual or provisioned, by e-mail address."""
    with reading_in(enterprise) as tenant:
        parameters = tenant.own | {"default_role": tenant.row.default_role}
        return [profile_view(row) for row in tenant.connection.execute(queries.PROFILES, parameters)]


def show_user(enterprise: str, reference: str) -> dict[str, Any]:
    """Return the user with the id or work e-mail address ``reference``; raises ``NoSuchThing``."""
    with reading_in(enterprise) as tenant:
        return _get(tenant, reference)


def _canonical(fields: dict[str, Any]) -> dict[str, Any]:
    try:
        return canonical_user(manual_document(fields) | {"id": str(uuid.uuid4())}, Remarks())
    except ScimError as error:
        raise InvalidInput(error.detail) from None


def _get(tenant: Tenant, reference: str) -> dict[str, Any]:
    parameters = tenant.own | {"default_role": tenant.row.default_role, "id": reference, "key": fold(reference)}
    row = tenant.connection.execute(queries.PROFILE, parameters).one_or_none()
    if row is None:
        raise NoSuchThing(f"there is no user {reference!r} in {tenant.row.name}")
    return profile_view(row)
