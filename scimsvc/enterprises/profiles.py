"""List and show all users of an enterprise, manual and provisioned, and edit their profiles."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict, Unpack

from scimsvc import clock, schemas
from scimsvc.activity.audit import AuditLog, Target, audited, changed
from scimsvc.activity.feed_writing import UserChange, record_change
from scimsvc.enterprises.groups import get_group
from scimsvc.errors import NoSuchThing, NotAllowed
from scimsvc.mapping.roles import get_role
from scimsvc.protocol.custom_attributes import custom_values, user_type
from scimsvc.protocol.users import work_address
from scimsvc.schemas.entity_tags import check_if_match
from scimsvc.schemas.validation import validated_changes
from scimsvc.store.confirmations import find_confirmation, list_confirmations, list_confirmations_of
from scimsvc.store.paging import Page
from scimsvc.store.profiles import (
    Profile,
    ProfileFilter,
    find_profile,
    list_profiles,
    lock_profile,
    profile_view,
    read_page,
)
from scimsvc.store.representations import read_document
from scimsvc.store.tenancy import Tenant, reading_in, writing_in
from scimsvc.store.user_groups import list_groups_of_users
from scimsvc.store.user_writes import EffectiveValues, update_effective_values
from scimsvc.vocabulary import BY_USER, UPDATED, Action


class Conditions(TypedDict, total=False):
    """Conditions of a list of users other than the role; see ``ProfileFilter``."""

    active: bool | None
    source: str | None
    email: str | None
    external_id: str | None
    search: str | None


def list_users(
    enterprise: str,
    *,
    role: str | None = None,
    group: str | None = None,
    after: str | None = None,
    limit: int | None = None,
    **conditions: Unpack[Conditions],
) -> Page:
    """Return users sorted by e-mail address: all of them, or a page of at most ``limit`` after the address ``after``.

    ``Page.next`` is the folded address of the last user if another page follows. Without a limit, each user also has
    the time of the last confirmation.

    ``role`` is the ID, the name or an alias of a role, and ``group`` the ID or the name of a group. Raises
    ``InvalidInput`` if the role or the group does not exist.
    """
    condition = ProfileFilter(**conditions)
    with reading_in(enterprise) as tenant:
        if role is not None:
            wanted = get_role(tenant, role, field="role")
            condition = replace(condition, role_id=wanted.id, or_on_default=wanted.is_default)
        if group is not None:
            condition = replace(condition, group_id=get_group(tenant, group, field="group").id)
        if limit is None:
            confirmed = list_confirmations(tenant.connection, tenant.id)
            rows = list_profiles(tenant, condition)
            return Page([profile_view(row) | {"confirmed_at": confirmed.get(row.id)} for row in rows])
        page, more = read_page(tenant, condition, after=after, limit=limit)
        return Page(list(map(profile_view, page)), page[-1].email_key if more and page else None)


def list_detailed_users(enterprise: str, *, after: str | None, limit: int) -> Page:
    """Return a page of all users as ``show_user`` does, sorted by e-mail address; see ``list_users``."""
    with reading_in(enterprise) as tenant:
        rows, more = read_page(tenant, ProfileFilter(), after=after, limit=limit)
        ids = [row.id for row in rows]
        groups, confirmed = _groups_of(tenant, ids), list_confirmations_of(tenant.connection, tenant.id, ids)
        users = [
            profile_view(row)
            | {
                "groups": groups[row.id],
                "custom": _custom_values_of(tenant, row),
                "confirmed_at": confirmed.get(row.id),
            }
            for row in rows
        ]
    return Page(users, rows[-1].email_key if more and rows else None)


def show_user(enterprise: str, reference: str) -> dict[str, Any]:
    """Return the user with the ID or work e-mail address ``reference``, with groups and custom attributes.

    Raises ``NoSuchThing``.
    """
    with reading_in(enterprise) as tenant:
        return with_details(tenant, profile_view(get_profile(tenant, reference)))


def with_details(tenant: Tenant, user: dict[str, Any]) -> dict[str, Any]:
    """Return the view of one ``user`` with the groups, the values of custom attributes and the last confirmation."""
    groups = _groups_of(tenant, [user["id"]])
    return user | {
        "groups": groups[user["id"]],
        "confirmed_at": find_confirmation(tenant.connection, tenant.id, user["id"]),
        "custom": _custom_values(tenant, user["id"]),
    }


def _groups_of(tenant: Tenant, user_ids: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    """Return the groups of each user."""
    groups: dict[str, list[dict[str, str]]] = {user_id: [] for user_id in user_ids}
    if user_ids and tenant.row.has_groups:
        for row in list_groups_of_users(tenant.connection, tenant.id, user_ids):
            groups[row.user_id].append({"id": row.group_id, "name": row.name})
    return groups


def _custom_values(tenant: Tenant, user_id: str) -> dict[str, Any]:
    if tenant.row.custom_attributes is None:
        return {}
    return _custom_values_of(tenant, get_profile(tenant, user_id))


def _custom_values_of(tenant: Tenant, row: Profile) -> dict[str, Any]:
    if tenant.row.custom_attributes is None:
        return {}
    return custom_values(read_document(row), user_type(tenant.row.custom_attributes))


def get_profile(tenant: Tenant, reference: str) -> Profile:
    """Return the row of the user with the ID or work e-mail address ``reference``; raises ``NoSuchThing``."""
    return _existing(tenant, reference, find_profile(tenant, reference))


def get_locked_profile(tenant: Tenant, reference: str, if_match: str | None) -> Profile:
    """Return the row of the user ``reference``, locked for a change.

    Raises ``NoSuchThing``, or ``OutOfDate`` if ``if_match`` names another version.
    """
    row = _existing(tenant, reference, lock_profile(tenant, reference))
    if if_match is not None:
        check_if_match(with_details(tenant, profile_view(row)), if_match)
    return row


def _existing(tenant: Tenant, reference: str, row: Profile | None) -> Profile:
    if row is None:
        raise NoSuchThing(
            f"User {reference!r} does not exist in {tenant.row.name}. Use the ID or the work e-mail address of a user.",
            what="user",
        )
    return row


@audited
def edit_profile(
    enterprise: str, reference: str, changes: Mapping[str, Any], *, if_match: str | None = None
) -> dict[str, Any]:
    """Change the effective title and organization of a user, and return the user (contract section 6).

    The directory values stay unchanged, so that the provider sees no difference. Raises ``NotAllowed`` if the user's
    role restricts editing.
    """
    fields = validated_changes(schemas.PROFILE, changes)
    with writing_in(enterprise, changes_settings=False) as tenant:
        row = get_locked_profile(tenant, reference, if_match)
        if tenant.row.default_restricts if row.restricts is None else row.restricts:
            raise NotAllowed(
                f"Role {row.role!r} restricts editing: title and organization come only from the directory. "
                "Change them in the directory, or assign another role to the user."
            )
        title, organization = (fields.get(name, getattr(row, name)) or None for name in ("title", "organization"))
        return _store_edit(tenant, row, EffectiveValues(row.id, title, organization))


def _store_edit(tenant: Tenant, row: Profile, values: EffectiveValues) -> dict[str, Any]:
    """Store ``values``, record the change, and return the user. Do nothing if nothing changes."""
    before = profile_view(row)
    names = [name for name in ("title", "organization") if getattr(values, name) != getattr(row, name)]
    if not names:
        return with_details(tenant, before)
    at = clock.timestamp(clock.now())
    update_effective_values(tenant.connection, tenant.id, [values], at=at)
    change = UserChange(
        type=UPDATED,
        user_id=row.id,
        email=work_address(read_document(row)),
        changed=names,
        role=row.role,
        active=row.active,
        old_role=row.role,
        old_active=row.active,
        origin=BY_USER,
    )
    after = profile_view(get_profile(tenant, row.id))
    AuditLog.of(tenant).record(Action.USER_UPDATED, user_target(after), changed(before, after), at=at)
    record_change(tenant.connection, tenant.id, change, at=at)
    return with_details(tenant, after)


def user_target(user: Mapping[str, Any]) -> Target:
    """Return the ``user`` as the target of an action."""
    return Target(user["id"], user["email"])
