"""Create, read, replace, patch and delete users through SCIM (RFC 7644 §3.3 to §3.6).

A write reads its body and opens one transaction. In this transaction it locks the enterprise and the user, judges the
role (``scimsvc.mapping``), stores the user and records the change. A refused request changes nothing.
"""

import uuid
from datetime import datetime
from typing import Any

from scimsvc import clock
from scimsvc.activity.feed_writing import UserChange, change_type
from scimsvc.activity.log_writing import record_write
from scimsvc.enterprises.removal_limit import refuse_mass_removal
from scimsvc.mapping.effective_values import effective_values
from scimsvc.mapping.judge import RoleAfter, judge_changed_user, judge_new_user, role_after, sent_value
from scimsvc.mapping.resolve import RoleDecision
from scimsvc.protocol.attributes import ROLES
from scimsvc.protocol.document_size import refuse_large_document
from scimsvc.protocol.errors import Mutability, ScimError, Unavailable, Uniqueness, quoted
from scimsvc.protocol.messages import Representation
from scimsvc.protocol.patch import Resource, apply_patch
from scimsvc.protocol.reading.bodies import read_new_user, read_patch
from scimsvc.protocol.reading.leniency import read_user
from scimsvc.protocol.reasons import Reason
from scimsvc.protocol.resources import canonical_again, canonical_user, changed_attributes, work_address
from scimsvc.protocol.role_elements import with_role
from scimsvc.protocol.versions import UNCONDITIONAL, Preconditions
from scimsvc.scim.locking import UserLock, known_form, lock_enterprise, lock_user, no_such_user
from scimsvc.scim.quotas import claim_growth, claim_new_user
from scimsvc.scim.request import ScimRequest, claimed_address
from scimsvc.store import user_writes
from scimsvc.store.engine.retries import retried
from scimsvc.store.engine.transactions import Connection, writing
from scimsvc.store.representations import content_columns, directory_values, represent, user_columns
from scimsvc.store.user_writes import EmailTaken, NewUser, UserConflict, UserNameTaken, UserUpdate
from scimsvc.store.users import EnterpriseRules, UserToChange, find_user
from scimsvc.vocabulary import CREATED, DELETED, MANUAL, PROVISIONED


@retried
def create_user(request: ScimRequest, body: Any, *, user_id: str | None = None) -> Representation:
    """Create the user that ``body`` describes and return it (RFC 7644 §3.3). Existing users are never taken over.

    ``user_id`` is the ID of the new user if Bulk has already assigned one. Raises ``ScimError``.
    """
    user = understand_new_user(request, body, user_id or str(uuid.uuid4()))
    with writing() as connection:
        return insert_new_user(connection, request, user)


def understand_new_user(request: ScimRequest, body: Any, user_id: str) -> Resource:
    """Return the user with the ID ``user_id`` that ``body`` describes; raises ``ScimError``."""
    attempt = request.attempt
    user = attempt.understood = _read_new_user(request, body, user_id)
    attempt.email = work_address(user)
    return user


def insert_new_user(connection: Connection, request: ScimRequest, user: Resource) -> Representation:
    """Insert the new ``user``, record it and return it; raises ``ScimError``."""
    attempt = request.attempt
    assert attempt.email is not None  # set by understand_new_user
    rules = lock_enterprise(connection, request)
    decision = _judge_roles(connection, request, rules, user)
    user = with_role(user, decision.element)
    now = clock.now()
    columns = user_columns(user, role_id=decision.role_id, unique_user_name=rules.unique_user_name)
    refuse_large_document(user, columns["document"], request.notes.limits)
    new_user = NewUser(user["id"], columns, PROVISIONED, *directory_values(user))
    try:
        row = user_writes.insert_user(connection, rules.id, new_user, at=clock.timestamp(now))
    except UserConflict as error:
        raise _conflict(error, user, rules, _AT_CREATE) from None
    claim_new_user(connection, rules.id, row.document)
    change = UserChange(
        type=CREATED,
        user_id=row.id,
        email=attempt.email,
        changed=changed_attributes({"id": row.id}, user),
        role=decision.role.name if decision.role else rules.default_role,
        active=user["active"],
    )
    attempt.user_id = row.id
    _record(connection, request, change, user, status=201, at=now)
    return represent(row, request.view_of(rules))


def _read_new_user(request: ScimRequest, body: Any, user_id: str) -> Resource:
    """Return the user that ``body`` describes.

    Raises ``ScimError`` after noting the address in the body for the log.
    """
    try:
        reject_unknown = request.caller.settings.reject_unknown_attributes
        return read_new_user(body, request.notes, user_id=user_id, reject_unknown=reject_unknown)
    except ScimError:
        request.attempt.email = claimed_address(body)
        raise


def get_user(request: ScimRequest, user_id: str) -> Representation:
    """Return one user (RFC 7644 §3.4.1); raises ``NotFound``."""
    row = find_user(request.caller.enterprise_id, known_form(user_id))
    if row is None:
        raise no_such_user(user_id)
    return represent(row, request.view_of(row))


@retried
def replace_user(
    request: ScimRequest, user_id: str, body: Any, preconditions: Preconditions = UNCONDITIONAL
) -> Representation:
    """Replace a user by ``body`` and return it (RFC 7644 §3.5.1).

    Attributes that the body omits are cleared, and readOnly attributes are ignored. Raises ``ScimError``.
    """
    attempt = request.attempt
    attempt.user_id, attempt.email = user_id, claimed_address(body)
    resource = read_user(body, request.notes, reject_unknown=request.caller.settings.reject_unknown_attributes)
    attempt.understood = resource
    with writing() as connection:
        lock = lock_user(connection, request, user_id, preconditions)
        user = canonical_user(resource | {"id": lock.row.id}, request.notes)
        decision = _judge_roles(connection, request, lock.rules, user, lock.row)
        lock.note_before()
        return _store(lock, with_role(user, decision.element), decision)


@retried
def patch_user(
    request: ScimRequest, user_id: str, body: Any, preconditions: Preconditions = UNCONDITIONAL
) -> Representation:
    """Apply all operations of ``body`` to a user and return it (RFC 7644 §3.5.2).

    Raises ``ScimError`` if one of them cannot be applied; then none is.
    """
    request.attempt.user_id = user_id
    operations = read_patch(body, request.notes, reject_unknown=request.caller.settings.reject_unknown_attributes)
    request.attempt.understood = operations
    attributes = dict.fromkeys(operation.path.target.steps[0] for operation in operations)
    with writing() as connection:
        lock = lock_user(connection, request, user_id, preconditions)
        lock.note_before()
        user = canonical_again(apply_patch(lock.before, operations, request.notes), attributes, request.notes)
        if ROLES not in attributes:
            return _store(lock, user, None)
        decision = _judge_roles(connection, request, lock.rules, user, lock.row)
        return _store(lock, with_role(user, decision.element), decision)


@retried
def delete_user(request: ScimRequest, user_id: str, preconditions: Preconditions = UNCONDITIONAL) -> None:
    """Delete a provisioned user (RFC 7644 §3.6); raises ``Mutability`` for a manual user."""
    request.attempt.user_id = user_id
    with writing() as connection:
        lock = lock_user(connection, request, user_id, preconditions)
        lock.note_before()
        rules, row = lock.rules, lock.row
        if row.source == MANUAL:
            raise Mutability(
                f"This user was created manually in {rules.name} and cannot be deleted through SCIM. Delete the user "
                "in the scimsvc console, under Users, or update the user through SCIM first.",
                reason=Reason.MANUAL_USER,
            )
        refuse_mass_removal(connection, rules, row.id)
        user_writes.delete_user(connection, rules.id, row.id)
        role = row.role or rules.default_role
        change = UserChange(
            type=DELETED,
            user_id=row.id,
            email=work_address(lock.before),
            changed=[],
            role=role,
            active=False,
            old_role=role,
            old_active=lock.before["active"],
        )
        _record(connection, request, change, None, status=204, at=clock.now())


# Judging, storing and recording.


def _judge_roles(
    connection: Connection,
    request: ScimRequest,
    rules: EnterpriseRules,
    user: Resource,
    row: UserToChange | None = None,
) -> RoleDecision:
    """Return the role of ``user``, who replaces ``row`` unless the user is new; raises ``InvalidValue``."""
    elements, attempt = user.get(ROLES.name, []), request.attempt
    attempt.role_value = sent_value(elements)
    if row is None:
        attempt.decision = judge_new_user(connection, rules, elements)
    else:
        attempt.decision = judge_changed_user(connection, rules, row, elements)
    return attempt.decision


def _store(lock: UserLock, user: Resource, decision: RoleDecision | None) -> Representation:
    """Store ``user`` in the row of ``lock`` and return it. The ``decision`` None keeps the present role.

    A write that changes nothing is only logged.
    """
    connection, request, rules, row = lock.connection, lock.request, lock.rules, lock.row
    role = role_after(rules, row, decision)
    directory, before = directory_values(user), directory_values(lock.before)
    effective = effective_values(directory, before, (row.title, row.organization), restricted=role.restrict_editing)
    update = UserUpdate(row, lock.before, user, role.id, PROVISIONED, *effective)
    change = _change(lock, update, role)
    if change.old_active and not change.active:
        refuse_mass_removal(connection, rules, row.id)
    now = clock.now()
    if not (change.changed or update.is_visible or row.source == MANUAL):
        _record(connection, request, None, user, status=200, at=now)
        return represent(row, request.view_of(rules))
    content = content_columns(user)
    refuse_large_document(user, content["document"], request.notes.limits, before=row.document)
    try:
        new_row = user_writes.update_user(
            connection, rules.id, update, content, unique_user_name=rules.unique_user_name, at=clock.timestamp(now)
        )
    except UserConflict as error:
        raise _conflict(error, user, rules, _AT_UPDATE) from None
    claim_growth(connection, rules.id, row.document, new_row.document)
    _record(connection, request, change, user, status=200, at=now)
    return represent(new_row, request.view_of(rules))


def _change(lock: UserLock, update: UserUpdate, role: RoleAfter) -> UserChange:
    """Return the differences in the document, the effective values and the role, as an entry for the feed."""
    row, user, before = lock.row, update.document, update.before
    changed = changed_attributes(before, user)
    pairs = (("title", row.title, update.title), ("organization", row.organization, update.organization))
    effective = lock.request.attempt.effective = {name: (old, new) for name, old, new in pairs if old != new}
    changed += [name for name in effective if name not in changed]
    old_role = row.role or lock.rules.default_role
    if role.name != old_role and ROLES.name not in changed:
        changed.append(ROLES.name)
    active, was_active = user["active"], before["active"]
    return UserChange(
        type=change_type(taken_over=row.source == MANUAL, active=active, was_active=was_active),
        user_id=row.id,
        email=work_address(user),
        changed=changed,
        role=role.name,
        active=active,
        old_role=old_role,
        old_active=was_active,
    )


#: Advice for an e-mail address that another user has.
_AT_CREATE = 'Match users on emails[type eq "work"].value in Entra, so that Entra updates that user instead.'
_AT_UPDATE = "Change one of the two addresses."


def _conflict(error: UserConflict, user: Resource, rules: EnterpriseRules, advice: str) -> ScimError:
    """Return the error that refuses ``user`` because of ``error``, with ``advice`` for a taken address."""
    if isinstance(error, EmailTaken):
        return Uniqueness(
            f"Another user in {rules.name} already has the work e-mail address {quoted(work_address(user))}. {advice}",
            reason=Reason.EMAIL_TAKEN,
        )
    if isinstance(error, UserNameTaken):
        return Uniqueness(
            f"Another user in {rules.name} already has the userName {quoted(user['userName'])}. Change one of the two, "
            "or allow duplicate userNames in the scimsvc console, under Settings.",
            reason=Reason.USER_NAME_TAKEN,
        )
    return Unavailable("The user's role was removed during this request. Retry the request.", {"Retry-After": "1"})


def _record(
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
        attempt.email, attempt.role, attempt.changed = change.email, change.role, list(change.changed)
        attempt.effect = change.type
    record_write(connection, request.log_entry(status), change, at=at)
