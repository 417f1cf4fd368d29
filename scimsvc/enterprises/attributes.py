"""Declare and remove the custom attributes of an enterprise (contract section 5b).

A removal first hides the attribute from requests, and then removes its values in transactions of a few milliseconds,
between which other writes get their turn. An interrupted removal continues when it is repeated.
"""

import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import inf
from typing import Any

from scimsvc import clock, schemas
from scimsvc.activity.audit import AuditLog, Target, audited, created, deleted
from scimsvc.activity.feed_writing import UserChange, record_changes
from scimsvc.errors import Conflict, NoSuchThing
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.custom_attributes import (
    MOST_DECLARATIONS,
    Declaration,
    read_declarations,
    user_type,
    without_value,
    write_declarations,
)
from scimsvc.protocol.users import work_address
from scimsvc.schemas.entity_tags import check_if_match
from scimsvc.schemas.validation import validated
from scimsvc.store.engine.database import LONG_SECONDS, longer_deadline
from scimsvc.store.engine.retries import retried
from scimsvc.store.enterprises import update_enterprise
from scimsvc.store.profiles import Profile, count_users_with_member, list_ids_with_member, lock_profiles_with_member
from scimsvc.store.representations import content_columns, read_document
from scimsvc.store.tenancy import Tenant, reading_in, writing_in
from scimsvc.store.user_writes import update_documents
from scimsvc.vocabulary import BY_ADMINISTRATOR, UPDATED, Action

#: Users whose values one transaction removes, and a rest in relation to the transaction before it.
_USERS_AT_ONCE = 50
_REST = 1.0
#: The IDs of the attributes whose values a thread of this process removes, so that one thread does it at a time.
_running: set[str] = set()
_lock = threading.Lock()
#: Seconds for which a request removes values, so that its answer is not later than the proxy waits.
_SECONDS_OF_REQUEST = 20.0


def list_attributes(enterprise: str) -> list[dict[str, Any]]:
    """Return the custom attributes of the enterprise, in the order of their declaration."""
    with reading_in(enterprise) as tenant:
        return list(map(_represent, _declarations(tenant)))


def show_attribute(enterprise: str, reference: str) -> dict[str, Any]:
    """Return the custom attribute with the ID or full name ``reference``; raises ``NoSuchThing``."""
    with reading_in(enterprise) as tenant:
        return _represent(_get(tenant, reference))


def count_values(enterprise: str, reference: str) -> int:
    """Return the number of users with a value of the custom attribute; raises ``NoSuchThing``."""
    with reading_in(enterprise) as tenant:
        return count_users_with_member(tenant, _path(_get(tenant, reference)))


@audited
def create_attribute(enterprise: str, members: Mapping[str, Any]) -> dict[str, Any]:
    """Declare a custom attribute with the members of ``schemas.AttributeSchema`` and return it.

    Raises ``InvalidInput``, or ``Conflict`` if the name is taken or the enterprise has too many attributes.
    """
    fields = validated(schemas.ATTRIBUTE, members)
    with writing_in(enterprise) as tenant:
        declarations = _declarations(tenant)
        _refuse_taken(tenant, fields["name"], declarations)
        declaration = Declaration(str(uuid.uuid4()), **fields)
        for other in declarations:
            if fold(other.urn) == fold(declaration.urn):  # a schema has one spelling
                declaration = declaration._replace(name=f"{other.urn}:{declaration.short_name}")
        _store(tenant, (*declarations, declaration))
        AuditLog.of(tenant).record(Action.ATTRIBUTE_CREATED, _target(declaration), created(_recorded(declaration)))
        return _represent(declaration)


@audited
@longer_deadline(LONG_SECONDS)
def remove_attribute(
    enterprise: str,
    reference: str,
    *,
    if_match: str | None = None,
    seconds: float | None = _SECONDS_OF_REQUEST,
    progress: Callable[[int], None] = lambda _users: None,
) -> dict[str, Any]:
    """Remove a custom attribute with the values of all users, and return it.

    If this takes longer than ``seconds`` (None for no limit), or another thread is about it, ``removing`` is true in
    the result, and a repetition removes the other values. ``progress`` is called with the number of users of each
    step. Raises ``NoSuchThing`` or ``OutOfDate``.
    """
    enterprise_id, declaration = _hide(enterprise, reference, if_match)
    until = inf if seconds is None else clock.elapsed() + seconds
    with _lock:
        is_first = declaration.id not in _running
        _running.add(declaration.id)
    if not is_first:
        return _represent(declaration)
    try:
        for users in _remove_all(enterprise_id, declaration):
            progress(users)
            if clock.elapsed() >= until:
                return _represent(declaration)
        return _forget(enterprise_id, declaration)
    finally:
        with _lock:
            _running.discard(declaration.id)


def _remove_all(enterprise_id: str, declaration: Declaration) -> Iterator[int]:
    """Remove the values of all users, and yield the number of users of each step."""
    last_id = ""
    while True:
        began = clock.elapsed()
        user_ids = _find_users(enterprise_id, declaration, last_id)
        if not user_ids:
            return
        _remove_values(enterprise_id, declaration, user_ids)
        last_id = user_ids[-1]
        yield len(user_ids)
        time.sleep(_REST * (clock.elapsed() - began))


def _hide(enterprise: str, reference: str, if_match: str | None) -> tuple[str, Declaration]:
    """Hide the attribute from requests, and return the ID of the enterprise and the declaration."""
    with writing_in(enterprise) as tenant:
        declaration = _get(tenant, reference)
        check_if_match(_represent(declaration), if_match)
        if declaration.removing:
            return tenant.id, declaration
        hidden = declaration._replace(removing=True)
        _store(tenant, (hidden if each.id == hidden.id else each for each in _declarations(tenant)))
        AuditLog.of(tenant).record(Action.ATTRIBUTE_REMOVED, _target(hidden), deleted(_recorded(declaration)))
        return tenant.id, hidden


def _find_users(enterprise_id: str, declaration: Declaration, after: str) -> list[str]:
    """Return the IDs of the next users with a value, after the ID ``after``. No write waits for this search."""
    with reading_in(enterprise_id) as tenant:
        return list_ids_with_member(tenant, _path(declaration), after=after, limit=_USERS_AT_ONCE)


@retried
def _remove_values(enterprise_id: str, declaration: Declaration, user_ids: Sequence[str]) -> None:
    with writing_in(enterprise_id, changes_settings=False) as tenant:
        at = clock.timestamp(clock.now())
        rows = lock_profiles_with_member(tenant, _path(declaration), user_ids)
        users = [without_value(read_document(row), declaration) for row in rows]
        declared = user_type(tenant.row.custom_attributes)
        contents = {user["id"]: content_columns(user, declared) for user in users}
        update_documents(tenant.connection, tenant.id, contents, at=at)
        changes = [_change(row, declaration) for row in rows]
        record_changes(tenant.connection, tenant.id, changes, at=at)


def _change(row: Profile, declaration: Declaration) -> UserChange:
    return UserChange(
        type=UPDATED,
        user_id=row.id,
        email=work_address(read_document(row)),
        changed=[declaration.name],
        role=row.role,
        active=row.active,
        old_role=row.role,
        old_active=row.active,
        origin=BY_ADMINISTRATOR,
    )


def _forget(enterprise_id: str, declaration: Declaration) -> dict[str, Any]:
    """Remove the declaration, whose attribute no user has, and return the attribute."""
    with writing_in(enterprise_id) as tenant:
        _store(tenant, (each for each in _declarations(tenant) if each.id != declaration.id))
    return _represent(declaration._replace(removing=False))


def _declarations(tenant: Tenant) -> tuple[Declaration, ...]:
    return read_declarations(tenant.row.custom_attributes)


def _store(tenant: Tenant, declarations: Iterable[Declaration]) -> None:
    update_enterprise(tenant.connection, tenant.id, {"custom_attributes": write_declarations(declarations)})


def _get(tenant: Tenant, reference: str) -> Declaration:
    for declaration in _declarations(tenant):
        if reference == declaration.id or fold(reference) == fold(declaration.name):
            return declaration
    raise NoSuchThing(
        f"Attribute {reference!r} does not exist in {tenant.row.name}. "
        "Use the ID or the full name of a custom attribute.",
        what="attribute",
    )


def _refuse_taken(tenant: Tenant, name: str, declarations: tuple[Declaration, ...]) -> None:
    taken = next((each for each in declarations if fold(each.name) == fold(name)), None)
    if taken is not None and taken.removing:
        raise Conflict(f"Attribute {taken.name!r} is still being removed. Repeat the removal until it is finished.")
    if taken is not None:
        raise Conflict(f"{tenant.row.name} already has the attribute {taken.name!r}. Remove it first to change it.")
    if len(declarations) >= MOST_DECLARATIONS:
        raise Conflict(
            f"{tenant.row.name} already has {MOST_DECLARATIONS} custom attributes, which is the maximum. "
            "Remove one that is not needed."
        )


def _path(declaration: Declaration) -> tuple[str, str]:
    return declaration.urn, declaration.short_name


def _target(declaration: Declaration) -> Target:
    return Target(declaration.id, declaration.name)


def _represent(declaration: Declaration) -> dict[str, Any]:
    return declaration._asdict()


def _recorded(declaration: Declaration) -> dict[str, Any]:
    return {name: value for name, value in _represent(declaration).items() if name != "removing"}
