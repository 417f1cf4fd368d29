"""Create, read, replace, patch and delete users through SCIM (RFC 7644 §3.3 to §3.6).

A write reads its body and opens one transaction. In this transaction it locks the enterprise and the user, judges the
role (``scimsvc.mapping``), stores the user and records the change. A refused request changes nothing.
"""

import uuid
from typing import Any

from scimsvc import clock
from scimsvc.activity.feed_writing import UserChange
from scimsvc.enterprises.memberships import leave_all_groups
from scimsvc.enterprises.removal_limit import refuse_mass_removal
from scimsvc.mapping.judge import judge_changed_user, judge_new_user, sent_value
from scimsvc.mapping.resolve import RoleDecision, is_undecided
from scimsvc.protocol.attributes import ACTIVE, ROLES, Resource
from scimsvc.protocol.document_size import refuse_large_document
from scimsvc.protocol.errors import InvalidValue, Mutability, ScimError
from scimsvc.protocol.messages import Representation
from scimsvc.protocol.reading.bodies import read_new_user
from scimsvc.protocol.reading.tolerances import Tolerance
from scimsvc.protocol.reasons import Reason
from scimsvc.protocol.resources import changed_attributes
from scimsvc.protocol.role_elements import with_role
from scimsvc.protocol.updates import disables_by, patched, read_patch, read_replacement, replaced, with_old_values
from scimsvc.protocol.users import work_address
from scimsvc.protocol.versions import UNCONDITIONAL, Preconditions
from scimsvc.scim.claims import claimed_address
from scimsvc.scim.conflicts import conflict_error
from scimsvc.scim.locking import UserLock, known_form, lock_enterprise, lock_user, no_such_user
from scimsvc.scim.quotas import claim_new_user
from scimsvc.scim.request import ScimRequest
from scimsvc.scim.storing import record, store_user
from scimsvc.scim.user_groups import with_own_groups
from scimsvc.store import user_writes
from scimsvc.store.engine.retries import retried
from scimsvc.store.engine.transactions import Connection, writing
from scimsvc.store.representations import directory_values, represent, user_columns
from scimsvc.store.user_writes import NewUser, UserConflict
from scimsvc.store.users import EnterpriseRules, UserToChange, find_user
from scimsvc.vocabulary import CREATED, DELETED, MANUAL, PROVISIONED
from scimsvc.web.providers import advise
from scimsvc.web.state import request_state


@retried
def create_user(request: ScimRequest, body: Any, *, user_id: str | None = None) -> Representation:
    """Create the user that ``body`` describes and return it (RFC 7644 §3.3). Existing users are never taken over.

    ``user_id`` is the ID of the new user if Bulk has already assigned one. Raises ``ScimError``.
    """
    user = understand_new_user(request, body, user_id or str(uuid.uuid4()))
    try:
        with writing() as connection:
            return insert_new_user(connection, request, user)
    except UserConflict as error:
        raise conflict_error(request, error) from None


def understand_new_user(request: ScimRequest, body: Any, user_id: str) -> Resource:
    """Return the user with the ID ``user_id`` that ``body`` describes; raises ``ScimError``."""
    attempt = request.attempt
    attempt.body = body
    user = attempt.understood = _read_new_user(request, body, user_id)
    attempt.email = work_address(user)
    return user


def insert_new_user(connection: Connection, request: ScimRequest, user: Resource) -> Representation:
    """Insert the new ``user``, record it and return it; raises ``ScimError`` or ``UserConflict``."""
    attempt, user_type = request.attempt, request.attempt.user_type
    assert attempt.email is not None  # set by understand_new_user
    rules = lock_enterprise(connection, request)
    decision = _judge_roles(connection, request, rules, user)
    user = attempt.wanted = with_role(user, decision.element, user_type)
    now = clock.now()
    columns = user_columns(user, user_type, role_id=decision.role_id, unique_user_name=rules.unique_user_name)
    refuse_large_document(user, columns["document"], request.notes.limits)
    new_user = NewUser(user["id"], columns, PROVISIONED, *directory_values(user))
    row = user_writes.insert_user(connection, rules.id, new_user, at=clock.timestamp(now))
    claim_new_user(connection, rules.id, row.document)
    change = UserChange(
        type=CREATED,
        user_id=row.id,
        email=attempt.email,
        changed=changed_attributes({"id": row.id}, user, user_type),
        role=decision.role.name if decision.role else rules.default_role,
        active=user["active"],
    )
    attempt.user_id = row.id
    record(connection, request, change, user, status=201, at=now)
    return represent(row, request.view_of(rules))


def _read_new_user(request: ScimRequest, body: Any, user_id: str) -> Resource:
    """Return the user that ``body`` describes.

    Raises ``ScimError`` after noting the address in the body for the log.
    """
    try:
        reject_unknown = request.caller.settings.reject_unknown_attributes
        return read_new_user(
            body, request.attempt.user_type, request.notes, user_id=user_id, reject_unknown=reject_unknown
        )
    except ScimError:
        request.attempt.email = claimed_address(body)
        raise


def get_user(request: ScimRequest, user_id: str) -> Representation:
    """Return one user (RFC 7644 §3.4.1); raises ``NotFound``."""
    row = find_user(request.caller.enterprise_id, known_form(user_id))
    if row is None:
        raise no_such_user(user_id)
    return represent(with_own_groups(request, row), request.view_of(row))


@retried
def replace_user(
    request: ScimRequest, user_id: str, body: Any, preconditions: Preconditions = UNCONDITIONAL
) -> Representation:
    """Replace a user by ``body`` and return it (RFC 7644 §3.5.1).

    Attributes that the body omits are cleared, except for ``active`` and ``roles``. ReadOnly attributes are ignored.
    Raises ``ScimError``.
    """
    attempt, user_type = request.attempt, request.attempt.user_type
    attempt.user_id, attempt.body = user_id, body
    request.notes.kept = {}  # of an earlier try
    reject_unknown = request.caller.settings.reject_unknown_attributes
    resource = attempt.understood = read_replacement(body, user_type, request.notes, reject_unknown=reject_unknown)
    try:
        with writing() as connection:
            lock = lock_user(connection, request, user_id, preconditions)
            user = replaced(lock.before, resource, user_type, request.notes)
            disables = resource.get(ACTIVE.name) is False
            if ROLES.name not in resource:
                lock.note_before()
                user = with_old_values(user, lock.before, (ROLES,), user_type)
                return store_user(lock, user, None, disables=disables)
            return _judge_and_store(lock, user, disables=disables)
    except UserConflict as error:
        raise conflict_error(request, error) from None


@retried
def patch_user(
    request: ScimRequest, user_id: str, body: Any, preconditions: Preconditions = UNCONDITIONAL
) -> Representation:
    """Apply all operations of ``body`` to a user and return it (RFC 7644 §3.5.2).

    Raises ``ScimError`` if one of them cannot be applied; then none is.
    """
    request.attempt.user_id, request.attempt.body = user_id, body
    request.notes.kept = {}  # of an earlier try
    user_type, reject_unknown = request.attempt.user_type, request.caller.settings.reject_unknown_attributes
    operations = read_patch(body, user_type, request.notes, reject_unknown=reject_unknown)
    request.attempt.understood = operations
    attributes = {operation.path.target.steps[0] for operation in operations}
    disables = ACTIVE in attributes and disables_by(operations)
    try:
        with writing() as connection:
            lock = lock_user(connection, request, user_id, preconditions)
            lock.note_before()
            user = patched(lock.before, operations, user_type, request.notes)
            if ROLES not in attributes:
                return store_user(lock, user, None, disables=disables)
            return _judge_and_store(lock, user, disables=disables)
    except UserConflict as error:
        raise conflict_error(request, error) from None


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
        now = clock.now()
        if rules.has_groups:
            leave_all_groups(connection, rules.id, row.id, at=clock.timestamp(now))
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
        record(connection, request, change, None, status=204, at=now)


# The role.


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
    if elements[1:] and is_undecided(elements):
        request.notes.tolerate(Tolerance.HIGHEST_ROLE)
    return attempt.decision


def _judge_and_store(lock: UserLock, user: Resource, *, disables: bool) -> Representation:
    """Judge the role of ``user``, store the user and return it. A user who is disabled keeps a role that is refused."""
    user_type = lock.request.attempt.user_type
    try:
        decision = _judge_roles(lock.connection, lock.request, lock.rules, user, lock.row)
    except InvalidValue as error:
        if not disables:
            raise
        lock.note_before()
        lock.request.notes.keep((ROLES.name,), advise(error, request_state()))
        user = with_old_values(user, lock.before, (ROLES,), user_type)
        return store_user(lock, user, None, disables=True)
    lock.note_before()
    return store_user(lock, with_role(user, decision.element, user_type), decision, disables=disables)
