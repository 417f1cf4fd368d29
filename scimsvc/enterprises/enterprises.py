"""Create, list, change and delete enterprises (tenants)."""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from scimsvc import clock, schemas
from scimsvc.activity.audit import AuditLog, Difference, audited, changed, created, deleted
from scimsvc.auth.clients import NAMES, insert_integration
from scimsvc.auth.provider_integrations import insert_provider_integration
from scimsvc.enterprises.group_names import switch_unique_group_name
from scimsvc.enterprises.removal_cap import cap_columns, describe_cap, refuse_raised_limit, refuse_release
from scimsvc.enterprises.removal_limit import DEFAULT_HOURS, describe_limit
from scimsvc.errors import Conflict, InvalidInput
from scimsvc.mapping.roles import get_role, insert_role, make_default, role_names
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.errors import listed
from scimsvc.schemas.entity_tags import check_if_match
from scimsvc.schemas.validation import validated, validated_changes
from scimsvc.store import enterprises as store
from scimsvc.store.alerts import delete_alerts
from scimsvc.store.engine.database import LONG_SECONDS, longer_deadline
from scimsvc.store.engine.transactions import Connection, reading, writing
from scimsvc.store.enterprises import EnterpriseNameTaken, EnterpriseRow
from scimsvc.store.holders import list_duplicate_user_names
from scimsvc.store.tenancy import Tenant, get_enterprise, reading_in, writing_in
from scimsvc.store.user_writes import delete_users, update_unique_user_names
from scimsvc.vocabulary import USERS_SCOPE, Action

DEFAULT_ROLE = "DefaultEnterprise"


@audited
def create_enterprise(
    name: str,
    *,
    roles: list[str] | None = None,
    default_role: str = DEFAULT_ROLE,
    scim_enabled: bool = False,
    provider: str | None = None,
    with_host_application: bool = False,
) -> dict[str, Any]:
    """Create an enterprise with its roles and a first integration, and return it with the client secret.

    The first integration is for the identity ``provider``, or else for Entra, and limited to SCIM. With
    ``with_host_application``, create another one for the users and changes of the enterprise API. Raises
    ``InvalidInput``, or ``Conflict`` if the name is taken.
    """
    fields = validated(
        schemas.ENTERPRISE,
        {"name": name, "roles": roles or [], "default_role": default_role, "scim_enabled": scim_enabled},
    )
    with writing() as connection:
        enterprise_id = _insert_enterprise(connection, fields)
        log = AuditLog(connection, enterprise_id, fields["name"])
        log.record(Action.ENTERPRISE_CREATED, log.target(), created(fields))
        insert_role(connection, enterprise_id, fields["default_role"], is_default=True)
        for role in fields["roles"]:
            if fold(role) != fold(fields["default_role"]):
                insert_role(connection, enterprise_id, role)
        integration = insert_provider_integration(log, provider)
        host = insert_integration(log, NAMES[USERS_SCOPE], scope=USERS_SCOPE) if with_host_application else None
        return {
            "id": enterprise_id,
            "name": fields["name"],
            "scim_enabled": fields["scim_enabled"],
            "default_role": fields["default_role"],
            "roles": role_names(connection, enterprise_id),
            "client_id": integration["client_id"],
            "client_secret": integration["client_secret"],
            **({"host_application": credentials_of(host)} if host is not None else {}),
        }


def credentials_of(integration: Mapping[str, Any]) -> dict[str, Any]:
    """Return the client ID and the client secret of an integration."""
    return {name: integration[name] for name in ("client_id", "client_secret")}


def list_enterprises() -> list[dict[str, Any]]:
    """Return every enterprise, oldest first, as operators see it."""
    with reading() as connection:
        return [represent_for_operator(row) for row in store.list_enterprises(connection)]


def show_enterprise(reference: str) -> dict[str, Any]:
    """Return the enterprise with the ID or name ``reference``; raises ``NoSuchThing``."""
    with reading_in(reference) as tenant:
        return _represent(tenant.row)


def show_for_operator(reference: str) -> dict[str, Any]:
    """Return the enterprise with the decisions of the operator; raises ``NoSuchThing``."""
    with reading_in(reference) as tenant:
        return represent_for_operator(tenant.row)


@audited
@longer_deadline(LONG_SECONDS)
def update_enterprise(
    reference: str, changes: Mapping[str, Any], *, if_match: str | None = None, by_operator: bool = False
) -> dict[str, Any]:
    """Apply ``changes`` (members of ``schemas.EnterpriseChangesSchema``) and return the enterprise.

    A removal limit that the operator sets binds the enterprise. Raises ``InvalidInput``, ``NoSuchThing``,
    ``OutOfDate``, ``NotAllowed`` if the enterprise raises the operator's limit, or ``Conflict`` if
    ``unique_user_name`` is switched on while several users have the same userName, or ``unique_group_name`` while
    several groups have the same name.
    """
    fields = validated_changes(schemas.ENTERPRISE_CHANGES, changes)
    with writing_in(reference) as tenant:
        before = _represent(tenant.row)
        check_if_match(before, if_match)
        values = {name: fields[name] for name in _FLAGS if name in fields}
        if fields.get("unique_user_name", tenant.row.unique_user_name) != tenant.row.unique_user_name:
            _switch_unique_user_name(tenant, on=fields["unique_user_name"])
        if fields.get("unique_group_name", tenant.row.unique_group_name) != tenant.row.unique_group_name:
            switch_unique_group_name(tenant, on=fields["unique_group_name"])
        if "paused" in fields:
            values["paused_until"] = None
        if "removal_limit" in fields:
            values |= _limit_columns(tenant.row, fields["removal_limit"], by_operator=by_operator)
        if values:
            store.update_enterprise(tenant.connection, tenant.id, values)
        if "default_role" in fields:
            make_default(tenant, get_role(tenant, fields["default_role"], field="default_role").id)
        row = get_enterprise(tenant.connection, tenant.id)
        _record_changes(AuditLog.of(tenant), represent_for_operator(tenant.row), represent_for_operator(row))
        return represent_for_operator(row) if by_operator else _represent(row)


def _record_changes(log: AuditLog, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Record a pause or its end, and other changes as another entry."""
    if before["paused"] != after["paused"]:
        log.record(Action.ENTERPRISE_PAUSED if after["paused"] else Action.ENTERPRISE_RESUMED, log.target())
    others = {name: value for name, value in after.items() if name != "paused"}
    log.record(Action.ENTERPRISE_UPDATED, log.target(), changed(before, others))


_FLAGS = (
    "scim_enabled", "unique_user_name", "unique_group_name", "reject_unknown_attributes", "several_roles", "paused",
    "alert_refusals",
)  # fmt: skip


def _limit_columns(row: EnterpriseRow, limit: Mapping[str, Any] | None, *, by_operator: bool) -> dict[str, Any]:
    if limit is not None:
        limit = {
            "users": limit.get("users"),
            "percent": limit.get("percent"),
            "hours": limit.get("hours", DEFAULT_HOURS),
        }
    if not by_operator:
        refuse_raised_limit(row, limit)
        return _removal_columns(limit)
    return _removal_columns(limit) | cap_columns(limit)


def _removal_columns(limit: Mapping[str, Any] | None) -> dict[str, Any]:
    if limit is None:
        return {"removal_users": None, "removal_percent": None, "removal_hours": None, "removal_released_until": None}
    return {f"removal_{name}": value for name, value in limit.items()}


@audited
def release_removals(reference: str, *, by_operator: bool = False) -> dict[str, Any]:
    """Suspend the removal limit for the length of its period, and return the enterprise.

    Removals count again from the end of that time. Raises ``Conflict`` if the enterprise has no removal limit, and
    ``NotAllowed`` if the operator set the limit and the enterprise releases it.
    """
    with writing_in(reference) as tenant:
        if not by_operator:
            refuse_release(tenant.row)
        if tenant.row.removal_hours is None:
            raise Conflict(f"{tenant.row.name} has no removal limit. Removals are already allowed.")
        until = clock.timestamp(clock.now() + timedelta(hours=tenant.row.removal_hours))
        store.update_enterprise(tenant.connection, tenant.id, {"removal_released_until": until})
        log = AuditLog.of(tenant)
        log.record(Action.ENTERPRISE_RELEASED, log.target(), Difference(after={"released_until": until}))
        return _represent(tenant.row) | {"released_until": until}


@audited
@longer_deadline(LONG_SECONDS)
def delete_enterprise(reference: str, *, typed_name: str | None = None) -> dict[str, Any]:
    """Delete the enterprise with everything that belongs to it, and return its last state.

    Raises ``NoSuchThing``, or ``InvalidInput`` if a ``typed_name`` is not the enterprise's name.
    """
    with writing_in(reference) as tenant:
        if typed_name is not None and typed_name != tenant.row.name:
            problem = "The name does not match. Nothing was deleted."
            raise InvalidInput(problem, {"typed_name": [problem]})
        # Users first, because they reference their roles.
        delete_users(tenant.connection, tenant.id)
        store.delete_enterprise(tenant.connection, tenant.id)
        delete_alerts(tenant.connection, tenant.id)
        enterprise, log = represent_for_operator(tenant.row), AuditLog.of(tenant)
        log.record(Action.ENTERPRISE_DELETED, log.target(), deleted(enterprise))
        return enterprise


def _insert_enterprise(connection: Connection, fields: dict[str, Any]) -> str:
    enterprise_id = str(uuid.uuid4())
    try:
        store.insert_enterprise(
            connection,
            enterprise_id,
            fields["name"],
            scim_enabled=fields["scim_enabled"],
            created_at=clock.timestamp(clock.now()),
        )
    except EnterpriseNameTaken:
        raise Conflict(f"Enterprise {fields['name']!r} already exists. Choose another name.") from None
    return enterprise_id


def _switch_unique_user_name(tenant: Tenant, *, on: bool) -> None:
    """Fill or clear the column whose unique index forbids duplicate userNames."""
    if on:
        duplicates = list_duplicate_user_names(tenant.connection, tenant.id)
        if duplicates:
            names = listed(f"{row.user_name_key!r} ({row.users} users)" for row in duplicates)
            raise Conflict(
                f"Several users in {tenant.row.name} have the same userName: {names}. "
                "Change these userNames or delete users before you require unique userNames."
            )
    update_unique_user_names(tenant.connection, tenant.id, unique=on)


def _represent(row: EnterpriseRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "scim_enabled": row.scim_enabled,
        "default_role": row.default_role,
        "unique_user_name": row.unique_user_name,
        "unique_group_name": row.unique_group_name,
        "reject_unknown_attributes": row.reject_unknown_attributes,
        "several_roles": row.several_roles,
        "removal_limit": describe_limit(row),
        "alert_refusals": row.alert_refusals,
        "paused": row.paused,
    }


def represent_for_operator(row: EnterpriseRow) -> dict[str, Any]:
    """Return the enterprise with the decisions of the operator.

    ``suspension`` is the reason of a suspension, which may be empty.
    """
    return _represent(row) | {
        "paused_until": row.paused_until if row.paused else None,
        "operator_removal_limit": describe_cap(row),
        "suspended": row.suspension is not None,
        "suspension": row.suspension,
    }
