"""Read the bodies of POST and PATCH: by the fast path if it can read the body, otherwise by the general reader."""

from typing import Any

from scimsvc import fast_paths
from scimsvc.protocol.attributes import Resource
from scimsvc.protocol.patch import Operation
from scimsvc.protocol.reading import fast_path, leniency
from scimsvc.protocol.reading.tolerances import RequestNotes
from scimsvc.protocol.resource_types import ResourceType
from scimsvc.protocol.resources import canonical_resource


def read_new_user(
    body: Any, resource_type: ResourceType, notes: RequestNotes, *, user_id: str, reject_unknown: bool = False
) -> Resource:
    """Return the User in a POST ``body``, with the id ``user_id`` and in canonical form.

    ``resource_type`` has the extensions of the user's enterprise. Raises ``InvalidSyntax`` if the body is not a User,
    and ``InvalidValue`` if a value is not valid.
    """
    if fast_paths.enabled:
        user = fast_path.read_user(body, resource_type, notes, user_id=user_id)
        if user is not None:
            return user
    received = leniency.read_resource(body, resource_type, notes, reject_unknown=reject_unknown)
    return canonical_resource(received | {"id": user_id}, resource_type, notes)


def read_patch(
    body: Any, resource_type: ResourceType, notes: RequestNotes, *, reject_unknown: bool = False
) -> list[Operation]:
    """Return the operations of a PATCH ``body`` in the shapes of the RFCs, each on one attribute of ``resource_type``.

    Raises ``InvalidSyntax``, ``InvalidPath``, ``InvalidFilter``, ``NoTarget`` or ``InvalidValue``.
    """
    if fast_paths.enabled:
        operations = fast_path.read_patch(body, resource_type, notes)
        if operations is not None:
            return operations
    return leniency.read_patch(body, resource_type, notes, reject_unknown=reject_unknown)
