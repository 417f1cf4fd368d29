"""Create, read, replace, patch and delete groups through SCIM (RFC 7644 §3.3 to §3.6, contract section 5a).

A write reads its body and opens one transaction. In this transaction it locks the enterprise and the group, changes
the document and the rows of the members, and records the change. A refused request changes nothing. Members are read
only if they are answered.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from scimsvc import clock
from scimsvc.activity.feed_writing import GroupChange, membership_changes
from scimsvc.activity.log_writing import record_group_write
from scimsvc.enterprises.roles_of_members import GroupName, GroupRoleEffect
from scimsvc.protocol.attributes import EXTERNAL_ID, Resource
from scimsvc.protocol.errors import TooMany
from scimsvc.protocol.groups import GROUP_NAME, GROUPS, MEMBERS
from scimsvc.protocol.members import MemberChange, split_operations, take_members
from scimsvc.protocol.messages import Representation
from scimsvc.protocol.patch import apply_patch
from scimsvc.protocol.reading import bodies, leniency
from scimsvc.protocol.resources import canonical_again, canonical_resource, changed_attributes
from scimsvc.protocol.versions import UNCONDITIONAL, Preconditions
from scimsvc.scim.claims import claimed_name
from scimsvc.scim.conflicts import refused_groups
from scimsvc.scim.locking import GroupLock, known_form, lock_enterprise, lock_group, no_such_group
from scimsvc.scim.quotas import claim_memberships, claim_new_group
from scimsvc.scim.request import ScimRequest
from scimsvc.store import groups as store
from scimsvc.store.engine.deadlines import DeadlineExceeded
from scimsvc.store.engine.retries import retried
from scimsvc.store.engine.transactions import Connection, reading, writing
from scimsvc.store.group_members import GroupMembers, list_members
from scimsvc.store.group_representations import StoredGroup, group_columns, represent_group, stored_group
from scimsvc.vocabulary import GROUP_CREATED, GROUP_DELETED, GROUP_UPDATED


class NewGroup(NamedTuple):
    """A group to create."""

    document: Resource
    members: MemberChange


class FirstGroup(Exception):
    """The enterprise has no groups yet, so that ``mark_groups`` must run before this transaction."""


@retried
def create_group(
    request: ScimRequest, body: Any, *, group_id: str | None = None, with_members: bool = True
) -> Representation:
    """Create the group that ``body`` describes and return it (RFC 7644 §3.3).

    ``group_id`` is the ID of the new group if Bulk has already assigned one. Raises ``ScimError``.
    """
    group = understand_new_group(request, body, group_id or str(uuid.uuid4()))
    try:
        return _create(request, group, with_members=with_members)
    except FirstGroup:
        store.mark_groups(request.caller.enterprise_id)
    return _create(request, group, with_members=with_members)


def understand_new_group(request: ScimRequest, body: Any, group_id: str) -> NewGroup:
    """Return the group with the ID ``group_id`` that ``body`` describes; raises ``ScimError``."""
    resource, members = _read_group(request, body)
    request.attempt.understood = {**resource, MEMBERS.name: [{"value": each} for each in members.added]}
    return NewGroup(canonical_resource(resource | {"id": group_id}, GROUPS, request.notes), members)


def _read_group(request: ScimRequest, body: Any) -> tuple[Resource, MemberChange]:
    """Return the group in a POST or PUT ``body`` without its members, and its members."""
    attempt = request.attempt
    attempt.group, attempt.is_of_group = claimed_name(body), True
    reject_unknown = request.caller.settings.reject_unknown_attributes
    resource = leniency.read_resource(body, GROUPS, request.notes, reject_unknown=reject_unknown)
    return resource, take_members(resource, request.notes.limits)


def _create(request: ScimRequest, group: NewGroup, *, with_members: bool) -> Representation:
    with refused_groups(request), writing() as connection:
        return insert_new_group(connection, request, group, with_members=with_members)


def insert_new_group(
    connection: Connection, request: ScimRequest, group: NewGroup, *, with_members: bool = False
) -> Representation:
    """Insert the new ``group``, record it and return it.

    Raises ``ScimError``, ``GroupNameTaken``, ``UnknownMembers`` or ``FirstGroup``.
    """
    rules = lock_enterprise(connection, request)
    if not rules.has_groups:
        raise FirstGroup
    document, now = group.document, clock.now()
    request.attempt.wanted = document
    claim_new_group(connection, rules.id)
    if group.members.added:
        claim_memberships(connection, rules.id, len(group.members.added))
    columns = group_columns(document, unique_group_name=rules.unique_group_name)
    effect = GroupRoleEffect.of_new_group(connection, rules, document["id"], _name(document), group.members.added)
    row, added = store.insert_group(
        connection, rules.id, document["id"], columns, group.members.added, at=clock.timestamp(now)
    )
    changed = changed_attributes({"id": row.id}, document, GROUPS)
    created = GroupChange(GROUP_CREATED, row.id, document[GROUP_NAME.name], changed)
    _record(connection, request, document, created, added=added, status=201, at=now)
    effect.apply(at=clock.timestamp(now))
    return _represent(connection, request, row, with_members=with_members)


def get_group(request: ScimRequest, group_id: str, *, with_members: bool = True) -> Representation:
    """Return one group (RFC 7644 §3.4.1).

    Raises ``NotFound``, and ``TooMany`` if it takes too long to read the members.
    """
    if not with_members:
        row = store.find_group(request.caller.enterprise_id, known_form(group_id))
        if row is None:
            raise no_such_group(group_id)
        return represent_group(row, request.base, None)
    try:
        with reading() as connection:
            row = store.read_group(connection, request.caller.enterprise_id, known_form(group_id))
            if row is None:
                raise no_such_group(group_id)
            return _represent(connection, request, row, with_members=True)
    except DeadlineExceeded as error:
        if error.hangs:
            raise
        raise TooMany(
            "The group has too many members to read them at once. Send excludedAttributes=members, and find the groups "
            'of a user by the filter members.value eq "…".'
        ) from None


@retried
def replace_group(
    request: ScimRequest,
    group_id: str,
    body: Any,
    preconditions: Preconditions = UNCONDITIONAL,
    *,
    with_members: bool = True,
) -> Representation:
    """Replace a group by ``body`` and return it (RFC 7644 §3.5.1). Without ``members``, all members leave.

    Raises ``ScimError``.
    """
    request.attempt.group_id = group_id
    resource, members = _read_group(request, body)
    request.attempt.understood = {**resource, MEMBERS.name: [{"value": each} for each in members.added]}
    with refused_groups(request), writing() as connection:
        lock = lock_group(connection, request, group_id, preconditions)
        document = canonical_resource(resource | {"id": lock.row.id}, GROUPS, request.notes)
        row = _store(lock, document, members, status=200)
        return _represent(connection, request, row, with_members=with_members)


@retried
def patch_group(
    request: ScimRequest,
    group_id: str,
    body: Any,
    preconditions: Preconditions = UNCONDITIONAL,
    *,
    with_members: bool = False,
    status: int = 204,
) -> Representation:
    """Apply all operations of ``body`` to a group (RFC 7644 §3.5.2) and return it, without members by default.

    ``status`` is that of the answer. Raises ``ScimError`` if one of the operations cannot be applied; then none is.
    """
    request.attempt.group_id, request.attempt.is_of_group = group_id, True
    reject_unknown = request.caller.settings.reject_unknown_attributes
    operations = bodies.read_patch(body, GROUPS, request.notes, reject_unknown=reject_unknown)
    request.attempt.understood = operations
    others, members = split_operations(operations, request.notes.limits)
    touched = dict.fromkeys(operation.path.target.steps[0] for operation in others)
    with refused_groups(request), writing() as connection:
        lock = lock_group(connection, request, group_id, preconditions)
        document = lock.before
        if others:
            patched = apply_patch(document, others, request.notes)
            document = canonical_again(patched, touched, GROUPS, request.notes)
        row = _store(lock, document, members, status=status)
        return _represent(connection, request, row, with_members=with_members)


@retried
def delete_group(request: ScimRequest, group_id: str, preconditions: Preconditions = UNCONDITIONAL) -> None:
    """Delete a group (RFC 7644 §3.6). Its members stay users. Raises ``ScimError``."""
    request.attempt.group_id, request.attempt.is_of_group = group_id, True
    with writing() as connection:
        lock = lock_group(connection, request, group_id, preconditions)
        now = clock.now()
        effect = GroupRoleEffect.of_deletion(connection, lock.rules, lock.row.id)
        store.delete_group(connection, lock.rules.id, lock.row.id)
        deleted = GroupChange(GROUP_DELETED, lock.row.id, lock.row.name)
        _record(connection, request, None, deleted, status=204, at=now)
        effect.apply(at=clock.timestamp(now))


# Storing and recording.


def _store(lock: GroupLock, document: Resource, change: MemberChange, *, status: int) -> StoredGroup:
    """Store ``document`` and the ``change`` of the members, and return the group.

    A write that changes nothing is only logged. Raises ``GroupNameTaken`` or ``UnknownMembers``.
    """
    connection, request, rules, row = lock.connection, lock.request, lock.rules, lock.row
    request.attempt.wanted = document
    changed = changed_attributes(lock.before, document, GROUPS)
    members = GroupMembers(connection, rules.id, row)
    _change_members(members, change)
    now = clock.now()
    if not changed and not members.is_changed:
        _record(connection, request, document, None, status=status, at=now)
        return stored_group(row)
    if members.added:
        claim_memberships(connection, rules.id, len(members.added))
    columns = group_columns(document, unique_group_name=rules.unique_group_name) if changed else None
    moved = [*members.added, *members.removed]
    effect = GroupRoleEffect.of_change(connection, rules, row.id, _name(document) if changed else None, moved)
    new_row = store.update_group(connection, rules.id, row, columns, members, at=clock.timestamp(now))
    updated = GroupChange(GROUP_UPDATED, row.id, document[GROUP_NAME.name], changed) if changed else None
    _record(connection, request, document, updated, added=members.added, removed=members.removed, status=status, at=now)
    effect.apply(at=clock.timestamp(now))
    return new_row


def _name(document: Resource) -> GroupName:
    return GroupName(document[GROUP_NAME.name], document.get(EXTERNAL_ID.name))


def _change_members(members: GroupMembers, change: MemberChange) -> None:
    if not change.is_reset:
        members.remove(change.removed)
        members.add(change.added)
    elif change.added:
        members.replace(change.added)
    elif members.count:
        members.remove_all()


def _record(
    connection: Connection,
    request: ScimRequest,
    document: Resource | None,
    change: GroupChange | None,
    *,
    added: Iterable[str] = (),
    removed: Iterable[str] = (),
    status: int,
    at: datetime,
) -> None:
    """Write an entry to the log, and one to the feed for each change of the attributes and the members."""
    attempt = request.attempt
    attempt.after = document
    attempt.added, attempt.removed = list(added), list(removed)
    if document is not None:
        attempt.group_id, attempt.group = document["id"], document[GROUP_NAME.name]
    changes = [] if change is None else [change]
    changes += membership_changes(
        attempt.group_id or "", attempt.group or "", added=attempt.added, removed=attempt.removed
    )
    attempt.changed = [*(change.changed if change else ()), *([MEMBERS.name] if added or removed else ())]
    attempt.effect = changes[0].type if changes else None
    record_group_write(connection, request.log_entry(status), changes, at=at)


def _represent(connection: Connection, request: ScimRequest, row: StoredGroup, *, with_members: bool) -> Representation:
    members = None
    if with_members:
        enterprise_id = request.caller.enterprise_id
        members = list_members(enterprise_id, row.id, connection=connection) if row.members else []
    return represent_group(row, request.base, members)
