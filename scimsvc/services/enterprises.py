"""Enterprises, the tenants: made, shown, changed and deleted."""

import uuid
from typing import Any

from sqlalchemy import Connection, delete, insert, null, update
from sqlalchemy.exc import IntegrityError

from scimsvc import clock, schemas
from scimsvc.models import Enterprise, Role, User
from scimsvc.protocol.attributes import fold
from scimsvc.services.errors import Conflict
from scimsvc.services.input import validated
from scimsvc.services.integrations import insert_integration
from scimsvc.services.roles import get_role, insert_role, role_names
from scimsvc.services.tenancy import Tenant, get_enterprise, reading_in, writing_in
from scimsvc.store import queries
from scimsvc.store.retries import retried
from scimsvc.store.transactions import reading, writing

DEFAULT_ROLE = "DefaultEnterprise"
FIRST_INTEGRATION = "Microsoft Entra ID"


@retried
def create_enterprise(
    name: str, *, roles: list[str] | None = None, default_role: str = DEFAULT_ROLE, scim_enabled: bool = False
) -> dict[str, Any]:
    """Make an enterprise with its roles and a first integration, and return it with the client secret.

    SCIM is off unless told otherwise. Raises ``InvalidInput`` or ``Conflict``.
    """
    given = validated(
        schemas.ENTERPRISE, name=name, roles=roles or [], default_role=default_role, scim_enabled=scim_enabled
    )
    with writing() as connection:
        enterprise_id = _insert_enterprise(connection, given)
        insert_role(connection, enterprise_id, given["default_role"], is_default=True)
        for role in given["roles"]:
            if fold(role) != fold(given["default_role"]):
                insert_role(connection, enterprise_id, role)
        integration = insert_integration(connection, enterprise_id, FIRST_INTEGRATION)
        return {
            "id": enterprise_id,
            "name": given["name"],
            "scim_enabled": given["scim_enabled"],
            "default_role": given["default_role"],
            "roles": role_names(connection, enterprise_id),
            "client_id": integration["client_id"],
            "client_secret": integration["client_secret"],
        }


def list_enterprises() -> list[dict[str, Any]]:
    """Return every enterprise, the oldest first."""
    with reading() as connection:
        return [_shown(row) for row in connection.execute(queries.ENTERPRISES)]


def show_enterprise(reference: str) -> dict[str, Any]:
    """Return the enterprise with the id or name ``reference``; raises ``NoSuchThing``."""
    with reading_in(reference) as tenant:
        return _shown(tenant.row)


@retried
def update_enterprise(
    reference: str,
    *,
    scim_enabled: bool | None = None,
    default_role: str | None = None,
    unique_user_name: bool | None = None,
    reject_unknown_attributes: bool | None = None,
) -> dict[str, Any]:
    """Change what is given and return the enterprise; raises ``NoSuchThing`` or ``Conflict``.

    ``unique_user_name`` cannot be switched on while two users share a userName; the refusal names them.
    """
    flags = {"scim_enabled": scim_enabled, "reject_unknown_attributes": reject_unknown_attributes}
    with writing_in(reference) as tenant:
        connection, row = tenant.connection, tenant.row
        changes: dict[str, Any] = {name: value for name, value in flags.items() if value is not None}
        if unique_user_name is not None and unique_user_name != row.unique_user_name:
            _switch_unique_user_name(tenant, on=unique_user_name)
            changes["unique_user_name"] = unique_user_name
        if default_role is not None and _make_default(tenant, default_role):
            changes["role_revision"] = row.role_revision + 1
        if changes:
            connection.execute(update(Enterprise).where(Enterprise.id == row.id).values(changes))
        return _shown(get_enterprise(connection, row.id))


@retried
def delete_enterprise(reference: str) -> dict[str, Any]:
    """Delete the enterprise and everything that is its, and return what it was; raises ``NoSuchThing``."""
    with writing_in(reference) as tenant:
        # The users go first: their roles cannot be deleted under them.
        tenant.connection.execute(delete(User).where(User.enterprise_id == tenant.id))
        tenant.connection.execute(delete(Enterprise).where(Enterprise.id == tenant.id))
        return _shown(tenant.row)


def _insert_enterprise(connection: Connection, given: dict[str, Any]) -> str:
    enterprise_id = str(uuid.uuid4())
    values = {
        "id": enterprise_id,
        "name": given["name"],
        "name_key": fold(given["name"]),
        "scim_enabled": given["scim_enabled"],
        "unique_user_name": False,
        "reject_unknown_attributes": False,
        "role_revision": 1,
        "created_at": clock.timestamp(clock.now()),
    }
    try:
        connection.execute(insert(Enterprise).values(values))
    except IntegrityError:
        raise Conflict(f"there is an enterprise called {given['name']!r} already") from None
    return enterprise_id


def _make_default(tenant: Tenant, reference: str) -> bool:
    """Make the role the default, and tell whether it was another one before."""
    role = get_role(tenant, reference)
    if role.is_default:
        return False
    own = Role.enterprise_id == tenant.id
    tenant.connection.execute(update(Role).where(own, Role.is_default).values(is_default=False))
    tenant.connection.execute(update(Role).where(own, Role.id == role.id).values(is_default=True))
    return True


def _switch_unique_user_name(tenant: Tenant, *, on: bool) -> None:
    """Fill or empty the column whose unique index keeps userNames apart."""
    if on:
        duplicates = tenant.connection.execute(queries.DUPLICATE_USER_NAMES, tenant.own).all()
        if duplicates:
            names = ", ".join(f"{row.user_name_key!r} ({row.users} users)" for row in duplicates)
            raise Conflict(
                f"userName cannot become unique in {tenant.row.name}: {names}; rename or delete the others first"
            )
    tenant.connection.execute(
        update(User)
        .where(User.enterprise_id == tenant.id)
        .values(unique_user_name_key=User.user_name_key if on else null())
    )


def _shown(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "scim_enabled": row.scim_enabled,
        "default_role": row.default_role,
        "unique_user_name": row.unique_user_name,
        "reject_unknown_attributes": row.reject_unknown_attributes,
    }
