"""Bulk requests: many operations in one body that may refer to resources which others create (RFC 7644 §3.7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scimsvc.protocol import urns
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.errors import InvalidSyntax, InvalidValue, PayloadTooLarge, listed, quoted
from scimsvc.protocol.reading.messages import names_message
from scimsvc.protocol.reading.tolerances import RequestNotes, Tolerance

METHODS = ("POST", "PUT", "PATCH", "DELETE")
_REFERENCE = "bulkId:"
_GROUPS = "groups"
#: The endpoints of the resources, by folded name.
_ENDPOINTS = {"users": "/Users", _GROUPS: "/Groups"}


@dataclass(frozen=True, slots=True)
class BulkOperation:
    """One operation as it was sent. It is validated only when it is executed."""

    method: str
    path: str
    bulk_id: str | None
    version: str | None
    data: Any

    @property
    def references(self) -> set[str]:
        """The bulkIds to which the path and the data refer."""
        references = set(_references_in(self.data))
        _, target = self.endpoint_and_target
        return references | ({target.removeprefix(_REFERENCE)} if target.startswith(_REFERENCE) else set())

    @property
    def endpoint_and_target(self) -> tuple[str, str]:
        """The endpoint of the path without slashes, and the rest of the path, which may be empty."""
        endpoint, _, target = self.path.strip("/").partition("/")
        return endpoint, target

    @property
    def is_creation(self) -> bool:
        """Whether other operations can refer to this one."""
        return self.method == "POST"

    @property
    def is_of_group(self) -> bool:
        """Whether the path is that of groups or of one group."""
        return fold(self.endpoint_and_target[0]) == _GROUPS

    def target(self, ids: Mapping[str, str]) -> str | None:
        """Return the id in the path, or None for the endpoint itself. Raises ``InvalidValue`` for any other path."""
        endpoint, target = self.endpoint_and_target
        if fold(endpoint) not in _ENDPOINTS or bool(target) is (self.method == "POST"):
            wanted = " or ".join(each if self.method == "POST" else f"{each}/{{id}}" for each in _ENDPOINTS.values())
            raise InvalidValue(f"The path of a {self.method} operation must be {wanted}, not {quoted(self.path)}.")
        return _resolved(target, ids) if target else None

    def body(self, ids: Mapping[str, str]) -> Any:
        """Return the data with every reference replaced by the id from ``ids``."""
        return _resolved(self.data, ids)


@dataclass(frozen=True, slots=True)
class BulkRequest:
    """The operations in order, and the number of errors after which to stop (None: never stop)."""

    operations: tuple[BulkOperation, ...]
    fail_on_errors: int | None


def read_bulk_request(body: Any, notes: RequestNotes) -> BulkRequest:
    """Return the request in the body of a POST to ``/Bulk``.

    Raises ``InvalidSyntax`` if the body is malformed, and ``PayloadTooLarge`` if it has too many operations.
    """
    members = {fold(name): value for name, value in body.items()} if isinstance(body, dict) else {}
    if not names_message(members.get("schemas"), urns.BULK_REQUEST, notes):
        raise InvalidSyntax(f"The body is not a BulkRequest. Send an object whose schemas contain {urns.BULK_REQUEST}.")
    operations = members.get("operations")
    if not isinstance(operations, list):
        raise InvalidSyntax("Operations must be a list of operations.")
    most = notes.limits.bulk_operations
    if len(operations) > most:
        raise PayloadTooLarge(f"The request has {len(operations)} operations. Send at most {most} in one request.")
    fail_on_errors = _read_fail_on_errors(members.get("failonerrors"), notes)
    read = tuple(_read_operation(operation, number) for number, operation in enumerate(operations, 1))
    bulk_ids = [operation.bulk_id for operation in read if operation.bulk_id is not None]
    if len(set(bulk_ids)) < len(bulk_ids):
        raise InvalidSyntax("Two operations have the same bulkId. Send a different bulkId with each operation.")
    return BulkRequest(read, fail_on_errors)


def _read_fail_on_errors(value: Any, notes: RequestNotes) -> int | None:
    if value is not None and (type(value) is not int or value < 0):
        raise InvalidSyntax("The value of failOnErrors is not valid. Send a whole number from 1.")
    if value == 0:
        notes.tolerate(Tolerance.NO_ERROR_LIMIT)
    return value or None


def _read_operation(operation: Any, number: int) -> BulkOperation:
    if not isinstance(operation, dict):
        raise InvalidSyntax(f"Operation {number} must be an object with method and path.")
    members = {fold(name): value for name, value in operation.items()}
    for name in ("method", "path", "bulkId", "version"):
        if not isinstance(members.get(fold(name), ""), str | None):
            raise InvalidSyntax(f"The {name} of operation {number} must be a string.")
    method = (members.get("method") or "").upper()
    if method not in METHODS:
        raise InvalidSyntax(f"The method of operation {number} is not valid. Use one of {listed(METHODS)}.")
    bulk_id = members.get("bulkid")
    if method == "POST" and not bulk_id:
        raise InvalidSyntax(f"Operation {number} is a POST without a bulkId. Add one.")
    return BulkOperation(method, members.get("path") or "", bulk_id, members.get("version"), members.get("data"))


def _may_refer(name: str) -> bool:
    """Return whether the value of a member called ``name`` can be a reference. In a title it is plain text."""
    return fold(name).rpartition(":")[2].rpartition(".")[2] in ("manager", "members", "value", "$ref")


def _references_in(value: Any, name: str = "value") -> list[str]:
    if isinstance(value, str):
        return [value.removeprefix(_REFERENCE)] if value.startswith(_REFERENCE) and _may_refer(name) else []
    members = (
        value.items() if isinstance(value, dict) else ((name, e) for e in value) if isinstance(value, list) else ()
    )
    return [reference for inner, member in members for reference in _references_in(member, inner)]


def _resolved(value: Any, ids: Mapping[str, str], name: str = "value") -> Any:
    if isinstance(value, str):
        refers = value.startswith(_REFERENCE) and _may_refer(name)
        return ids.get(value.removeprefix(_REFERENCE), value) if refers else value
    if isinstance(value, dict):
        return {inner: _resolved(member, ids, inner) for inner, member in value.items()}
    if isinstance(value, list):
        return [_resolved(element, ids, name) for element in value]
    return value
