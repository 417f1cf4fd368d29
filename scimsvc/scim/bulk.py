"""Run Bulk requests: each operation in its own transaction, after the creations it refers to (RFC 7644 §3.7)."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from scimsvc.activity.log_writing import record_refusal
from scimsvc.protocol import urns
from scimsvc.protocol.bulk import BulkOperation, BulkRequest
from scimsvc.protocol.errors import FailedDependency, ScimError, quoted
from scimsvc.protocol.messages import Representation, error_message
from scimsvc.protocol.versions import Preconditions
from scimsvc.protocol.work_budget import WorkBudget
from scimsvc.scim import users
from scimsvc.scim.request import ScimRequest, claimed_address
from scimsvc.store.engine.database import current_database
from scimsvc.store.engine.outages import find_unavailable
from scimsvc.vocabulary import USER_OPERATIONS

_STATUS = {"POST": 201, "PUT": 200, "PATCH": 200, "DELETE": 204}
#: The result of one operation in the BulkResponse.
_Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _References:
    """The users that bulkIds refer to: IDs by bulkId, and the bulkIds of refused operations."""

    ids: dict[str, str]
    refused: set[str] = field(default_factory=set)

    def check(self, operation: BulkOperation) -> None:
        """Raise ``FailedDependency`` if ``operation`` refers to a user who was not created."""
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

    IDs of new users are assigned first, so that forward and circular references can be resolved. An operation that
    refers to a refused operation gets 409. After ``failOnErrors`` errors, the remaining operations are skipped.
    """
    request.notes.budget = WorkBudget(request.notes.limits)
    creations = [operation.bulk_id for operation in bulk.operations if _is_creation(operation)]
    references = _References({bulk_id: str(uuid.uuid4()) for bulk_id in creations if bulk_id})
    results: dict[int, _Result] = {}
    errors = 0
    for position in _dependencies_first(bulk.operations):
        operation = bulk.operations[position]
        results[position] = _run(request, operation, references)
        if "response" in results[position]:
            errors += 1
            if operation.bulk_id:
                references.refused.add(operation.bulk_id)
            if errors == bulk.fail_on_errors:
                break
    return {"schemas": [urns.BULK_RESPONSE], "Operations": [results[position] for position in sorted(results)]}


def _dependencies_first(operations: tuple[BulkOperation, ...]) -> Iterator[int]:
    """Yield the positions in order, except that the creations an operation refers to come first; cycles are broken."""
    creations = {
        operation.bulk_id: position for position, operation in enumerate(operations) if _is_creation(operation)
    }
    begun: set[int] = set()
    for start in range(len(operations)):
        stack = [(start, False)]
        while stack:
            position, is_ready = stack.pop()
            if is_ready:
                yield position
            elif position not in begun:
                begun.add(position)
                stack.append((position, True))
                references = sorted(operations[position].references, reverse=True)
                stack += [(creations[reference], False) for reference in references if reference in creations]


def _is_creation(operation: BulkOperation) -> bool:
    return operation.method == "POST"


def _run(request: ScimRequest, operation: BulkOperation, references: _References) -> _Result:
    """Run ``operation`` and return its result, which has a ``response`` only if the operation was refused."""
    attempt = request.for_operation(USER_OPERATIONS[operation.method])
    try:
        user = _change_user(attempt, operation, references)
    except Exception as error:
        refusal = find_unavailable(error) or error
        if not isinstance(refusal, ScimError):
            raise
        record_refusal(attempt.refusal_entry(refusal))
        return _refused(request, operation, refusal, references)
    finally:
        request.notes.add(attempt.notes)
    # While the database completes operations, the rest may follow. After one that exceeds its time, all are refused.
    current_database().deadlines.renew()
    return _done(request, operation, user, references)


def _change_user(request: ScimRequest, operation: BulkOperation, references: _References) -> Representation | None:
    """Run the use case of ``operation`` and return the user, or None after a deletion; raises ``ScimError``."""
    request.attempt.email = claimed_address(operation.data)
    references.check(operation)
    target, body = operation.target(references.ids), operation.body(references.ids)
    if target is None:
        return users.create_user(request, body, user_id=references.ids[operation.bulk_id or ""])
    preconditions = Preconditions(if_match=operation.version)
    if operation.method == "PUT":
        return users.replace_user(request, target, body, preconditions)
    if operation.method == "PATCH":
        return users.patch_user(request, target, body, preconditions)
    users.delete_user(request, target, preconditions)
    return None


def _done(
    request: ScimRequest, operation: BulkOperation, user: Representation | None, references: _References
) -> _Result:
    result = _head(operation) | {"status": str(_STATUS[operation.method])}
    if user is None:
        return result | {"location": _location(request, operation, references)}
    return result | {"location": user.location, "version": user.entity_tag}


def _refused(request: ScimRequest, operation: BulkOperation, error: ScimError, references: _References) -> _Result:
    result = _head(operation) | {"status": str(error.status), "response": error_message(error)}
    if _is_creation(operation):
        return result
    return result | {"location": _location(request, operation, references)}


def _location(request: ScimRequest, operation: BulkOperation, references: _References) -> str:
    _, target = operation.endpoint_and_target
    return f"{request.base}/Users/{references.ids.get(target.removeprefix('bulkId:'), target)}".rstrip("/")


def _head(operation: BulkOperation) -> _Result:
    return {"method": operation.method} | ({"bulkId": operation.bulk_id} if operation.bulk_id else {})
