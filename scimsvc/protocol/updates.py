"""The state of a User after a PUT or PATCH, as pure functions, and the two rules for ``active`` (contract section 5).

Enabling is explicit: only ``active`` true enables a disabled user. A request without a value for ``active`` leaves the
state as it is.

Disabling wins: if a request sets ``active`` to false, a value that cannot be accepted does not prevent it. Such a value
keeps its old state, and ``RequestNotes.kept`` names it. Everything else about the request is judged as usual. This
module covers values that are malformed or too long. ``scim.users`` covers roles that are unknown, and values that
another user has.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from scimsvc.protocol.addresses import is_work
from scimsvc.protocol.attributes import ACTIVE, EMAILS, EXTENSION, MANAGER, SCHEMAS, Attribute, Resource
from scimsvc.protocol.errors import InvalidPath, InvalidSyntax, InvalidValue, Mutability, ScimError
from scimsvc.protocol.patch import Operation, apply_patch
from scimsvc.protocol.reading import bodies, leniency
from scimsvc.protocol.reading.tolerances import RequestNotes, Tolerance
from scimsvc.protocol.reading.values import ValueReader
from scimsvc.protocol.resource_types import ResourceType
from scimsvc.protocol.resources import canonical_again, canonical_resource
from scimsvc.protocol.users import no_work_address
from scimsvc.protocol.work_budget import TooMuchWork, WorkBudget

#: The errors of a value. An operation that removes a required attribute raises ``Mutability``.
_REFUSALS = (InvalidValue, Mutability)


def disables_by(operations: Sequence[Operation]) -> bool:
    """Return whether ``operations`` set ``active`` to false."""
    values = [each.value for each in operations if each.path.target.attribute is ACTIVE and each.op != "remove"]
    return bool(values) and values[-1] is False


# Read the body.


def read_patch(
    body: Any, user_type: ResourceType, notes: RequestNotes, *, reject_unknown: bool = False
) -> list[Operation]:
    """Return the operations of a PATCH ``body``; see ``bodies.read_patch``.

    If they disable the user, operations with malformed values are left out and noted.
    """
    try:
        return bodies.read_patch(body, user_type, notes, reject_unknown=reject_unknown)
    except InvalidValue as error:
        lenient, reader = _keeping_reader(user_type, notes, InvalidPath if reject_unknown else None)
        try:
            operations = leniency.read_operations(body, reader)
        except ScimError:
            raise error from None
        if not disables_by(operations):
            raise
    lenient.tolerate(Tolerance.DISABLING_WINS)
    notes.add(lenient)
    return operations


def read_replacement(
    body: Any, user_type: ResourceType, notes: RequestNotes, *, reject_unknown: bool = False
) -> Resource:
    """Return the User in a PUT ``body``; see ``leniency.read_resource``.

    If it disables the user, malformed values are left out and noted.
    """
    try:
        return leniency.read_resource(body, user_type, notes, reject_unknown=reject_unknown)
    except TooMuchWork:
        raise
    except InvalidValue as error:
        lenient, reader = _keeping_reader(user_type, notes, InvalidSyntax if reject_unknown else None)
        resource: Resource = {}
        try:
            for attribute, part in _parts(leniency.read_members(body, reader)).items():
                resource = _apply_or_keep(resource, attribute, part, lenient)
        except ScimError:
            raise error from None
        if resource.get(ACTIVE.name) is not False:
            raise
    lenient.tolerate(Tolerance.DISABLING_WINS)
    notes.add(lenient)
    return resource


def _keeping_reader(
    user_type: ResourceType, notes: RequestNotes, unknown: type[ScimError] | None
) -> tuple[RequestNotes, ValueReader]:
    """Return a reader that leaves malformed values out, and its notes."""
    lenient = RequestNotes(notes.limits, budget=notes.budget or WorkBudget(notes.limits))
    return lenient, ValueReader(user_type, lenient, unknown, kept=lenient.kept)


def _apply_or_keep(resource: Resource, attribute: Attribute, part: list[Operation], notes: RequestNotes) -> Resource:
    try:
        return apply_patch(resource, part, RequestNotes(notes.limits, budget=notes.budget))
    except TooMuchWork:
        raise
    except _REFUSALS as error:
        notes.keep((attribute.name,), error.problem)
        return resource


# Apply the changes.


def replaced(before: Resource, resource: Resource, user_type: ResourceType, notes: RequestNotes) -> Resource:
    """Return the User ``before`` in canonical form after a PUT of ``resource``. Raises ``InvalidValue``."""
    user = {**resource, "id": before["id"]}
    for path in notes.kept:
        user = _with_old_value(user, before, path)
    try:
        return canonical_resource(_with_state(user, before, notes), user_type, notes)
    except InvalidValue:
        if resource.get(ACTIVE.name) is not False:
            raise
    result = before
    for attribute in user_type.attributes:
        if attribute.mutability != "readOnly" and attribute is not SCHEMAS:
            try:
                changed = {**result, attribute.name: user.get(attribute.name)}
                result = canonical_again(changed, (attribute,), user_type, notes)
            except InvalidValue as error:
                notes.keep((attribute.name,), error.problem)
    return result


def patched(
    before: Resource, operations: Sequence[Operation], user_type: ResourceType, notes: RequestNotes
) -> Resource:
    """Return the User ``before`` in canonical form after a PATCH of ``operations``. Raises ``ScimError``."""
    try:
        touched = dict.fromkeys(operation.path.target.steps[0] for operation in operations)
        apply = _apply_to_manager_too if EXTENSION in touched else apply_patch
        user = _with_state(apply(before, operations, notes), before, notes)
        user = canonical_again(user, touched, user_type, notes)
        return _with_work_address(user, before, operations) if EMAILS in touched else user
    except TooMuchWork:
        raise
    except _REFUSALS:
        if not disables_by(operations):
            raise
    shared = replace(notes, budget=notes.budget or WorkBudget(notes.limits))
    user = before
    for attribute, part in _parts(operations).items():
        try:
            apply = _apply_to_manager_too if attribute is EXTENSION else apply_patch
            changed = canonical_again(apply(user, part, shared), (attribute,), user_type, shared)
            user = _with_work_address(changed, before, part) if attribute is EMAILS else changed
        except TooMuchWork:
            raise
        except _REFUSALS as error:
            notes.keep((attribute.name,), error.problem)
    return user


def _with_work_address(user: Resource, before: Resource, operations: Sequence[Operation]) -> Resource:
    """Return ``user``. Raises ``InvalidValue`` if ``operations`` take the address of type work from the user.

    Another address can count as the work address only if the client sends all addresses. A client that removes one of
    them does not mean that a private address identifies the user from now on.
    """
    if any(map(is_work, user[EMAILS.name])) or not any(map(is_work, before[EMAILS.name])):
        return user
    if not any(map(_sets_all_addresses, operations)):
        raise no_work_address()
    return user


def _sets_all_addresses(operation: Operation) -> bool:
    path = operation.path
    is_whole = path.target.attribute is EMAILS and path.condition is None and path.sub_attribute is None
    return is_whole and (operation.op == "replace" or (operation.op == "remove" and operation.value is None))


def _apply_to_manager_too(before: Resource, operations: Sequence[Operation], notes: RequestNotes) -> Resource:
    """Return ``before`` with every operation applied; see ``apply_patch``.

    If the ID of the manager changes, the URI and the name of the former manager go, unless they are sent again.
    """
    user = apply_patch(before, operations, notes)
    extension = before.get(EXTENSION.name, {})
    old, new = (each.get(MANAGER.name, {}) for each in (extension, user.get(EXTENSION.name, {})))
    if old.keys() <= {"value"} or old.get("value") == new.get("value"):
        return user
    only_id = {name: value for name, value in old.items() if name == "value"}
    without = {**before, EXTENSION.name: {**extension, MANAGER.name: only_id}}
    return apply_patch(without, operations, RequestNotes(notes.limits, budget=notes.budget))


def _parts(operations: Sequence[Operation]) -> dict[Attribute, list[Operation]]:
    """Return the operations by their attribute. Operations on different attributes are independent."""
    parts: dict[Attribute, list[Operation]] = {}
    for operation in operations:
        parts.setdefault(operation.path.target.steps[0], []).append(operation)
    return parts


def _with_state(user: Resource, before: Resource, notes: RequestNotes) -> Resource:
    """Return ``user``, with the present state if ``active`` has no value. Only true enables a disabled user."""
    if ACTIVE.name in user:
        return user
    if before[ACTIVE.name] is False:
        notes.tolerate(Tolerance.STATE_KEPT)
    return {**user, ACTIVE.name: before[ACTIVE.name]}


def with_old_values(
    user: Resource, before: Resource, attributes: Sequence[Attribute], user_type: ResourceType
) -> Resource:
    """Return the canonical ``user`` with the values that ``attributes`` have in ``before``."""
    old = {attribute.name: before.get(attribute.name) for attribute in attributes}
    changed = {**user, **old}
    return {each.name: changed[each.name] for each in user_type.attributes if changed.get(each.name) is not None}


def _with_old_value(user: Resource, before: Resource, path: tuple[str, ...]) -> Resource:
    """Return ``user`` with the value that ``path``, one or two names, has in ``before``."""
    name, *below = path
    old = before.get(name)
    if below:
        member = below[0]
        old = {**(user.get(name) or {}), member: (old or {}).get(member)}
    return {**user, name: old}
