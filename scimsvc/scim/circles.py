"""Create users who refer to each other in a circle: all of them or none, so that no reference leads nowhere."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from scimsvc.protocol.errors import ScimError
from scimsvc.protocol.messages import Representation
from scimsvc.scim.conflicts import conflict_error
from scimsvc.scim.request import ScimRequest
from scimsvc.scim.users import insert_new_user, understand_new_user
from scimsvc.store.engine.retries import retried
from scimsvc.store.engine.transactions import writing
from scimsvc.store.user_writes import UserConflict


class Creation(NamedTuple):
    """The creation of one user of a circle."""

    request: ScimRequest
    body: Any
    user_id: str


class CreationRefused(Exception):
    """The creation at ``position`` is refused with ``refusal``, and therefore all of them."""

    def __init__(self, position: int, refusal: ScimError) -> None:
        super().__init__(position, refusal)
        self.position = position
        self.refusal = refusal


@retried
def create_circle(creations: Sequence[Creation]) -> list[Representation]:
    """Create the users in one transaction and return them. Raises ``CreationRefused``."""
    users, created = [], []
    for position, creation in enumerate(creations):
        with position_of_refusal(position):
            users.append(understand_new_user(*creation))
    position = 0
    try:
        with writing() as connection:
            for position, creation in enumerate(creations):
                with position_of_refusal(position):
                    created.append(insert_new_user(connection, creation.request, users[position]))
    except UserConflict as error:
        raise CreationRefused(position, conflict_error(creations[position].request, error)) from None
    return created


@contextmanager
def position_of_refusal(position: int) -> Iterator[None]:
    """Raise a ``ScimError`` of the block as ``CreationRefused``."""
    try:
        yield
    except ScimError as error:
        raise CreationRefused(position, error) from None
