"""From what providers send to what the RFCs write: the one place for every tolerance (contract section 5).

Everything behind it sees canonical names, values of the attribute's type and one attribute per operation. A body
is read as a pathless ``add`` to nothing, so that bodies and PATCH operations know the same spellings.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from scimsvc.protocol import urns
from scimsvc.protocol.attributes import (
    EXTENSION,
    ROLES,
    SCHEMAS,
    fold,
)
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
from scimsvc.protocol.names import has_dot_after_urn, is_singular_name, resolve_name
from scimsvc.protocol.patch import Operation, Resource, apply_patch, refuse_read_only
from scimsvc.protocol.reading.paths import PatchPath, parse_path
from scimsvc.protocol.reading.tolerances import RequestNotes, Tolerance
from scimsvc.protocol.reading.values import ValueReader, folded_members, json_kind
from scimsvc.protocol.role_elements import unpack_role


def read_user(body: Any, notes: RequestNotes, *, reject_unknown: bool = False) -> Resource:
    """Return the User that a POST or PUT ``body`` describes, in RFC shapes.

    Raises ``InvalidSyntax`` for a body that is no User, and ``InvalidValue`` naming the attribute.
    """
    members = _object(body, "a SCIM User")
    _read_schemas(members, notes)
    reader = ValueReader(notes, InvalidSyntax if reject_unknown else None)
    return apply_patch({}, list(_expand("add", members, reader)), RequestNotes(notes.limits))


def read_patch(body: Any, notes: RequestNotes, *, reject_unknown: bool = False) -> list[Operation]:
    """Return the operations that a PATCH ``body`` holds, in RFC shapes, each on one attribute.

    Raises ``InvalidSyntax``, ``InvalidPath``, ``InvalidFilter``, ``NoTarget`` or ``InvalidValue``.
    """
    members = folded_members(_object(body, "a PatchOp message"))
    schemas = members.get("schemas")
    if not isinstance(schemas, list) or fold(urns.PATCH_OP) not in map(_folded, schemas):
        raise InvalidSyntax(f"schemas must name {urns.PATCH_OP}")
    operations = members.get("operations")
    if not isinstance(operations, list) or not operations:
        raise InvalidSyntax("Operations must be a list of at least one operation")
    limits = notes.limits
    if len(operations) > limits.patch_operations:
        raise InvalidSyntax(f"Operations has {len(operations)} operations; at most {limits.patch_operations} are taken")
    reader = ValueReader(notes, InvalidPath if reject_unknown else None)
    read = [each for number, operation in enumerate(operations, 1)
            for each in _read_operation(operation, number, reader)]  # fmt: skip
    count = sum(1 for each in read if each.path.condition is not None for _ in conditions(each.path.condition))
    if count > limits.patch_conditions:
        raise InvalidPath(f"the paths have {count} conditions; at most {limits.patch_conditions} are taken")
    return read


def _read_schemas(members: Resource, notes: RequestNotes) -> None:
    schemas = next((value for name, value in members.items() if fold(name) == "schemas"), None)
    if not isinstance(schemas, list) or not schemas or not all(isinstance(urn, str) for urn in schemas):
        raise InvalidSyntax(f"schemas must be a list of URNs that names {urns.CORE_USER}")
    folded = {fold(urn) for urn in schemas}
    if fold(urns.CORE_USER) not in folded:
        raise InvalidSyntax(f"schemas must name {urns.CORE_USER}")
    if any(urn.startswith(fold(urns.MESSAGES)) for urn in folded):
        raise InvalidSyntax("schemas names a SCIM message; a User names schemas of resources alone")
    if not folded <= {fold(urns.CORE_USER), fold(urns.ENTERPRISE_USER)}:
        notes.tolerate(Tolerance.UNKNOWN_SCHEMA)


def _read_operation(operation: Any, number: int, reader: ValueReader) -> list[Operation]:
    where = f"operation {number}"
    if not isinstance(operation, dict):
        raise InvalidSyntax(f"{where} must be an object with op, path and value")
    members = folded_members(operation)
    op = _read_op(members.get("op"), where, reader.notes)
    path = members.get("path")
    value = members.get("value")
    if path is not None and not isinstance(path, str):
        raise InvalidPath(f"the path of {where} must be a string such as title or name.familyName")
    if op != "remove" and "value" not in members:
        raise InvalidSyntax(f"{where} has no value; give one, or use the op remove")
    if not path:
        # Without a path the value's members say where (RFC 7644 §3.5.2.1, §3.5.2.3).
        if op == "remove":
            raise NoTarget(f"{where} is a remove without a path; name the attribute to remove")
        if not isinstance(value, dict):
            raise InvalidValue(f"{where} has no path; its value must then be an object of attributes")
        return list(_expand(op, value, reader))
    return list(_read_path_and_value(op, path, value, reader))


def _read_op(op: Any, where: str, notes: RequestNotes) -> str:
    if not isinstance(op, str) or op.lower() not in ("add", "replace", "remove"):
        raise InvalidSyntax(f"the op of {where} must be add, replace or remove")
    if op != op.lower():
        notes.tolerate(Tolerance.OP_CASE)
    return op.lower()


def _expand(op: str, members: Resource, reader: ValueReader) -> Iterator[Operation]:
    """Yield an operation for each of ``members``, whose names may be paths (Entra facts section 7 rule 5)."""
    notes = reader.notes
    seen: set[PatchPath] = set()
    for name, value in members.items():
        if fold(name) == fold(urns.CORE_USER):
            notes.tolerate(Tolerance.CORE_URN_OBJECT)
            if isinstance(value, dict):
                yield from _expand(op, value, reader)
            elif value is not None:
                raise InvalidValue(f"{urns.CORE_USER} must be an object of attributes")
            continue
        try:
            path = parse_path(name, notes.limits)
        except UnknownAttribute as error:
            reader.ignore_or_reject(error.name)
            continue
        except ScimError:
            if _begins_with_attribute(name):
                raise
            reader.ignore_or_reject(name)
            continue
        if path in seen:
            raise InvalidSyntax(f"{path} is given twice, in two spellings")
        seen.add(path)
        if len(path.target.steps) > 1 or path.condition is not None or path.sub_attribute is not None:
            notes.tolerate(Tolerance.PATH_AS_KEY)
        if path.target.steps[0].mutability == "readOnly":
            continue  # id, meta and groups are left out of account in bodies (RFC 7644 §3.3, §3.5.1)
        yield from _operation(op, name, path, value, reader)


def _read_path_and_value(op: str, text: str, value: Any, reader: ValueReader) -> Iterator[Operation]:
    notes = reader.notes
    if fold(text) == fold(urns.CORE_USER):
        if isinstance(value, dict) and op != "remove":
            notes.tolerate(Tolerance.CORE_URN_OBJECT)
            yield from _expand(op, value, reader)
            return
        raise InvalidPath(f"the path {urns.CORE_USER} is a schema; name one of its attributes")
    try:
        path = parse_path(text, notes.limits)
    except UnknownAttribute as error:
        reader.ignore_or_reject(error.name)
        return
    refuse_read_only(path)
    if path.target.attribute is EXTENSION:
        notes.tolerate(Tolerance.EXTENSION_URN_PATH)
    yield from _operation(op, text, path, value, reader)


def _operation(op: str, text: str, path: PatchPath, value: Any, reader: ValueReader) -> Iterator[Operation]:
    """Yield the operation, unless it acts on what follows from the rest (schemas) or is dropped (password)."""
    notes = reader.notes
    notes.tolerate_all(spelling_tolerances(text, notes.limits))
    attribute = path.target.attribute
    if attribute is SCHEMAS or attribute.dropped:
        return
    if op == "remove" and value is not None:
        notes.tolerate(Tolerance.REMOVE_WITH_VALUE)
    if path.sub_attribute is not None:
        read = reader.single(path.sub_attribute, value, str(path))
        if attribute is ROLES and path.sub_attribute.name == "value" and isinstance(read, str):
            read = unpack_role(read, notes)
    elif attribute.multi_valued and (path.condition is None or op == "remove"):
        read = reader.elements(attribute, value)
    elif attribute.multi_valued:
        read = reader.element(attribute, value)
    else:
        read = reader.single(attribute, value, str(path))
    yield Operation(op, path, read)


@lru_cache(maxsize=1024)
def spelling_tolerances(text: str, limits: Limits) -> tuple[Tolerance, ...]:
    """Return what the spelling of the path ``text`` needs; raises what ``parse_path`` does."""
    path, needed = parse_path(text, limits), []
    if is_singular_name(text):
        needed.append(Tolerance.SINGULAR_NAME)
    if path.condition is not None and _TEXT_BOOLEAN.search(text) and _compares_boolean(path.condition):
        needed.append(Tolerance.TEXT_BOOLEAN)
    if has_dot_after_urn(text):
        needed.append(Tolerance.DOT_AFTER_URN)
    return tuple(needed)


_TEXT_BOOLEAN = re.compile(r'"(?:true|false)"', re.IGNORECASE)
_FIRST_WORD = re.compile(r"[^\[\]\"\s]*")


def _compares_boolean(condition: Node) -> bool:
    return any(isinstance(each, Comparison) and isinstance(each.value, bool) for each in conditions(condition))


def _begins_with_attribute(name: str) -> bool:
    """Tell whether a key that is no readable path was meant as one: a known attribute stands at its head."""
    head = _FIRST_WORD.match(name)
    try:
        resolve_name(head[0] if head else name)
    except UnknownAttribute:
        return False
    return True


def _object(body: Any, what: str) -> Resource:
    if not isinstance(body, dict):
        raise InvalidSyntax(f"the body must be a JSON object ({what}), not {json_kind(body)}")
    return body


def _folded(value: Any) -> Any:
    return fold(value) if isinstance(value, str) else None
