"""Create resources that refer to each other in a circle: all of them or none, so that no reference leads nowhere."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from scimsvc.protocol.errors import ScimError
from scimsvc.protocol.messages import Representation
from scimsvc.scim import groups, users
from scimsvc.scim.conflicts import conflict_error, group_error
from scimsvc.scim.groups import FirstGroup
from scimsvc.scim.request import ScimRequest
from scimsvc.store.engine.retries import Outdated, retried
from scimsvc.store.engine.transactions import writing
from scimsvc.store.group_members import UnknownMembers
from scimsvc.store.groups import GroupNameTaken, mark_groups
from scimsvc.store.user_writes import UserConflict


class Creation(NamedTuple):
    """The creation of one user or group of a circle."""

    request: ScimRequest
    body: Any
    resource_id: str
    is_of_group: bool


class CreationRefused(Exception):
    """The creation at ``position`` is refused with ``refusal``, and therefore all of them."""

    def __init__(self, position: int, refusal: ScimError) -> None:
        super().__init__(position, refusal)
        self.position = position
        self.refusal = refusal


@retried
def create_circle(creations: Sequence[Creation]) -> list[Representation]:
    """Create the users and groups in one transaction and return them. Raises ``CreationRefused``."""
    try:
        return _create_circle(creations)
    except FirstGroup:
        mark_groups(creations[0].request.caller.enterprise_id)
    return _create_circle(creations)


def _create_circle(creations: Sequence[Creation]) -> list[Representation]:
    resources: list[Any] = []
    for position, creation in enumerate(creations):
        with position_of_refusal(position):
            understand = groups.understand_new_group if creation.is_of_group else users.understand_new_user
            resources.append(understand(creation.request, creation.body, creation.resource_id))
    created: dict[int, Representation] = {}
    position = 0
    try:
        with writing() as connection:
            # Users first, because groups have members.
            for position in sorted(range(len(creations)), key=lambda each: creations[each].is_of_group):
                request, is_of_group = creations[position].request, creations[position].is_of_group
                insert: Any = groups.insert_new_group if is_of_group else users.insert_new_user
                with position_of_refusal(position):
                    created[position] = insert(connection, request, resources[position])
    except Outdated:
        current = creations[position].request.attempt
        for creation in creations:
            creation.request.attempt.read_with(current.custom_attributes, current.user_type)
        raise
    except UserConflict as error:
        raise CreationRefused(position, conflict_error(creations[position].request, error)) from None
    except (GroupNameTaken, UnknownMembers) as error:
        raise CreationRefused(position, group_error(creations[position].request, error)) from None
    return [created[position] for position in range(len(creations))]


@contextmanager
def position_of_refusal(position: int) -> Iterator[None]:
    """Raise a ``ScimError`` of the block as ``CreationRefused``."""
    try:
        yield
    except Outdated:
        raise
    except ScimError as error:
        raise CreationRefused(position, error) from None
