"""Count the users of enterprises by their state."""

from typing import NamedTuple

from sqlalchemy import Connection, func, select

from scimsvc.models import User
from scimsvc.store.engine.statements import Query
from scimsvc.store.users import ENTERPRISE_ID


class _Count(NamedTuple):
    users: int


DISABLED_USERS = Query(
    select(func.count().label("users")).where(User.enterprise_id == ENTERPRISE_ID, ~User.active), _Count
)


def count_disabled_users(connection: Connection, enterprise_id: str) -> int:
    """Return the number of disabled users of the enterprise. ``feed.count_users`` returns the total."""
    return DISABLED_USERS.one(connection, {"enterprise_id": enterprise_id}).users


class UsersByState(NamedTuple):
    """The number of an enterprise's active or disabled users."""

    enterprise_id: str
    active: bool
    users: int


_USERS_BY_STATE = Query(
    select(User.enterprise_id, User.active, func.count().label("users")).group_by(User.enterprise_id, User.active),
    UsersByState,
)


def list_users_by_state(connection: Connection) -> list[UsersByState]:
    """Return the number of active and disabled users of each enterprise."""
    return _USERS_BY_STATE.all(connection)
