"""Users as SCIM sees them: created, read, replaced, patched and deleted (RFC 7644 §3.3 to §3.6).

A write reads its body, then opens one transaction in which everything that it depends on is read, decided and
stored. What is refused leaves nothing behind.
"""

import json
import re
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, insert, update
from sqlalchemy.exc import IntegrityError

from scimsvc import clock
from scimsvc.mapping import ON_DEFAULT, RoleDecision, chosen_element, default_element, resolve_role
from scimsvc.models import User
from scimsvc.protocol.attributes import ROLES
from scimsvc.protocol.errors import Mutability, NotFound, Unavailable, Uniqueness, shown
from scimsvc.protocol.json_text import write_json
from scimsvc.protocol.leniency import read_patch, read_user
from scimsvc.protocol.messages import Representation
from scimsvc.protocol.patch import Resource, apply_patch
from scimsvc.protocol.projection import Projection
from scimsvc.protocol.remarks import Remarks
from scimsvc.protocol.resources import canonical_user, work_address
from scimsvc.protocol.versions import UNCONDITIONAL, Preconditions
from scimsvc.services.access import Caller
from scimsvc.services.roles import read_enterprise_roles
from scimsvc.store import queries
from scimsvc.store.representations import (
    View,
    directory_values,
    read_document,
    represent,
    user_columns,
    with_role,
)
from scimsvc.store.transactions import reading, writing

MANUAL = "manual"
PROVISIONED = "provisioned"


@dataclass(frozen=True, slots=True)
class ScimRequest:
    """What every use case here needs of the request: who asks, under which URL, and where remarks go."""

    caller: Caller
    base: str
    remarks: Remarks

    @property
    def view(self) -> View:
        """How answers look to the caller."""
        return View(self.base, self.caller.default_role, self.caller.role_revision)


def create_user(request: ScimRequest, body: Any, *, user_id: str | None = None) -> Representation:
    """Create the user that ``body`` describes (RFC 7644 §3.3); never takes over one that exists.

    ``user_id`` is the id it gets, where one was promised already (Bulk).
    """
    caller = request.caller
    received = read_user(body, request.remarks, reject_unknown=caller.reject_unknown_attributes)
    user = canonical_user(received | {"id": user_id or str(uuid.uuid4())}, request.remarks)
    with writing() as connection:
        unique_user_name = _hold_enterprise(connection, caller)
        decision = _judge_roles(connection, caller, user.get(ROLES.name, []))
        user = with_role(user, decision.element)
        now = clock.timestamp(clock.now())
        title, organization = directory_values(user)
        row = {
            "enterprise_id": caller.enterprise_id,
            "id": user["id"],
            "source": PROVISIONED,
            "version": 1,
            "created_at": now,
            "modified_at": now,
            "title": title,
            "organization": organization,
            **user_columns(user, role_id=decision.role_id, unique_user_name=unique_user_name),
        }
        _execute_unique(connection, _INSERT, row, user, caller)
        return represent(_Stored(**{name: row[name] for name in _Stored.__slots__}), request.view)


def get_user(request: ScimRequest, user_id: str) -> Representation:
    """Return one user (RFC 7644 §3.4.1); raises ``NotFound``."""
    with reading() as connection:
        row = connection.execute(queries.USER, _key(request.caller, user_id)).one_or_none()
    if row is None:
        raise _no_such_user(user_id)
    return represent(row, request.view)


def replace_user(
    request: ScimRequest, user_id: str, body: Any, preconditions: Preconditions = UNCONDITIONAL
) -> Representation:
    """Replace a user by ``body`` (RFC 7644 §3.5.1): what it leaves out is cleared, what is readOnly is ignored."""
    caller = request.caller
    received = read_user(body, request.remarks, reject_unknown=caller.reject_unknown_attributes)
    with writing() as connection:
        unique_user_name = _hold_enterprise(connection, caller)
        row = _get_for_update(connection, request, user_id, preconditions)
        user = canonical_user(received | {"id": row.id}, request.remarks)
        decision = _judge_changed_roles(connection, caller, row, user)
        user = with_role(user, decision.element)
        return _store(connection, request, row, user, role_id=decision.role_id, unique_user_name=unique_user_name)


def patch_user(
    request: ScimRequest, user_id: str, body: Any, preconditions: Preconditions = UNCONDITIONAL
) -> Representation:
    """Apply the operations of ``body`` to a user, all or none (RFC 7644 §3.5.2)."""
    caller = request.caller
    operations = read_patch(body, request.remarks, reject_unknown=caller.reject_unknown_attributes)
    addresses_roles = any(operation.path.target.steps[0] is ROLES for operation in operations)
    with writing() as connection:
        unique_user_name = _hold_enterprise(connection, caller)
        row = _get_for_update(connection, request, user_id, preconditions)
        before, role_id = read_document(row), row.role_id
        user = canonical_user(apply_patch(before, operations, request.remarks), request.remarks)
        if addresses_roles:
            decision = _judge_changed_roles(connection, caller, row, user)
            user, role_id = with_role(user, decision.element), decision.role_id
        return _store(connection, request, row, user, role_id=role_id, unique_user_name=unique_user_name)


def delete_user(request: ScimRequest, user_id: str, preconditions: Preconditions = UNCONDITIONAL) -> None:
    """Delete a provisioned user for good (RFC 7644 §3.6); raises ``Mutability`` for one that SCIM never had."""
    with writing() as connection:
        _hold_enterprise(connection, request.caller)
        row = _get_for_update(connection, request, user_id, preconditions)
        if row.source == MANUAL:
            raise Mutability(
                f"this user was made by hand in {request.caller.enterprise}, not by SCIM, and is not deleted by it; "
                "delete the user in the application, or update the user by SCIM first, which takes it over"
            )
        connection.execute(_DELETE, _statement_key(request.caller, row.id))


def project(representation: Representation, projection: Projection) -> str:
    """Return the text of ``representation`` with the attributes that ``projection`` wants."""
    if projection.is_whole:
        return representation.text
    return write_json(projection.apply(json.loads(representation.text)))


# Roles: judged once, after the last operation (contract section 7).


def _judge_roles(connection: Connection, caller: Caller, elements: list[Resource]) -> RoleDecision:
    if not elements:
        return ON_DEFAULT
    return resolve_role(elements, read_enterprise_roles(connection, caller.enterprise_id, caller.enterprise))


def _judge_changed_roles(connection: Connection, caller: Caller, row: Any, user: Resource) -> RoleDecision:
    """Judge the roles of a user that exists, where what is answered today may come back as it is."""
    elements = user.get(ROLES.name, [])
    if row.role_id is None and elements == [default_element(caller.default_role)]:
        return ON_DEFAULT
    if not elements:
        return ON_DEFAULT
    roles = read_enterprise_roles(connection, caller.enterprise_id, caller.enterprise)
    element = chosen_element(elements)
    held = [each["value"] for each in read_document(row).get(ROLES.name, [])]
    if element is not None and roles.find(element["value"]) is None and held == [element["value"]]:
        # The role was renamed since it was given by this value: renaming a role keeps its users.
        kept = next((role for role in roles.by_name.values() if role.id == row.role_id), None)
        if kept is not None:
            return RoleDecision(kept, element)
    return resolve_role(elements, roles)


# Rows.


@dataclass(frozen=True, slots=True)
class _Stored:
    """The columns of a row that was just written, as ``represent`` reads them."""

    id: str
    document: str
    role_id: str | None
    version: int
    created_at: str
    modified_at: str


_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _key(caller: Caller, user_id: str) -> dict[str, str]:
    # An id that this service never gave cannot be anyone's, and need not reach the database.
    return {"enterprise_id": caller.enterprise_id, "id": user_id if _UUID.fullmatch(user_id) else ""}


def _no_such_user(user_id: str) -> NotFound:
    return NotFound(
        f"no user has the id {shown(user_id)}; it may have been deleted since: "
        "in Entra, restart the provisioning so that the user is matched anew"
    )


def _hold_enterprise(connection: Connection, caller: Caller) -> bool:
    """Return whether userNames are unique, with the enterprise's row held until the end of the transaction.

    Held first, as whoever changes an enterprise's set-up holds it before its users: a write can neither slip past
    the switch nor meet it head on.
    """
    unique = connection.execute(queries.ENTERPRISE_FLAGS, {"enterprise_id": caller.enterprise_id}).scalar_one_or_none()
    if unique is None:
        raise NotFound("the enterprise was deleted")
    return bool(unique)


def _get_for_update(connection: Connection, request: ScimRequest, user_id: str, preconditions: Preconditions) -> Any:
    row = connection.execute(queries.USER_FOR_UPDATE, _key(request.caller, user_id)).one_or_none()
    if row is None:
        raise _no_such_user(user_id)
    preconditions.check(represent(row, request.view).entity_tag)
    return row


def _store(
    connection: Connection,
    request: ScimRequest,
    row: Any,
    user: Resource,
    *,
    role_id: str | None,
    unique_user_name: bool,
) -> Representation:
    """Store ``user`` in place of ``row``; what changes nothing that is answered bumps nothing."""
    before = read_document(row)
    changes = user != before or role_id != row.role_id
    if not changes and row.source == PROVISIONED:
        return represent(row, request.view)
    title, organization = (
        _effective(new, old, effective)
        for new, old, effective in zip(
            directory_values(user), directory_values(before), (row.title, row.organization), strict=True
        )
    )
    changed = {
        **user_columns(user, role_id=role_id, unique_user_name=unique_user_name),
        "source": PROVISIONED,
        "version": row.version + changes,
        "modified_at": clock.timestamp(clock.now()) if changes else row.modified_at,
        "title": title,
        "organization": organization,
    }
    parameters = {f"new_{name}": value for name, value in changed.items()}
    _execute_unique(connection, _UPDATE, parameters | _statement_key(request.caller, row.id), user, request.caller)
    stored = _Stored(row.id, changed["document"], role_id, changed["version"], row.created_at, changed["modified_at"])
    return represent(stored, request.view)


def _effective(new: str | None, old: str | None, effective: str | None) -> str | None:
    """Return the effective value: a change of the directory's counts, an empty one never does (contract section 6)."""
    return new if new and new != old else effective


def _statement_key(caller: Caller, user_id: str) -> dict[str, str]:
    return {"key_enterprise_id": caller.enterprise_id, "key_id": user_id}


_OWN_ROW = and_(User.enterprise_id == bindparam("key_enterprise_id"), User.id == bindparam("key_id"))
_WRITTEN = (
    "email_key", "has_other_emails", "user_name_key", "unique_user_name_key", "external_id", "active", "role_id",
    "document", "search", "source", "version", "modified_at", "title", "organization",
)  # fmt: skip
_INSERT = insert(User)
_UPDATE = update(User).where(_OWN_ROW).values({name: bindparam(f"new_{name}") for name in _WRITTEN})
_DELETE = delete(User).where(_OWN_ROW)


def _execute_unique(
    connection: Connection, statement: Any, parameters: dict[str, Any], user: Resource, caller: Caller
) -> None:
    """Execute a write of a user; the database's constraints decide who was first."""
    try:
        connection.execute(statement, parameters)
    except IntegrityError as error:
        broken = str(error.orig)
        if "email" in broken:
            raise Uniqueness(
                f"a user of {caller.enterprise} has the work e-mail address {shown(work_address(user))} already; "
                'match users on emails[type eq "work"].value in Entra, so that it is found before one is created'
            ) from None
        if "unique_user_name" in broken:
            raise Uniqueness(
                f"a user of {caller.enterprise} has the userName {shown(user['userName'])} already, "
                "and the enterprise wants userNames to be unique"
            ) from None
        raise Unavailable("the role was removed at this moment; send the request again", {"Retry-After": "1"}) from None
