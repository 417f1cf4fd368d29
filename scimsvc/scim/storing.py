"""Store a user whom SCIM changes, and record the change in the log and the feed, in one transaction."""

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime

from scimsvc import clock
from scimsvc.activity.feed_writing import UserChange, change_type
from scimsvc.activity.log_writing import record_write
from scimsvc.enterprises.removal_limit import refuse_mass_removal
from scimsvc.mapping.effective_values import effective_values
from scimsvc.mapping.judge import RoleAfter, role_after
from scimsvc.mapping.resolve import RoleDecision
from scimsvc.protocol.attributes import ACTIVE, EMAILS, ROLES, USER_NAME, Resource
from scimsvc.protocol.document_size import refuse_large_document
from scimsvc.protocol.errors import InvalidValue, QuotaExceeded, ScimError
from scimsvc.protocol.messages import Representation
from scimsvc.protocol.resources import differences
from scimsvc.protocol.updates import with_old_values
from scimsvc.protocol.users import work_address
from scimsvc.scim.conflicts import conflict_in_words
from scimsvc.scim.locking import UserLock
from scimsvc.scim.quotas import claim_growth
from scimsvc.scim.request import ScimRequest
from scimsvc.scim.user_groups import represent_written
from scimsvc.store import user_writes
from scimsvc.store.engine.transactions import Connection
from scimsvc.store.representations import content_columns, directory_values
from scimsvc.store.user_writes import EmailTaken, UserConflict, UserNameTaken, UserUpdate
from scimsvc.vocabulary import MANUAL, PROVISIONED
from scimsvc.web.providers import advise
from scimsvc.web.state import request_state


def store_user(lock: UserLock, user: Resource, decision: RoleDecision | None, *, disables: bool) -> Representation:
    """Store ``user`` in the row of ``lock`` and return it. The ``decision`` None keeps the present role.

    A write that changes nothing is only logged. A user who is disabled keeps the values that cannot be stored.
    """
    connection, request, rules, row = lock.connection, lock.request, lock.rules, lock.row
    role = role_after(rules, row, decision)
    request.attempt.role = role.name
    request.attempt.has_group_role = role.id is None and row.group_role is not None
    directory, before = directory_values(user), directory_values(lock.before)
    effective = effective_values(directory, before, (row.title, row.organization), restricted=role.restrict_editing)
    update = UserUpdate(row, lock.before, user, role.id, PROVISIONED, *effective)
    change = _change(lock, update, role)
    if change.old_active and not change.active:
        refuse_mass_removal(connection, rules, row.id)
    now = clock.now()
    if not (change.changed or update.is_visible or row.source == MANUAL):
        record(connection, request, None, user, status=200, at=now)
        return represent_written(connection, request, rules, row)
    content, unique_user_name = content_columns(user, request.attempt.user_type), rules.unique_user_name
    request.attempt.wanted = user
    try:
        # A plain disable needs no savepoint, because it cannot be refused.
        with connection.begin_nested() if disables and change.changed != _DISABLED else nullcontext():
            refuse_large_document(user, content["document"], request.notes.limits, before=row.document)
            new_row = user_writes.update_user(
                connection, rules.id, update, content, unique_user_name=unique_user_name, at=clock.timestamp(now)
            )
            if change.changed != _DISABLED:
                claim_growth(connection, rules.id, row.document, new_row.document)
    except (UserConflict, InvalidValue, QuotaExceeded) as error:
        if not disables or change.changed == _DISABLED:
            raise
        return _store_without_refused(lock, user, decision, error, change.changed)
    record(connection, request, change, user, status=200, at=now)
    return represent_written(connection, request, rules, new_row)


#: The only change of a user who is disabled and keeps everything else.
_DISABLED = [ACTIVE.name]


def _store_without_refused(
    lock: UserLock, user: Resource, decision: RoleDecision | None, error: Exception, changed: Sequence[str]
) -> Representation:
    """Store ``user``, who is disabled, with the present values of the attributes that ``error`` is about."""
    request = lock.request
    if isinstance(error, EmailTaken | UserNameTaken):
        refused = EMAILS if isinstance(error, EmailTaken) else USER_NAME
        request.notes.keep((refused.name,), conflict_in_words(request, error))
        user = with_old_values(user, lock.before, (refused,), request.attempt.user_type)
        return store_user(lock, user, decision, disables=True)
    if not isinstance(error, ScimError):
        raise error
    # The user is too large, and every changed attribute contributes to it.
    for name in changed:
        if name != ACTIVE.name:
            request.notes.keep((name,), advise(error, request_state()))
    return store_user(lock, {**lock.before, ACTIVE.name: False}, None, disables=True)


#: The attributes whose old and new values the log keeps, beside the work address and the role, and their characters.
_LOGGED = frozenset(
    {"userName", "displayName", "name.givenName", "name.familyName", "title", "organization", "department"}
)
_LONGEST_VALUE = 100


def _change(lock: UserLock, update: UserUpdate, role: RoleAfter) -> UserChange:
    """Return the differences in the document, the effective values and the role, as an entry for the feed."""
    row, user, before = lock.row, update.document, update.before
    attempt = lock.request.attempt
    found = differences(before, user, attempt.user_type)
    changed = [name for name, _, _ in found]
    pairs = (("title", row.title, update.title), ("organization", row.organization, update.organization))
    effective = attempt.effective = {name: (old, new) for name, old, new in pairs if old != new}
    for name in effective:
        if name not in changed:
            changed.append(name)
    old_role = row.role or lock.rules.default_role
    if role.name != old_role and ROLES.name not in changed:
        changed.append(ROLES.name)
    active, was_active = user["active"], before["active"]
    email = work_address(user)
    attempt.differences = [
        (name, old and old[:_LONGEST_VALUE], new and new[:_LONGEST_VALUE])
        for name, old, new in found
        if name in _LOGGED
    ]
    if EMAILS.name in changed:
        attempt.differences.append((EMAILS.name, work_address(before), email))
    if role.name != old_role:
        attempt.differences.append(("role", old_role, role.name))
    return UserChange(
        type=change_type(taken_over=row.source == MANUAL, active=active, was_active=was_active),
        user_id=row.id,
        email=email,
        changed=changed,
        role=role.name,
        active=active,
        old_role=old_role,
        old_active=was_active,
    )


def record(
    connection: Connection,
    request: ScimRequest,
    change: UserChange | None,
    user: Resource | None,
    *,
    status: int,
    at: datetime,
) -> None:
    """Write an entry to the log and, unless ``change`` is None because nothing changed, one to the feed."""
    attempt = request.attempt
    attempt.after = user
    if change is not None:
        attempt.email, attempt.role, attempt.changed = change.email, change.role, change.changed
        attempt.effect = change.type
    if request.notes.kept:
        request.notes.disables = 1
    record_write(connection, request.log_entry(status), change, at=at)
