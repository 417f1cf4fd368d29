"""Users as SCIM sees them: created, read, replaced, patched and deleted (RFC 7644 §3.3 to §3.6).

A write reads its body, then opens one transaction in which everything that it depends on is read, decided and
stored. What is refused leaves nothing behind.
"""

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, insert, update
from sqlalchemy.exc import IntegrityError

from scimsvc import clock
from scimsvc.activity.change_feed import HoldingFeed, UserChange, change_parameters, change_type
from scimsvc.activity.provisioning_log import success_parameters
from scimsvc.activity.recording import insert_records
from scimsvc.enterprises.removal_limit import refuse_mass_removal, refuse_while_paused
from scimsvc.mapping.effective import effective_values
from scimsvc.mapping.resolve import ON_DEFAULT, RoleDecision, chosen_element, resolve_role
from scimsvc.mapping.roles import find_role, read_enterprise_roles
from scimsvc.models import User
from scimsvc.protocol.attributes import ROLES
from scimsvc.protocol.errors import Mutability, NotFound, Unavailable, Uniqueness, shown
from scimsvc.protocol.json_text import write_json
from scimsvc.protocol.messages import Representation
from scimsvc.protocol.patch import Resource, apply_patch
from scimsvc.protocol.projection import Projection
from scimsvc.protocol.reading.bodies import read_new_user, read_patch
from scimsvc.protocol.reading.leniency import read_user
from scimsvc.protocol.reasons import Reason
from scimsvc.protocol.resources import canonical_again, canonical_user, changed_attributes, work_address
from scimsvc.protocol.role_elements import default_element, with_role
from scimsvc.protocol.versions import UNCONDITIONAL, Preconditions
from scimsvc.scim.request import ScimRequest, claimed_address
from scimsvc.store import queries
from scimsvc.store.fast.prepared import Prepared
from scimsvc.store.representations import (
    KEY_ATTRIBUTES,
    StoredUser,
    content_columns,
    directory_values,
    key_columns,
    read_document,
    represent,
    user_columns,
)
from scimsvc.store.retries import retried
from scimsvc.store.transactions import read_rows, writing
from scimsvc.vocabulary import CREATED, DELETED, MANUAL, PROVISIONED


@retried
def create_user(request: ScimRequest, body: Any, *, user_id: str | None = None) -> Representation:
    """Create the user that ``body`` describes (RFC 7644 §3.3); never takes over one that exists.

    ``user_id`` is the id it gets, where one was promised already (Bulk).
    """
    attempt = request.attempt
    attempt.email = claimed_address(body)
    user = attempt.understood = read_new_user(
        body,
        request.notes,
        user_id=user_id or str(uuid.uuid4()),
        reject_unknown=request.caller.reject_unknown_attributes,
    )
    attempt.email = work_address(user)
    with writing() as connection:
        rules = _hold_enterprise(connection, request)
        decision = _judge_roles(connection, request, rules, user.get(ROLES.name, []))
        user = with_role(user, decision.element)
        now = clock.now()
        title, organization = directory_values(user)
        columns = user_columns(user, role_id=decision.role_id, unique_user_name=rules.unique_user_name)
        row = _new_row(columns, clock.timestamp(now)) | {
            "enterprise_id": rules.id,
            "id": user["id"],
            "source": PROVISIONED,
            "title": title,
            "organization": organization,
        }
        _execute_unique(connection, _INSERT, _new(row), user, rules)
        change = UserChange(
            CREATED,
            user["id"],
            attempt.email,
            changed_attributes({"id": user["id"]}, user),
            role=decision.role.name if decision.role else rules.default_role,
            active=user["active"],
        )
        attempt.user_id = user["id"]
        _record(connection, request, change, user, status=201, at=now)
        return represent(StoredUser(**{name: row[name] for name in StoredUser._fields}), request.view_of(rules))


def _new_row(columns: dict[str, Any], at: str) -> dict[str, Any]:
    """Return the columns of a row that is new at the time ``at``."""
    return columns | {"version": 1, "revision": 1, "created_at": at, "modified_at": at, "changed_at": at}


def get_user(request: ScimRequest, user_id: str) -> Representation:
    """Return one user (RFC 7644 §3.4.1); raises ``NotFound``."""
    rows = read_rows(queries.USER, _key(request, user_id))
    if not rows:
        raise _no_such_user(user_id)
    return represent(rows[0], request.view_of(rows[0]))


@retried
def replace_user(
    request: ScimRequest, user_id: str, body: Any, preconditions: Preconditions = UNCONDITIONAL
) -> Representation:
    """Replace a user by ``body`` (RFC 7644 §3.5.1): what it leaves out is cleared, what is readOnly is ignored."""
    attempt = request.attempt
    attempt.user_id, attempt.email = user_id, claimed_address(body)
    received = read_user(body, request.notes, reject_unknown=request.caller.reject_unknown_attributes)
    attempt.understood = received
    with writing() as connection:
        rules, row = _hold_user(connection, request, user_id, preconditions)
        user = canonical_user(received | {"id": row.id}, request.notes)
        decision = _judge_changed_roles(connection, request, rules, row, user)
        before = _document_before(request, row)
        return _store(connection, request, rules, row, before, with_role(user, decision.element), decision)


@retried
def patch_user(
    request: ScimRequest, user_id: str, body: Any, preconditions: Preconditions = UNCONDITIONAL
) -> Representation:
    """Apply the operations of ``body`` to a user, all or none (RFC 7644 §3.5.2)."""
    request.attempt.user_id = user_id
    operations = read_patch(body, request.notes, reject_unknown=request.caller.reject_unknown_attributes)
    request.attempt.understood = operations
    touched = dict.fromkeys(operation.path.target.steps[0] for operation in operations)
    with writing() as connection:
        rules, row = _hold_user(connection, request, user_id, preconditions)
        before = _document_before(request, row)
        user = canonical_again(apply_patch(before, operations, request.notes), touched, request.notes)
        if ROLES not in touched:
            return _store(connection, request, rules, row, before, user, None)
        decision = _judge_changed_roles(connection, request, rules, row, user)
        return _store(connection, request, rules, row, before, with_role(user, decision.element), decision)


@retried
def delete_user(request: ScimRequest, user_id: str, preconditions: Preconditions = UNCONDITIONAL) -> None:
    """Delete a provisioned user for good (RFC 7644 §3.6); raises ``Mutability`` for one that SCIM never had."""
    request.attempt.user_id = user_id
    with writing() as connection:
        rules, row = _hold_user(connection, request, user_id, preconditions)
        before = _document_before(request, row)
        if row.source == MANUAL:
            raise Mutability(
                f"this user was made by hand in {rules.name}, not by SCIM, and is not deleted by it; "
                "delete the user in the application, or update the user by SCIM first, which takes it over",
                reason=Reason.MANUAL_USER,
            )
        refuse_mass_removal(connection, rules, row.id)
        _DELETE.run(connection, _statement_key(rules.id, row.id), enterprise_id=rules.id)
        role = row.role or rules.default_role
        change = UserChange(DELETED, row.id, work_address(before), [], role, False, role, before["active"])
        _record(connection, request, change, None, status=204, at=clock.now())


def project(text: str, projection: Projection) -> str:
    """Return ``text``, a user's, with the attributes that ``projection`` wants."""
    return text if projection.is_whole else write_json(projection.apply(json.loads(text)))


# Roles: judged once, after the last operation (contract section 7).


def _judge_roles(
    connection: Connection, request: ScimRequest, rules: Any, elements: Sequence[Resource]
) -> RoleDecision:
    if not elements:
        return _decided(request, ON_DEFAULT)
    _note_role_value(request, elements)
    return _decided(request, _decide(connection, rules, elements))


def _decide(connection: Connection, rules: Any, elements: Sequence[Resource]) -> RoleDecision:
    """Return what ``resolve_role`` does, having read no more than the role that is named, where there is one."""
    element = chosen_element(elements)
    role = find_role(connection, rules.id, element["value"]) if element is not None else None
    if role is not None:
        return RoleDecision(role, element)
    return resolve_role(elements, read_enterprise_roles(connection, rules.id, rules.name))


def _judge_changed_roles(
    connection: Connection, request: ScimRequest, rules: Any, row: Any, user: Resource
) -> RoleDecision:
    """Judge the roles of a user that exists, where what is answered today may come back as it is."""
    elements = user.get(ROLES.name, [])
    if not elements or (row.role_id is None and elements == [default_element(rules.default_role)]):
        return _decided(request, ON_DEFAULT)
    _note_role_value(request, elements)
    element = chosen_element(elements)
    held = [each["value"] for each in read_document(row).get(ROLES.name, [])]
    if element is not None and held == [element["value"]] and find_role(connection, rules.id, held[0]) is None:
        # The role was renamed since it was given by this value: renaming a role keeps its users.
        roles = read_enterprise_roles(connection, rules.id, rules.name)
        kept = next((role for role in roles.by_name.values() if role.id == row.role_id), None)
        if kept is not None:
            return _decided(request, RoleDecision(kept, element))
    return _decided(request, _decide(connection, rules, elements))


def _note_role_value(request: ScimRequest, elements: Sequence[Resource]) -> None:
    """Note the value that is judged, for the log of its refusal."""
    values = [each["value"] for each in elements if each.get("value")]
    request.attempt.role_value = values[0] if len(values) == 1 else None


def _decided(request: ScimRequest, decision: RoleDecision) -> RoleDecision:
    request.attempt.decision = decision
    return decision


# Rows.


_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _key(request: ScimRequest, user_id: str) -> dict[str, str]:
    # An id that this service never gave cannot be anyone's, and need not reach the database.
    return {"enterprise_id": request.caller.enterprise_id, "id": user_id if _UUID.fullmatch(user_id) else ""}


def _no_such_user(user_id: str) -> NotFound:
    return NotFound(
        f"no user has the id {shown(user_id)}; it may have been deleted since: "
        "in Entra, restart the provisioning so that the user is matched anew",
        reason=Reason.NO_SUCH_USER,
    )


def _hold_enterprise(connection: Connection, request: ScimRequest) -> Any:
    """Return what the enterprise wants of writes (``queries.ENTERPRISE_RULES``), held to the end of the transaction.

    Held first, as whoever changes an enterprise's set-up holds it before its users: a write can neither slip past
    the switch nor meet it head on. Raises ``NotFound``, and ``Unavailable`` while the enterprise is paused.
    """
    own = {"enterprise_id": request.caller.enterprise_id}
    # Asked again where the default role moved on while the enterprise was waited for.
    rules = _RULES.row(connection, own) or _RULES.row(connection, own)
    if rules is None:
        raise NotFound("the enterprise was deleted")
    refuse_while_paused(rules)
    return rules


def _hold_user(
    connection: Connection, request: ScimRequest, user_id: str, preconditions: Preconditions
) -> tuple[Any, Any]:
    """Return what the enterprise wants of writes and the user's row, both held to the end of the transaction.

    Raises what ``_hold_enterprise`` does, ``NotFound`` and ``PreconditionFailed``.
    """
    key = _key(request, user_id)
    both = queries.RULES_AND_USER.row(connection, key) if connection.dialect.name == "sqlite" else None
    if both is not None:
        rules, row = both
        refuse_while_paused(rules)
    else:
        rules = _hold_enterprise(connection, request)
        row = queries.asked_whole(lambda: _USER_FOR_UPDATE.row(connection, key))
    if row is None:
        raise _no_such_user(user_id)
    if preconditions is not UNCONDITIONAL:
        preconditions.check(represent(row, request.view_of(rules)).entity_tag)
    return rules, row


def _document_before(request: ScimRequest, row: Any) -> Resource:
    """Return the user as it stands, noted for whoever wants to know what was tried."""
    before = read_document(row)
    request.attempt.before, request.attempt.email = before, work_address(before)
    return before


def _store(
    connection: Connection,
    request: ScimRequest,
    rules: Any,
    row: Any,
    before: Resource,
    user: Resource,
    decision: RoleDecision | None,
) -> Representation:
    """Store ``user`` in place of ``row``, whose document is ``before``.

    It is on the role of ``decision`` or, where that is None, on the one that it has. What changes nothing that SCIM
    answers bumps neither the version nor ``lastModified``.
    """
    held = row.role or rules.default_role
    role, role_id, restricted = _role_after(rules, row, decision)
    effective = effective_values(
        directory_values(user), directory_values(before), (row.title, row.organization), restricted=restricted
    )
    answered = user != before or role_id != row.role_id
    taken_over = row.source == MANUAL
    changed = _changed(request, before, user, row, effective, role_changed=role != held)
    was_active, active = before["active"], user["active"]
    if was_active and not active:
        refuse_mass_removal(connection, rules, row.id)
    now = clock.now()
    keys_changed = [user.get(name) for name in KEY_ATTRIBUTES] != [before.get(name) for name in KEY_ATTRIBUTES]
    kind = change_type(taken_over=taken_over, active=active, was_active=was_active)
    change = UserChange(kind, row.id, work_address(user), changed, role, active, held, was_active)
    if not changed and not taken_over and not answered:
        _record(connection, request, None, user, status=200, at=now)
        return represent(row, request.view_of(rules))
    at = clock.timestamp(now)
    columns = {
        **content_columns(user),
        "version": row.version + answered,
        "modified_at": at if answered else row.modified_at,
        "revision": row.revision + 1,
        "changed_at": at,
        "title": effective[0],
        "organization": effective[1],
    }
    statement = _UPDATE_CONTENT
    if taken_over or keys_changed or role_id != row.role_id:
        statement = _UPDATE
        columns["source"] = PROVISIONED
        columns |= key_columns(user, role_id=role_id, unique_user_name=rules.unique_user_name)
    _execute_unique(connection, statement, _new(columns) | _statement_key(rules.id, row.id), user, rules)
    _record(connection, request, change, user, status=200, at=now)
    stored = StoredUser(
        row.id, columns["document"], role_id, columns["version"], row.created_at, columns["modified_at"]
    )
    return represent(stored, request.view_of(rules))


def _role_after(rules: Any, row: Any, decision: RoleDecision | None) -> tuple[str, str | None, bool]:
    """Return name and id (None is the default role) of the role that the user gets, and whether it restricts."""
    if decision is None:
        restricts = rules.default_restricts if row.role_id is None else row.restricts
        return row.role or rules.default_role, row.role_id, bool(restricts)
    if decision.role is None:
        return rules.default_role, None, rules.default_restricts
    return decision.role.name, decision.role.id, decision.role.restrict_editing


def _changed(
    request: ScimRequest,
    before: Resource,
    user: Resource,
    row: Any,
    effective: tuple[str | None, str | None],
    *,
    role_changed: bool,
) -> list[str]:
    """Return the names of what changed, in the document, in the effective values or in the role."""
    changed = changed_attributes(before, user)
    pairs = zip(("title", "organization"), (row.title, row.organization), effective, strict=True)
    request.attempt.effective = {name: (old, new) for name, old, new in pairs if old != new}
    also = [name for name in request.attempt.effective if name not in changed]
    return changed + also + ([ROLES.name] if role_changed and ROLES.name not in changed else [])


def _record(
    connection: Connection,
    request: ScimRequest,
    change: UserChange | None,
    user: Resource | None,
    *,
    status: int,
    at: datetime,
) -> None:
    """Write the change (None changed nothing) and the log entry in the transaction of what was done."""
    attempt = request.attempt
    attempt.after = user
    if change is not None:
        attempt.email, attempt.role, attempt.changed = change.email, change.role, list(change.changed)
        attempt.effect = change.type
    own = change and change_parameters(request.caller.enterprise_id, change, at=clock.timestamp(at))
    insert_records(connection, own, success_parameters(request, status=status, at=at))


def _new(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {f"new_{name}": value for name, value in columns.items()}


def _statement_key(enterprise_id: str, user_id: str) -> dict[str, str]:
    return {"key_enterprise_id": enterprise_id, "key_id": user_id}


_OWN_ROW = and_(User.enterprise_id == bindparam("key_enterprise_id"), User.id == bindparam("key_id"))
_CONTENT = ("document", "search", "version", "modified_at", "revision", "changed_at", "title", "organization")
_KEYS = (
    "email_key", "has_other_emails", "user_name_key", "unique_user_name_key", "external_id", "active", "role_id",
    "source",
)  # fmt: skip


def _update(columns: Sequence[str]) -> HoldingFeed:
    return HoldingFeed(update(User).where(_OWN_ROW).values({name: bindparam(f"new_{name}") for name in columns}))


_RULES = Prepared(queries.ENTERPRISE_RULES)
_USER_FOR_UPDATE = Prepared(queries.USER_FOR_UPDATE)
_INSERT = HoldingFeed(
    insert(User).values({each.name: bindparam(f"new_{each.name}") for each in User.__table__.columns})
)
_UPDATE = _update(_CONTENT + _KEYS)
#: Where no key changes: SQLite writes an index anew for every column that is named, whether it changes or not.
_UPDATE_CONTENT = _update(_CONTENT)
_DELETE = HoldingFeed(delete(User).where(_OWN_ROW))


def _execute_unique(
    connection: Connection, statement: HoldingFeed, parameters: dict[str, Any], user: Resource, rules: Any
) -> None:
    """Execute a write of a user; the database's constraints decide who was first."""
    enterprise = rules.name
    try:
        statement.run(connection, parameters, enterprise_id=rules.id)
    except IntegrityError as error:
        broken = str(error.orig)
        if "email" in broken:
            raise Uniqueness(
                f"a user of {enterprise} has the work e-mail address {shown(work_address(user))} already; "
                'match users on emails[type eq "work"].value in Entra, so that it is found before one is created',
                reason=Reason.EMAIL_TAKEN,
            ) from None
        if "unique_user_name" in broken:
            raise Uniqueness(
                f"a user of {enterprise} has the userName {shown(user['userName'])} already, "
                "and the enterprise wants userNames to be unique",
                reason=Reason.USER_NAME_TAKEN,
            ) from None
        raise Unavailable("the role was removed at this moment; send the request again", {"Retry-After": "1"}) from None
