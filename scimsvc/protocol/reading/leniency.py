"""Convert the requests of providers to the shapes of the RFCs, with every tolerance (contract section 5).

Later code sees canonical names, values of the attribute's type and one attribute per operation. A body is read as an
``add`` without a path to an empty resource, so that bodies and PATCH operations accept the same spellings.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from scimsvc.protocol import urns
from scimsvc.protocol.attributes import ROLES, SCHEMAS, Resource, fold
from scimsvc.protocol.errors import (
    InvalidPath,
    InvalidSyntax,
    InvalidValue,
    NoTarget,
    ScimError,
    UnknownAttribute,
)
from scimsvc.protocol.filters.nodes import Comparison, Node, conditions
from scimsvc.protocol.limits import Limits
from scimsvc.protocol.names import has_dot_after_urn, is_singular_name, resolve_name, with_present_urn
from scimsvc.protocol.patch import Operation, apply_patch, refuse_read_only
from scimsvc.protocol.reading.messages import names_message
from scimsvc.protocol.reading.paths import PatchPath, parse_path
from scimsvc.protocol.reading.tolerances import RequestNotes, Tolerance
from scimsvc.protocol.reading.values import ValueReader, folded_members, json_kind
from scimsvc.protocol.resource_types import ResourceType
from scimsvc.protocol.role_elements import unpack_role
from scimsvc.protocol.short_texts import cached_for_short_texts


def read_resource(
    body: Any, resource_type: ResourceType, notes: RequestNotes, *, reject_unknown: bool = False
) -> Resource:
    """Return the resource in a POST or PUT ``body``, in the shapes of the RFCs.

    Raises ``InvalidSyntax`` if the body is not of ``resource_type``, and ``InvalidValue`` if a value is not valid.
    """
    reader = ValueReader(resource_type, notes, InvalidSyntax if reject_unknown else None)
    return apply_patch({}, read_members(body, reader), RequestNotes(notes.limits))


def read_members(body: Any, reader: ValueReader) -> list[Operation]:
    """Return the operations that add each attribute of a POST or PUT ``body`` to an empty resource."""
    members = _object(body, f"a SCIM {reader.resource_type.name}")
    _read_schemas(members, reader.resource_type, reader.notes)
    return list(_expand("add", members, reader))


def read_patch(
    body: Any, resource_type: ResourceType, notes: RequestNotes, *, reject_unknown: bool = False
) -> list[Operation]:
    """Return the operations of a PATCH ``body`` in the shapes of the RFCs, each on one attribute of ``resource_type``.

    Raises ``InvalidSyntax``, ``InvalidPath``, ``InvalidFilter``, ``NoTarget`` or ``InvalidValue``.
    """
    return read_operations(body, ValueReader(resource_type, notes, InvalidPath if reject_unknown else None))


def read_operations(body: Any, reader: ValueReader) -> list[Operation]:
    """Return the operations of a PATCH ``body``, whose values ``reader`` reads; see ``read_patch``."""
    members = folded_members(_object(body, "a PatchOp message"))
    schemas = members.get("schemas")
    if schemas in (None, "", []):
        reader.notes.tolerate(Tolerance.NO_SCHEMAS)
    elif not names_message(schemas, urns.PATCH_OP, reader.notes):
        raise InvalidSyntax(f"The body is not a PatchOp message. Add {urns.PATCH_OP} to its schemas.")
    operations = members.get("operations")
    if not isinstance(operations, list):
        raise InvalidSyntax("Operations must be a list of operations.")
    if not operations:
        reader.notes.tolerate(Tolerance.NO_OPERATIONS)
    limits = reader.notes.limits
    if len(operations) > limits.patch_operations:
        raise InvalidSyntax(f"The request has {len(operations)} operations. Send at most {limits.patch_operations}.")
    read = [each for number, operation in enumerate(operations, 1)
            for each in _read_operation(operation, number, reader)]  # fmt: skip
    count = sum(each.path.conditions for each in read)
    if count > limits.patch_conditions:
        raise InvalidPath(f"The paths have {count} conditions. Send at most {limits.patch_conditions} in one request.")
    return read


def _read_schemas(members: Resource, resource_type: ResourceType, notes: RequestNotes) -> None:
    schemas = next((value for name, value in members.items() if fold(name) == "schemas"), None)
    if schemas in (None, "", []):
        notes.tolerate(Tolerance.NO_SCHEMAS)
        return
    if not isinstance(schemas, list) or not all(isinstance(urn, str) for urn in schemas):
        raise InvalidSyntax(f"The schemas must be a list of URNs. Send one with {resource_type.core.urn}.")
    present = [with_present_urn(urn, resource_type) for urn in schemas]
    if present != schemas:
        notes.tolerate(Tolerance.LEGACY_URN)
    folded = {fold(urn) for urn in present}
    if resource_type.core_urn not in folded:
        raise InvalidSyntax(f"The body is not a {resource_type.name}. Add {resource_type.core.urn} to its schemas.")
    if any(urn.startswith(fold(urns.MESSAGES)) for urn in folded):
        raise InvalidSyntax(
            f"The schemas contain a SCIM message. Send only schemas of resources with a {resource_type.name}."
        )
    if not folded <= resource_type.schema_urns:
        notes.tolerate(Tolerance.UNKNOWN_SCHEMA)


def _read_operation(operation: Any, number: int, reader: ValueReader) -> list[Operation]:
    if not isinstance(operation, dict):
        raise InvalidSyntax(f"Operation {number} must be an object with op, path and value.")
    members = folded_members(operation)
    op = _read_op(members.get("op"), number, reader.notes)
    path = members.get("path")
    value = members.get("value")
    if path is not None and not isinstance(path, str):
        raise InvalidPath(f"The path of operation {number} must be a string, such as title or name.familyName.")
    if op != "remove" and "value" not in members and not _describes_member(path, reader):
        raise InvalidSyntax(f"Operation {number} has no value. Send one, or use the op remove.")
    if not path:
        # Without a path, the members of the value are the targets (RFC 7644 §3.5.2.1, §3.5.2.3).
        if op == "remove":
            raise NoTarget(f"Operation {number} is a remove without a path. Send the path of the attribute to remove.")
        if not isinstance(value, dict):
            raise InvalidValue(f"Operation {number} has no path. Send a path, or an object of attributes as the value.")
        return list(_expand(op, value, reader))
    return list(_read_path_and_value(op, path, value, reader))


def _describes_member(path: str | None, reader: ValueReader) -> bool:
    """Return whether the filter of ``path`` describes a member of a group, so that the operation needs no value."""
    if not path or "[" not in path:
        return False
    try:
        parsed = parse_path(path, reader.resource_type, reader.notes.limits)
    except ScimError:
        return False
    return parsed.condition is not None and parsed.target.attribute.is_apart


def _read_op(op: Any, number: int, notes: RequestNotes) -> str:
    if not isinstance(op, str) or op.lower() not in ("add", "replace", "remove"):
        raise InvalidSyntax(f"The op of operation {number} must be add, replace or remove.")
    if op != op.lower():
        notes.tolerate(Tolerance.OP_CASE)
    return op.lower()


def _expand(op: str, members: Resource, reader: ValueReader) -> Iterator[Operation]:
    """Yield an operation for each of ``members``, whose names may be paths (Entra facts section 7 rule 5)."""
    notes, resource_type = reader.notes, reader.resource_type
    seen: set[PatchPath] = set()
    for name, value in members.items():
        if _is_core_urn(name, reader):
            notes.tolerate(Tolerance.CORE_URN_OBJECT)
            if isinstance(value, dict):
                yield from _expand(op, value, reader)
            elif value is not None:
                raise InvalidValue(f"The value of {resource_type.core.urn} must be an object of attributes.")
            continue
        try:
            path, text = _parse_path(name, reader)
        except UnknownAttribute as error:
            reader.ignore_or_reject(error.name)
            continue
        except ScimError:
            if _begins_with_attribute(name, resource_type):
                raise
            reader.ignore_or_reject(name)
            continue
        if path in seen:
            raise InvalidSyntax(f"The attribute {path} is sent twice, in two spellings. Send it once.")
        seen.add(path)
        if text == name and (len(path.target.steps) > 1 or path.condition or path.sub_attribute):
            notes.tolerate(Tolerance.PATH_AS_KEY)
        if path.target.steps[0].mutability == "readOnly":
            continue  # id, meta and groups are ignored in bodies (RFC 7644 §3.3, §3.5.1)
        yield from _operation(op, text, path, value, reader)


def _is_core_urn(name: str, reader: ValueReader) -> bool:
    """Return whether ``name`` is the URN of the core schema."""
    present = with_present_urn(name, reader.resource_type)
    if fold(present) != reader.resource_type.core_urn:
        return False
    if present != name:
        reader.notes.tolerate(Tolerance.LEGACY_URN)
    return True


def _parse_path(text: str, reader: ValueReader) -> tuple[PatchPath, str]:
    """Return the target of the path ``text``, and ``text`` with the URN of the enterprise extension if it lacks that.

    Raises the errors of ``parse_path``.
    """
    resource_type, limits = reader.resource_type, reader.notes.limits
    try:
        return parse_path(text, resource_type, limits), text
    except UnknownAttribute:
        if fold(urns.ENTERPRISE_USER) not in resource_type.by_urn or text.startswith("urn:"):
            raise
        with suppress(ScimError):
            full = f"{urns.ENTERPRISE_USER}:{text}"
            path = parse_path(full, resource_type, limits)
            reader.notes.tolerate(Tolerance.BARE_EXTENSION_ATTRIBUTE)
            return path, full
        raise


def _read_path_and_value(op: str, text: str, value: Any, reader: ValueReader) -> Iterator[Operation]:
    notes, resource_type = reader.notes, reader.resource_type
    if _is_core_urn(text, reader):
        if isinstance(value, dict) and op != "remove":
            notes.tolerate(Tolerance.CORE_URN_OBJECT)
            yield from _expand(op, value, reader)
            return
        raise InvalidPath(f"The path {resource_type.core.urn} is a schema. Send the path of one of its attributes.")
    try:
        path, text = _parse_path(text, reader)
    except UnknownAttribute as error:
        reader.ignore_or_reject(error.name)
        return
    refuse_read_only(path)
    if path.target.attribute.is_extension:
        notes.tolerate(Tolerance.EXTENSION_URN_PATH)
    yield from _operation(op, text, path, value, reader)


def _operation(op: str, text: str, path: PatchPath, value: Any, reader: ValueReader) -> Iterator[Operation]:
    """Yield the operation, unless its attribute is derived (schemas) or dropped (password)."""
    notes = reader.notes
    notes.tolerate_all(spelling_tolerances(text, reader.resource_type, notes.limits))
    attribute = path.target.attribute
    if attribute is SCHEMAS or attribute.dropped:
        return
    if op == "remove" and value is not None:
        notes.tolerate(Tolerance.REMOVE_WITH_VALUE)
    try:
        read = _read_value(op, path, value, reader)
    except InvalidValue as error:
        if reader.kept is None:
            raise
        reader.kept[tuple(step.name for step in path.target.steps[:2])] = error.problem
    else:
        yield Operation(op, path, read)


def _read_value(op: str, path: PatchPath, value: Any, reader: ValueReader) -> Any:
    """Return the value of an operation in the type of its attribute; raises ``InvalidValue``."""
    attribute = path.target.attribute
    if path.sub_attribute is not None:
        read = reader.single(path.sub_attribute, value, str(path))
        is_role = attribute is ROLES and path.sub_attribute.name == "value" and isinstance(read, str)
        return unpack_role(read, reader.notes) if is_role else read
    if not attribute.multi_valued:
        return reader.single(attribute, value, str(path))
    if path.condition is None or op == "remove":
        return reader.elements(attribute, value, str(path.target))
    return reader.element(attribute, value, str(path.target))


@cached_for_short_texts
def spelling_tolerances(text: str, resource_type: ResourceType, limits: Limits) -> tuple[Tolerance, ...]:
    """Return the tolerances that the spelling of the path ``text`` needs. Raises the errors of ``parse_path``."""
    path, needed = parse_path(text, resource_type, limits), []
    if is_singular_name(text, resource_type):
        needed.append(Tolerance.SINGULAR_NAME)
    if path.condition is not None and _TEXT_BOOLEAN.search(text) and _compares_boolean(path.condition):
        needed.append(Tolerance.TEXT_BOOLEAN)
    if with_present_urn(text, resource_type) != text:
        needed.append(Tolerance.LEGACY_URN)
    if has_dot_after_urn(text, resource_type):
        needed.append(Tolerance.DOT_AFTER_URN)
    return tuple(needed)


_TEXT_BOOLEAN = re.compile(r'"(?:true|false)"', re.IGNORECASE)
_FIRST_WORD = re.compile(r"[^\[\]\"\s]*")


def _compares_boolean(condition: Node) -> bool:
    return any(isinstance(each, Comparison) and isinstance(each.value, bool) for each in conditions(condition))


def _begins_with_attribute(name: str, resource_type: ResourceType) -> bool:
    """Return whether a key that is not a valid path was meant as one, because it begins with a known attribute."""
    head = _FIRST_WORD.match(name)
    try:
        resolve_name(head[0] if head else name, resource_type)
    except UnknownAttribute:
        return False
    return True


def _object(body: Any, what: str) -> Resource:
    if not isinstance(body, dict):
        raise InvalidSyntax(f"The body must be a JSON object ({what}), not {json_kind(body)}.")
    return body
