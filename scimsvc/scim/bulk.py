"""Run Bulk requests: each operation in its own transaction, after the creations it refers to (RFC 7644 §3.7).

Creations that refer to each other in a circle share a transaction.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from scimsvc.activity.log_writing import record_refusal
from scimsvc.protocol import urns
from scimsvc.protocol.bulk import BulkOperation, BulkRequest
from scimsvc.protocol.bulk_order import execution_order
from scimsvc.protocol.errors import FailedDependency, ScimError, quoted
from scimsvc.protocol.messages import Representation, error_message
from scimsvc.protocol.versions import Preconditions
from scimsvc.protocol.work_budget import WorkBudget
from scimsvc.scim import groups, users
from scimsvc.scim.circles import Creation, CreationRefused, create_circle, position_of_refusal
from scimsvc.scim.claims import claimed_name
from scimsvc.scim.request import ScimRequest
from scimsvc.store.engine.database import current_database
from scimsvc.store.engine.outages import find_unavailable
from scimsvc.vocabulary import WRITES
from scimsvc.web.state import request_state

#: The status of a successful operation. A PATCH of a group answers without a body.
_STATUS = {"POST": 201, "PUT": 200, "PATCH": 200, "DELETE": 204}
_STATUS_OF_GROUP = {**_STATUS, "PATCH": 204}
#: The result of one operation in the BulkResponse.
_Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _References:
    """The resources that bulkIds refer to: IDs by bulkId, and the bulkIds of refused operations."""

    ids: dict[str, str]
    refused: set[str] = field(default_factory=set)

    def check(self, operation: BulkOperation) -> None:
        """Raise ``FailedDependency`` if ``operation`` refers to a resource that was not created."""
        for reference in sorted(operation.references):
            if reference in self.refused or reference not in self.ids:
                if reference in self.refused:
                    raise FailedDependency(
                        f"The operation with bulkId {quoted(reference)}, which this operation refers to, was refused. "
                        "Correct that operation, and send both again."
                    )
                raise FailedDependency(
                    f"The bulkId {quoted(reference)}, which this operation refers to, is not in this request. "
                    "Add a POST operation with this bulkId."
                )


def run_bulk(request: ScimRequest, bulk: BulkRequest) -> dict[str, Any]:
    """Run the operations and return the BulkResponse, with the results in the order of the request.

    IDs of new resources are assigned first, so that forward and circular references can be resolved. An operation that
    refers to a refused operation gets 409. After ``failOnErrors`` errors, the remaining operations are skipped.
    """
    request.notes.budget = WorkBudget(request.notes.limits)
    creations = [operation.bulk_id for operation in bulk.operations if operation.is_creation]
    references = _References({bulk_id: str(uuid.uuid4()) for bulk_id in creations if bulk_id})
    results: dict[int, _Result] = {}
    errors = 0
    for group in execution_order(bulk.operations):
        operations = [bulk.operations[position] for position in group]
        run = _run_one if len(operations) == 1 else _run_circle
        results |= zip(group, run(request, operations, references), strict=True)
        refused = [bulk.operations[position] for position in group if "response" in results[position]]
        references.refused.update(each.bulk_id for each in refused if each.bulk_id)
        errors += len(refused)
        if bulk.fail_on_errors is not None and errors >= bulk.fail_on_errors:
            break
    return {"schemas": [urns.BULK_RESPONSE], "Operations": [results[position] for position in sorted(results)]}


def _run_one(request: ScimRequest, operations: list[BulkOperation], references: _References) -> list[_Result]:
    """Run the only one of ``operations``. Its result has a ``response`` only if it was refused."""
    (operation,) = operations
    attempt = request.for_operation(WRITES[operation.method])
    try:
        resource = _run_operation(attempt, operation, references)
    except Exception as error:
        refusal = find_unavailable(error) or error
        if not isinstance(refusal, ScimError):
            raise
        record_refusal(attempt.refusal_entry(refusal))
        return [_refused(request, operation, refusal, references)]
    finally:
        request.notes.add(attempt.notes)
    # While the database completes operations, the rest may follow. After one that exceeds its time, all are refused.
    current_database().deadlines.renew()
    return [_done(request, operation, resource, references)]


def _run_circle(request: ScimRequest, operations: list[BulkOperation], references: _References) -> list[_Result]:
    """Run creations that refer to each other: all of them or, if one is refused, none."""
    attempts = [request.for_operation(WRITES[operation.method]) for operation in operations]
    try:
        resources = create_circle(list(_creations(attempts, operations, references)))
    except Exception as error:
        refusals = _refusals_of_circle(error, operations)
        if refusals is None:
            raise
        for attempt, refusal in zip(attempts, refusals, strict=True):
            attempt.attempt.user_id = attempt.attempt.group_id = None  # it was inserted, and rolled back
            record_refusal(attempt.refusal_entry(refusal))
        return [_refused(request, *each, references) for each in zip(operations, refusals, strict=True)]
    finally:
        for attempt in attempts:
            request.notes.add(attempt.notes)
    current_database().deadlines.renew()
    return [_done(request, *each, references) for each in zip(operations, resources, strict=True)]


def _creations(
    attempts: list[ScimRequest], operations: list[BulkOperation], references: _References
) -> Iterator[Creation]:
    """Yield the creations of a circle. Raises ``CreationRefused``."""
    for position, (request, operation) in enumerate(zip(attempts, operations, strict=True)):
        _claim(request, operation)
        with position_of_refusal(position):
            references.check(operation)
            operation.target(references.ids)
        resource_id = references.ids[operation.bulk_id or ""]
        yield Creation(request, operation.body(references.ids), resource_id, operation.is_of_group)


def _refusals_of_circle(error: Exception, operations: list[BulkOperation]) -> list[ScimError] | None:
    """Return the refusal of each operation of a circle that fails with ``error``, or None if it is a fault."""
    if not isinstance(error, CreationRefused):
        unavailable = find_unavailable(error)
        return [unavailable] * len(operations) if unavailable is not None else None
    culprit = operations[error.position]
    others = FailedDependency(
        f"The operation with bulkId {quoted(culprit.bulk_id or '')} was refused, and this operation and that one "
        "refer to each other. Correct that operation, and send both again."
    )
    return [error.refusal if operation is culprit else others for operation in operations]


def _claim(request: ScimRequest, operation: BulkOperation) -> None:
    """Note for the log of a refusal which user or group ``operation`` is about."""
    if operation.is_of_group:
        request.attempt.group = claimed_name(operation.data)
    else:
        request.attempt.body = operation.data


def _run_operation(request: ScimRequest, operation: BulkOperation, references: _References) -> Representation | None:
    """Run the use case of ``operation`` and return the resource, or None after a deletion; raises ``ScimError``."""
    _claim(request, operation)
    references.check(operation)
    target, body = operation.target(references.ids), operation.body(references.ids)
    if target is None:
        new_id = references.ids[operation.bulk_id or ""]
        if operation.is_of_group:
            return groups.create_group(request, body, group_id=new_id, with_members=False)
        return users.create_user(request, body, user_id=new_id)
    preconditions = Preconditions(if_match=operation.version)
    if operation.method == "PUT":
        if operation.is_of_group:
            return groups.replace_group(request, target, body, preconditions, with_members=False)
        return users.replace_user(request, target, body, preconditions)
    if operation.method == "PATCH":
        patch = groups.patch_group if operation.is_of_group else users.patch_user
        return patch(request, target, body, preconditions)
    delete = groups.delete_group if operation.is_of_group else users.delete_user
    delete(request, target, preconditions)
    return None


def _done(
    request: ScimRequest, operation: BulkOperation, resource: Representation | None, references: _References
) -> _Result:
    statuses = _STATUS_OF_GROUP if operation.is_of_group else _STATUS
    result = _head(operation) | {"status": str(statuses[operation.method])}
    if resource is None:
        return result | {"location": _location(request, operation, references)}
    if not operation.is_of_group:
        request_state().confirmed += (resource.id,)
    return result | {"location": resource.location, "version": resource.entity_tag}


def _refused(request: ScimRequest, operation: BulkOperation, error: ScimError, references: _References) -> _Result:
    result = _head(operation) | {"status": str(error.status), "response": error_message(error)}
    if operation.is_creation:
        return result
    return result | {"location": _location(request, operation, references)}


def _location(request: ScimRequest, operation: BulkOperation, references: _References) -> str:
    _, target = operation.endpoint_and_target
    endpoint = "Groups" if operation.is_of_group else "Users"
    return f"{request.base}/{endpoint}/{references.ids.get(target.removeprefix('bulkId:'), target)}".rstrip("/")


def _head(operation: BulkOperation) -> _Result:
    return {"method": operation.method} | ({"bulkId": operation.bulk_id} if operation.bulk_id else {})
