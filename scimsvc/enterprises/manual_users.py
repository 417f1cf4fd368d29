"""Users outside SCIM: manual ones, made, changed and deleted; and every user's own edit of its profile.

A manual user may be found and taken over by SCIM (contract section 5); from then on the directory changes it.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, insert, update
from sqlalchemy.exc import IntegrityError

from scimsvc import clock, schemas
from scimsvc.activity.change_feed import UserChange, change_type, record_change
from scimsvc.errors import Conflict, InvalidInput, NoSuchThing, NotAllowed
from scimsvc.mapping.roles import get_role
from scimsvc.models import User
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.errors import ScimError
from scimsvc.protocol.patch import Resource
from scimsvc.protocol.reading.tolerances import RequestNotes
from scimsvc.protocol.resources import canonical_user, changed_attributes, work_address
from scimsvc.protocol.role_elements import default_element, with_role
from scimsvc.schemas.entity_tags import check_if_match
from scimsvc.schemas.validation import validated, validated_changes
from scimsvc.store import queries
from scimsvc.store.paging import Page
from scimsvc.store.representations import (
    manual_document,
    profile_view,
    read_document,
    user_columns,
)
from scimsvc.store.retries import retried
from scimsvc.store.tenancy import Tenant, reading_in, writing_in
from scimsvc.vocabulary import BY_ADMINISTRATOR, BY_USER, CREATED, DELETED, MANUAL, UPDATED


@retried
def create_manual_user(enterprise: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Make a manual user of the members of ``schemas.ManualUserSchema`` and return it.

    Raises ``InvalidInput``, or ``Conflict`` where the e-mail address is taken.
    """
    fields = validated(schemas.MANUAL_USER, given)
    with writing_in(enterprise, changes_settings=False) as tenant:
        return insert_manual_user(tenant, fields)


def insert_manual_user(tenant: Tenant, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Make the manual user that valid ``fields`` describe, in the tenant's transaction, and return it."""
    role = get_role(tenant, fields["role"], field="role") if fields.get("role") else None
    user = _document(fields, str(uuid.uuid4()), role)
    at = clock.timestamp(clock.now())
    columns = user_columns(user, role_id=role.id if role else None, unique_user_name=tenant.row.unique_user_name)
    effective = {"title": fields.get("title") or None, "organization": fields.get("organization") or None}
    times = {"created_at": at, "modified_at": at, "changed_at": at}
    row = columns | effective | times | {"source": MANUAL, "version": 1, "revision": 1}
    _execute_unique(tenant, insert(User).values(enterprise_id=tenant.id, id=user["id"], **row))
    changed = changed_attributes({"id": user["id"]}, user) + [name for name, value in effective.items() if value]
    name = role.name if role else tenant.row.default_role
    sides = (name, user["active"])
    change = UserChange(CREATED, user["id"], work_address(user), changed, *sides, origin=BY_ADMINISTRATOR)
    record_change(tenant.connection, tenant.id, change, at=at)
    return profile_view(get_profile_row(tenant, user["id"]))


def list_users(
    enterprise: str,
    *,
    after: str | None = None,
    limit: int | None = None,
    role: str | None = None,
    active: bool | None = None,
    source: str | None = None,
    email: str | None = None,
    external_id: str | None = None,
    search: str | None = None,
) -> Page:
    """Return users by e-mail address, those that meet the conditions; ``Page.next`` is the last one's folded address.

    ``search`` is a part of the e-mail address or of the userName, without regard to case.
    """
    with reading_in(enterprise) as tenant:
        statement = queries.PROFILES
        if after is not None:
            statement = statement.where(User.email_key > after)
        if role is not None:
            held = get_role(tenant, role, field="role")
            on_it = User.role_id == held.id
            statement = statement.where(on_it | User.role_id.is_(None) if held.is_default else on_it)
        if active is not None:
            statement = statement.where(User.active == active)
        if source is not None:
            statement = statement.where(User.source == source)
        if email is not None:
            statement = statement.where(User.email_key == fold(email))
        if external_id is not None:
            statement = statement.where(User.external_id == external_id)
        if search is not None:
            part = {"other": fold(search), "autoescape": True}
            statement = statement.where(User.email_key.contains(**part) | User.user_name_key.contains(**part))
        if limit is None:
            return Page([profile_view(row) for row in tenant.connection.execute(statement, _parameters(tenant))])
        rows = tenant.connection.execute(statement.limit(limit + 1), _parameters(tenant)).all()
        return Page.of(rows, limit, profile_view, key=lambda row: row.email_key)


def show_user(enterprise: str, reference: str) -> dict[str, Any]:
    """Return the user with the id or work e-mail address ``reference``; raises ``NoSuchThing``."""
    with reading_in(enterprise) as tenant:
        return profile_view(get_profile_row(tenant, reference))


@retried
def update_manual_user(
    enterprise: str, reference: str, changes: Mapping[str, Any], *, if_match: str | None = None
) -> dict[str, Any]:
    """Change the members of a manual user that are given (None clears one) and return the user.

    Raises ``Conflict`` for a provisioned user, which the directory changes.
    """
    given = validated_changes(schemas.MANUAL_USER, changes)
    with writing_in(enterprise, changes_settings=False) as tenant:
        row = _get_for_update(tenant, reference, if_match)
        _refuse_provisioned(tenant, row, "changed")
        before = read_document(row)
        fields = profile_view(row) | given
        keeps_role = "role" not in given
        role = None if keeps_role or given["role"] is None else get_role(tenant, given["role"], field="role")
        user = _document(fields, row.id, role)
        role_id, role_name = (role.id, role.name) if role else (None, tenant.row.default_role)
        if keeps_role:
            user = with_role(user, next(iter(before.get("roles", [])), None))
            role_id, role_name = row.role_id, row.role
        _store(tenant, row, before, user, role_id=role_id, role=role_name, effective=fields)
        return profile_view(get_profile_row(tenant, row.id))


def _store(
    tenant: Tenant,
    row: Any,
    before: Resource,
    user: Resource,
    *,
    role_id: str | None,
    role: str,
    effective: Mapping[str, Any],
) -> None:
    own = {name: effective[name] or None for name in ("title", "organization")}
    changed = changed_attributes(before, user) + [name for name, value in own.items() if value != getattr(row, name)]
    if role != row.role and "roles" not in changed:
        changed.append("roles")
    if not changed and role_id == row.role_id:
        return
    at = clock.timestamp(clock.now())
    answered = user != before or role_id != row.role_id
    columns = user_columns(user, role_id=role_id, unique_user_name=tenant.row.unique_user_name)
    counts = {"version": User.version + 1, "modified_at": at} if answered else {}
    statement = update(User).where(User.enterprise_id == tenant.id, User.id == row.id)
    _execute_unique(tenant, statement.values(**columns, **own, **counts, revision=User.revision + 1, changed_at=at))
    kind = change_type(taken_over=False, active=user["active"], was_active=before["active"])
    sides = (role, user["active"], row.role, before["active"])
    change = UserChange(kind, row.id, work_address(user), changed, *sides, BY_ADMINISTRATOR)
    record_change(tenant.connection, tenant.id, change, at=at)


@retried
def delete_manual_user(enterprise: str, reference: str, *, if_match: str | None = None) -> dict[str, Any]:
    """Delete a manual user for good and return what it was; raises ``Conflict`` for a provisioned one."""
    with writing_in(enterprise, changes_settings=False) as tenant:
        row = _get_for_update(tenant, reference, if_match)
        _refuse_provisioned(tenant, row, "deleted")
        tenant.connection.execute(delete(User).where(User.enterprise_id == tenant.id, User.id == row.id))
        at = clock.timestamp(clock.now())
        sides = (row.role, False, row.role, row.active)
        change = UserChange(DELETED, row.id, work_address(read_document(row)), [], *sides, BY_ADMINISTRATOR)
        record_change(tenant.connection, tenant.id, change, at=at)
        return profile_view(row)


@retried
def edit_profile(
    enterprise: str, reference: str, changes: Mapping[str, Any], *, if_match: str | None = None
) -> dict[str, Any]:
    """Make the user's own edit of title and organization, and return the user (contract section 6).

    The directory's values stay, so that the provider sees no drift. Raises ``NotAllowed`` under a role that restricts
    editing.
    """
    given = validated_changes(schemas.PROFILE, changes)
    with writing_in(enterprise, changes_settings=False) as tenant:
        row = _get_for_update(tenant, reference, if_match)
        if tenant.row.default_restricts if row.role_id is None else row.restricts:
            raise NotAllowed(
                f"the role {row.role!r} restricts editing: title and organization come from the directory alone; "
                "have them changed there, or give the user another role"
            )
        own = {name: value or None for name, value in given.items()}
        changed = [name for name, value in own.items() if value != getattr(row, name)]
        if changed:
            at = clock.timestamp(clock.now())
            statement = update(User).where(User.enterprise_id == tenant.id, User.id == row.id)
            tenant.connection.execute(statement.values(**own, revision=User.revision + 1, changed_at=at))
            sides = (row.role, row.active, row.role, row.active)
            change = UserChange(UPDATED, row.id, work_address(read_document(row)), changed, *sides, BY_USER)
            record_change(tenant.connection, tenant.id, change, at=at)
        return profile_view(get_profile_row(tenant, row.id))


def _document(fields: Mapping[str, Any], user_id: str, role: Any) -> Resource:
    try:
        user = canonical_user(manual_document(fields) | {"id": user_id}, RequestNotes())
    except ScimError as error:
        raise InvalidInput(error.detail, {"email": [error.detail]}) from None
    return with_role(user, default_element(role.name) if role else None)


def _refuse_provisioned(tenant: Tenant, row: Any, what: str) -> None:
    if row.source != MANUAL:
        raise Conflict(
            f"this user of {tenant.row.name} is provisioned by SCIM and is {what} there: in Entra, for example; "
            "here title and organization can be edited, unless the role restricts it"
        )


def _execute_unique(tenant: Tenant, statement: Any) -> None:
    try:
        tenant.connection.execute(statement)
    except IntegrityError as error:
        broken = str(error.orig)
        if "email" in broken:
            detail = f"a user of {tenant.row.name} has this e-mail address already"
            raise Conflict(detail, {"email": ["is another user's already"]}) from None
        if "user_name" in broken:
            detail = f"a user of {tenant.row.name} has this userName already"
            raise Conflict(detail, {"user_name": ["is another user's already"]}) from None
        raise Conflict("the role was removed at this moment") from None


def _parameters(tenant: Tenant) -> dict[str, str]:
    return tenant.own | {"default_role": tenant.row.default_role}


def get_profile_row(tenant: Tenant, reference: str, statement: Any = queries.PROFILE) -> Any:
    """Return the row of the user with the id or work address ``reference``; raises ``NoSuchThing``."""
    parameters = _parameters(tenant) | {"id": reference, "key": fold(reference)}
    row = tenant.connection.execute(statement, parameters).one_or_none()
    if row is None:
        raise NoSuchThing(f"there is no user {reference!r} in {tenant.row.name}", what="user")
    return row


def _get_for_update(tenant: Tenant, reference: str, if_match: str | None) -> Any:
    row = queries.asked_whole(lambda: get_profile_row(tenant, reference, queries.PROFILE_FOR_UPDATE))
    check_if_match(profile_view(row), if_match)
    return row
