"""Create, change and delete manual users.

SCIM may find a manual user and take the user over (contract section 5). From then on, only the directory changes the
user.
"""

from collections.abc import Mapping
from typing import Any

from scimsvc import clock, schemas
from scimsvc.activity.audit import AuditLog, audited, changed, created, deleted
from scimsvc.activity.feed_writing import UserChange, change_type, record_change
from scimsvc.enterprises.memberships import leave_all_groups
from scimsvc.enterprises.new_users import describe_manual_user, read_manual_document
from scimsvc.enterprises.profiles import get_locked_profile, get_profile, user_target, with_details
from scimsvc.errors import Conflict
from scimsvc.mapping.roles import get_role
from scimsvc.protocol.attributes import ROLES
from scimsvc.protocol.resources import changed_attributes
from scimsvc.protocol.role_elements import with_role
from scimsvc.protocol.users import USERS, work_address
from scimsvc.schemas.validation import validated, validated_changes
from scimsvc.store import user_writes
from scimsvc.store.profiles import Profile, profile_view
from scimsvc.store.representations import content_columns, read_document
from scimsvc.store.roles import RoleRow
from scimsvc.store.tenancy import Tenant, writing_in
from scimsvc.store.user_writes import EmailTaken, UserConflict, UserNameTaken, UserUpdate
from scimsvc.vocabulary import BY_ADMINISTRATOR, DELETED, MANUAL, Action
from scimsvc.web.quotas import quotas


@audited
def create_manual_user(enterprise: str, members: Mapping[str, Any]) -> dict[str, Any]:
    """Create a manual user with the members of ``schemas.ManualUserSchema`` and return it.

    Raises ``InvalidInput``, or ``Conflict`` if the e-mail address is taken.
    """
    fields = validated(schemas.MANUAL_USER, members)
    with writing_in(enterprise, changes_settings=False) as tenant:
        user = describe_manual_user(
            fields,
            _find_role(tenant, fields.get("role")),
            default_role=tenant.row.default_role,
            unique_user_name=tenant.row.unique_user_name,
            origin=BY_ADMINISTRATOR,
        )
        at = clock.timestamp(clock.now())
        try:
            user_writes.insert_user(tenant.connection, tenant.id, user.row, at=at)
        except UserConflict as error:
            raise _conflict(tenant, error) from None
        quotas.current.claim_users(tenant.connection, tenant.id, [user.row.columns["document"]])
        view = profile_view(get_profile(tenant, user.row.id))
        AuditLog.of(tenant).record(Action.USER_CREATED, user_target(view), created(view), at=at)
        record_change(tenant.connection, tenant.id, user.change, at=at)
        return with_details(tenant, view)


@audited
def update_manual_user(
    enterprise: str, reference: str, changes: Mapping[str, Any], *, if_match: str | None = None
) -> dict[str, Any]:
    """Apply ``changes`` to a manual user and return it. The value None clears a member.

    Raises ``Conflict`` for a provisioned user.
    """
    fields = validated_changes(schemas.MANUAL_USER, changes)
    with writing_in(enterprise, changes_settings=False) as tenant:
        row = get_locked_profile(tenant, reference, if_match)
        _refuse_provisioned(tenant, row, "changed", _CHANGE_ADVICE)
        before = read_document(row)
        if "role" in fields:
            role = _find_role(tenant, fields["role"])
            user = read_manual_document(profile_view(row) | fields, row.id, role)
            role_id, role_name = (role.id, role.name) if role else (None, row.group_role or tenant.row.default_role)
        else:
            present = next(iter(before.get(ROLES.name, [])), None)
            user = with_role(read_manual_document(profile_view(row) | fields, row.id, None), present, USERS)
            role_id, role_name = row.role_id, row.role
        effective = {name: fields.get(name, getattr(row, name)) or None for name in ("title", "organization")}
        update = UserUpdate(row, before, user, role_id, MANUAL, **effective)
        return _store(tenant, row, update, role_name)


def _store(tenant: Tenant, row: Profile, update: UserUpdate, role: str) -> dict[str, Any]:
    """Store ``update``, record the change, and return the user. Do nothing if nothing changes."""
    before = profile_view(row)
    change = _change(row, update, role)
    if not change.changed and update.role_id == row.role_id:
        return with_details(tenant, before)
    at = clock.timestamp(clock.now())
    unique_user_name, content = tenant.row.unique_user_name, content_columns(update.document, USERS)
    try:
        user_writes.update_user(tenant.connection, tenant.id, update, content, unique_user_name=unique_user_name, at=at)
    except UserConflict as error:
        raise _conflict(tenant, error) from None
    quotas.current.claim_growth(tenant.connection, tenant.id, row.document, content["document"])
    after = profile_view(get_profile(tenant, row.id))
    AuditLog.of(tenant).record(Action.USER_UPDATED, user_target(after), changed(before, after), at=at)
    record_change(tenant.connection, tenant.id, change, at=at)
    return with_details(tenant, after)


def _change(row: Profile, update: UserUpdate, role: str) -> UserChange:
    """Return the differences in the document, the effective values and the role, as an entry for the feed."""
    user, before = update.document, update.before
    changed = changed_attributes(before, user, USERS)
    pairs = (("title", row.title, update.title), ("organization", row.organization, update.organization))
    changed += [name for name, old, new in pairs if old != new]
    if role != row.role and ROLES.name not in changed:
        changed.append(ROLES.name)
    return UserChange(
        type=change_type(taken_over=False, active=user["active"], was_active=before["active"]),
        user_id=row.id,
        email=work_address(user),
        changed=changed,
        role=role,
        active=user["active"],
        old_role=row.role,
        old_active=before["active"],
        origin=BY_ADMINISTRATOR,
    )


@audited
def delete_manual_user(enterprise: str, reference: str, *, if_match: str | None = None) -> dict[str, Any]:
    """Delete a manual user and return its last state; raises ``Conflict`` for a provisioned user."""
    with writing_in(enterprise, changes_settings=False) as tenant:
        row = get_locked_profile(tenant, reference, if_match)
        _refuse_provisioned(tenant, row, "deleted", _DELETE_ADVICE)
        user, at = profile_view(row), clock.timestamp(clock.now())
        last = with_details(tenant, user)
        if tenant.row.has_groups:
            leave_all_groups(tenant.connection, tenant.id, row.id, at=at)
        user_writes.delete_user(tenant.connection, tenant.id, row.id)
        change = UserChange(
            type=DELETED,
            user_id=row.id,
            email=work_address(read_document(row)),
            changed=[],
            role=row.role,
            active=False,
            old_role=row.role,
            old_active=row.active,
            origin=BY_ADMINISTRATOR,
        )
        AuditLog.of(tenant).record(Action.USER_DELETED, user_target(user), deleted(user), at=at)
        record_change(tenant.connection, tenant.id, change, at=at)
        return last


def _find_role(tenant: Tenant, reference: str | None) -> RoleRow | None:
    """Return the role ``reference``, or None for the default role; raises ``InvalidInput``."""
    return get_role(tenant, reference, field="role") if reference else None


_CHANGE_ADVICE = "Change the user in the identity provider, or edit only title and organization."
_DELETE_ADVICE = "Delete the user in the identity provider."


def _refuse_provisioned(tenant: Tenant, row: Profile, action: str, advice: str) -> None:
    if row.source != MANUAL:
        raise Conflict(f"This user of {tenant.row.name} is provisioned and cannot be {action} here. {advice}")


def _conflict(tenant: Tenant, error: UserConflict) -> Conflict:
    """Return the error for the caller because of ``error``."""
    if isinstance(error, EmailTaken):
        detail = f"Another user in {tenant.row.name} already has this e-mail address. Use another address."
        return Conflict(detail, {"email": ["Already used by another user"]})
    if isinstance(error, UserNameTaken):
        detail = f"Another user in {tenant.row.name} already has this userName. Use another userName."
        return Conflict(detail, {"user_name": ["Already used by another user"]})
    return Conflict("The role was removed during this request. Choose another role.")
