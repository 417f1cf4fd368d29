"""Bulk: each operation in a transaction of its own, those that others refer to first (RFC 7644 §3.7)."""

import uuid
from collections.abc import Iterator
from typing import Any

from scimsvc.activity.provisioning_log import record_refusal
from scimsvc.protocol import urns
from scimsvc.protocol.bulk import BulkOperation, BulkRequest
from scimsvc.protocol.errors import FailedDependency, ScimError
from scimsvc.protocol.messages import Representation, error_message
from scimsvc.protocol.versions import Preconditions
from scimsvc.scim import users
from scimsvc.scim.request import ScimRequest, claimed_address
from scimsvc.store.outages import is_outage, unavailable
from scimsvc.vocabulary import USER_OPERATIONS

_STATUS = {"POST": 201, "PUT": 200, "PATCH": 200, "DELETE": 204}


def run_bulk(request: ScimRequest, bulk: BulkRequest) -> dict[str, Any]:
    """Do the operations and return the BulkResponse, which tells of each in the order of the request.

    The ids of created users are assigned up front, so that forward and circular references can be resolved; an
    operation that refers to one that failed gets 409. After ``failOnErrors`` errors the rest is left undone.
    """
    ids = {op.bulk_id: str(uuid.uuid4()) for op in bulk.operations if op.bulk_id and op.method == "POST"}
    failed: set[str] = set()
    results: dict[int, dict[str, Any]] = {}
    errors = 0
    for position in _dependencies_first(bulk.operations):
        operation = bulk.operations[position]
        own = request.for_operation(USER_OPERATIONS[operation.method])
        try:
            results[position] = _done(request, operation, _do(own, operation, ids, failed), ids)
        except ScimError as error:
            results[position] = _refused(own, operation, error, ids)
        except Exception as error:
            if not is_outage(error):
                raise
            results[position] = _refused(own, operation, unavailable(), ids)
        request.notes.add(own.notes)
        if "response" in results[position]:
            errors += 1
            failed |= {operation.bulk_id} if operation.bulk_id else set()
            if errors == bulk.fail_on_errors:
                break
    return {"schemas": [urns.BULK_RESPONSE], "Operations": [results[position] for position in sorted(results)]}


def _dependencies_first(operations: tuple[BulkOperation, ...]) -> Iterator[int]:
    """Yield the positions in their order, but each after the creations that it refers to; circles are cut open."""
    creations = {op.bulk_id: position for position, op in enumerate(operations) if op.method == "POST"}
    begun: set[int] = set()
    for start in range(len(operations)):
        stack = [(start, False)]
        while stack:
            position, ready = stack.pop()
            if ready:
                yield position
            elif position not in begun:
                begun.add(position)
                stack.append((position, True))
                references = sorted(operations[position].references, reverse=True)
                stack += [(creations[each], False) for each in references if each in creations]


def _do(request: ScimRequest, operation: BulkOperation, ids: dict[str, str], failed: set[str]) -> Representation | None:
    request.attempt.email = claimed_address(operation.data)
    for reference in sorted(operation.references):
        if reference in failed or reference not in ids:
            state = "failed" if reference in failed else "is not in this request"
            raise FailedDependency(f"the operation refers to bulkId {reference!r}, which {state}")
    target, body = operation.target(ids), operation.body(ids)
    if target is None:
        return users.create_user(request, body, user_id=ids[operation.bulk_id or ""])
    preconditions = Preconditions(if_match=operation.version)
    if operation.method == "PUT":
        return users.replace_user(request, target, body, preconditions)
    if operation.method == "PATCH":
        return users.patch_user(request, target, body, preconditions)
    users.delete_user(request, target, preconditions)
    return None


def _done(
    request: ScimRequest, operation: BulkOperation, user: Representation | None, ids: dict[str, str]
) -> dict[str, Any]:
    done = _head(operation) | {"status": str(_STATUS[operation.method])}
    if user is None:
        return done | {"location": _location(request, operation, ids)}
    return done | {"location": user.location, "version": user.entity_tag}


def _refused(request: ScimRequest, operation: BulkOperation, error: ScimError, ids: dict[str, str]) -> dict[str, Any]:
    record_refusal(request, error)
    refused = _head(operation) | {"status": str(error.status), "response": error_message(error)}
    if operation.method == "POST":
        return refused
    return refused | {"location": _location(request, operation, ids)}


def _location(request: ScimRequest, operation: BulkOperation, ids: dict[str, str]) -> str:
    _, target = operation.endpoint_and_target
    return f"{request.base}/Users/{ids.get(target.removeprefix('bulkId:'), target)}".rstrip("/")


def _head(operation: BulkOperation) -> dict[str, Any]:
    return {"method": operation.method} | ({"bulkId": operation.bulk_id} if operation.bulk_id else {})
