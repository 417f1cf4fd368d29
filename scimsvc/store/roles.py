"""Roles with their names and aliases, and the users of each role."""

import random
from collections import Counter
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from scimsvc.models import Enterprise, Role, RoleName, User
from scimsvc.protocol.attributes import fold
from scimsvc.store.engine.statements import Query, Write


class RoleRow(NamedTuple):
    """A role of an enterprise."""

    id: str
    name: str
    is_default: bool
    restrict_editing: bool
    #: The place in the enterprise's order, from 1.
    position: int


class RoleNameRow(NamedTuple):
    """A name or alias of a role."""

    role_id: str
    name_key: str
    name: str
    is_alias: bool


class NamedRole(NamedTuple):
    """A role with its name or one of its aliases."""

    name_key: str
    id: str
    name: str
    is_default: bool
    restrict_editing: bool
    position: int


class RoleUsers(NamedTuple):
    """The number of users with a role. The role ID None means the default role."""

    role_id: str | None
    group_role_id: str | None
    users: int


class NameTaken(Exception):
    """The name or alias already belongs to ``role``."""

    def __init__(self, role: str) -> None:
        super().__init__(role)
        self.role = role


class _Count(NamedTuple):
    users: int


class _Name(NamedTuple):
    name: str


class _Position(NamedTuple):
    position: int


_ENTERPRISE_ID = bindparam("enterprise_id", type_=Role.enterprise_id.type)
_ROLE_ID = bindparam("role_id", type_=Role.id.type)
_KEY = bindparam("key", type_=RoleName.name_key.type)

ROLES = Query(
    select(Role.id, Role.name, Role.is_default, Role.restrict_editing, Role.position)
    .where(Role.enterprise_id == _ENTERPRISE_ID)
    .order_by(Role.position, Role.id),
    RoleRow,
)
ROLE_NAMES = Query(
    select(RoleName.role_id, RoleName.name_key, RoleName.name, RoleName.is_alias)
    .where(RoleName.enterprise_id == _ENTERPRISE_ID)
    .order_by(RoleName.name),
    RoleNameRow,
)
_NAMED_ROLES = (
    select(RoleName.name_key, Role.id, Role.name, Role.is_default, Role.restrict_editing, Role.position)
    .join(Role, (Role.enterprise_id == RoleName.enterprise_id) & (Role.id == RoleName.role_id))
    .where(RoleName.enterprise_id == _ENTERPRISE_ID)
)
NAMED_ROLES = Query(_NAMED_ROLES, NamedRole)
NAMED_ROLE = Query(_NAMED_ROLES.where(RoleName.name_key == _KEY), NamedRole)
DEFAULT_ROLE_NAME = Query(select(Role.name).where(Role.enterprise_id == _ENTERPRISE_ID, Role.is_default), _Name)
LAST_POSITION = Query(
    select(func.coalesce(func.max(Role.position), 0).label("position")).where(Role.enterprise_id == _ENTERPRISE_ID),
    _Position,
)
USERS_BY_ROLE = Query(
    select(User.role_id, User.group_role_id, func.count().label("users"))
    .where(User.enterprise_id == _ENTERPRISE_ID)
    .group_by(User.role_id, User.group_role_id),
    RoleUsers,
)
USERS_ON_DEFAULT = Query(
    select(func.count().label("users"))
    .select_from(User)
    .where(User.enterprise_id == _ENTERPRISE_ID, User.role_id.is_(None), User.group_role_id.is_(None)),
    _Count,
)


# Read roles.


def list_roles(connection: Connection, enterprise_id: str) -> list[RoleRow]:
    """Return the roles of the enterprise in their order."""
    return ROLES.all(connection, {"enterprise_id": enterprise_id})


def list_role_names(connection: Connection, enterprise_id: str) -> list[RoleNameRow]:
    """Return the names and aliases of the roles of the enterprise."""
    return ROLE_NAMES.all(connection, {"enterprise_id": enterprise_id})


def list_named_roles(connection: Connection, enterprise_id: str) -> list[NamedRole]:
    """Return the roles of the enterprise, once for each name and alias."""
    return NAMED_ROLES.all(connection, {"enterprise_id": enterprise_id})


def find_named_role(connection: Connection, enterprise_id: str, name: str) -> NamedRole | None:
    """Return the role with the name or alias ``name``, ignoring case."""
    return NAMED_ROLE.first(connection, {"enterprise_id": enterprise_id, "key": fold(name)})


def get_default_role_name(connection: Connection, enterprise_id: str) -> str:
    """Return the name of the default role of the enterprise."""
    return DEFAULT_ROLE_NAME.one(connection, {"enterprise_id": enterprise_id}).name


def count_users_by_role(connection: Connection, enterprise_id: str) -> dict[str | None, int]:
    """Return the number of users by role ID. None means the default role."""
    counts: Counter[str | None] = Counter()
    for row in USERS_BY_ROLE.all(connection, {"enterprise_id": enterprise_id}):
        counts[row.role_id or row.group_role_id] += row.users
    return dict(counts)


def count_users_on_default(connection: Connection, enterprise_id: str) -> int:
    """Return the number of users with the default role."""
    return USERS_ON_DEFAULT.one(connection, {"enterprise_id": enterprise_id}).users


# Write roles.

_OWN = (Role.enterprise_id == _ENTERPRISE_ID, Role.id == _ROLE_ID)
_INSERT_ROLE = Write(insert(Role))
_INSERT_NAME = Write(insert(RoleName))
_UPDATE_NAME = Write(update(Role).where(*_OWN).values(name=bindparam("new_name")))
_UPDATE_RESTRICTION = Write(update(Role).where(*_OWN).values(restrict_editing=bindparam("restricts")))
_UNSET_DEFAULT = Write(
    update(Role).where(Role.enterprise_id == _ENTERPRISE_ID, Role.is_default).values(is_default=False)
)
_SET_DEFAULT = Write(update(Role).where(*_OWN).values(is_default=True))
_SET_POSITION = Write(update(Role).where(*_OWN).values(position=bindparam("new_position")))
#: Moves the roles between two positions by one place.
_SHIFT = Write(
    update(Role)
    .where(Role.enterprise_id == _ENTERPRISE_ID, Role.position.between(bindparam("first"), bindparam("last")))
    .values(position=Role.position + bindparam("by", type_=Role.position.type))
)
_DELETE_ROLE = Write(delete(Role).where(*_OWN))
_OF_ROLE = (RoleName.enterprise_id == _ENTERPRISE_ID, RoleName.role_id == _ROLE_ID)
_DELETE_ALIAS = Write(delete(RoleName).where(*_OF_ROLE, RoleName.name_key == _KEY, RoleName.is_alias))
#: Deletes the old name, and an alias that becomes the new name.
_DELETE_NAME = Write(delete(RoleName).where(*_OF_ROLE, or_(~RoleName.is_alias, RoleName.name_key == _KEY)))
_COUNT_DEFAULT_CHANGE = Write(
    update(Enterprise)
    .where(Enterprise.id == _ENTERPRISE_ID)
    .values(role_revision=Enterprise.role_revision + bindparam("step", type_=Enterprise.role_revision.type)),
    columns=[],
)
#: A restored database must not count to a revision that clients have seen, so each step is random.
_LONGEST_STEP = 100_000


def _count_default_change(connection: Connection, enterprise_id: str) -> None:
    step = random.randint(1, _LONGEST_STEP)  # noqa: S311  # no secret
    _COUNT_DEFAULT_CHANGE.run(connection, {"enterprise_id": enterprise_id, "step": step})


def insert_role(connection: Connection, enterprise_id: str, role: RoleRow) -> None:
    """Insert ``role`` and its name. Raises ``NameTaken`` if another role has the name or alias."""
    _INSERT_ROLE.run(connection, {"enterprise_id": enterprise_id, **role._asdict()})
    _insert_name(connection, enterprise_id, role.id, role.name, is_alias=False)


def get_last_position(connection: Connection, enterprise_id: str) -> int:
    """Return the position of the enterprise's last role, or 0 if it has no role."""
    return LAST_POSITION.one(connection, {"enterprise_id": enterprise_id}).position


def update_position(connection: Connection, enterprise_id: str, role: RoleRow, position: int) -> None:
    """Move ``role`` to ``position``, and the roles in between by one place."""
    down = position > role.position
    first, last = (role.position + 1, position) if down else (position, role.position - 1)
    _SHIFT.run(connection, {"enterprise_id": enterprise_id, "first": first, "last": last, "by": -1 if down else 1})
    _SET_POSITION.run(connection, {"enterprise_id": enterprise_id, "role_id": role.id, "new_position": position})


def insert_alias(connection: Connection, enterprise_id: str, role_id: str, alias: str) -> None:
    """Insert an alias of a role. Raises ``NameTaken`` if another role has the name or alias."""
    _insert_name(connection, enterprise_id, role_id, alias, is_alias=True)


def _insert_name(connection: Connection, enterprise_id: str, role_id: str, name: str, *, is_alias: bool) -> None:
    row = RoleNameRow(role_id, fold(name), name, is_alias)
    try:
        with connection.begin_nested():
            _INSERT_NAME.run(connection, {"enterprise_id": enterprise_id, **row._asdict()})
    except IntegrityError:
        taken_by = NAMED_ROLE.one(connection, {"enterprise_id": enterprise_id, "key": row.name_key})
        raise NameTaken(taken_by.name) from None


def update_role_name(connection: Connection, enterprise_id: str, role: RoleRow, name: str) -> None:
    """Rename ``role``. One of its aliases may become the name. Raises ``NameTaken`` if another role has the name."""
    key = {"enterprise_id": enterprise_id, "role_id": role.id}
    _DELETE_NAME.run(connection, {**key, "key": fold(name)})
    _insert_name(connection, enterprise_id, role.id, name, is_alias=False)
    _UPDATE_NAME.run(connection, {**key, "new_name": name})
    if role.is_default:
        _count_default_change(connection, enterprise_id)


def update_restriction(connection: Connection, enterprise_id: str, role_id: str, *, restricts: bool) -> None:
    """Set whether the role restricts editing."""
    _UPDATE_RESTRICTION.run(connection, {"enterprise_id": enterprise_id, "role_id": role_id, "restricts": restricts})


def update_default_role(connection: Connection, enterprise_id: str, role_id: str) -> None:
    """Set the role as the default role of the enterprise."""
    _UNSET_DEFAULT.run(connection, {"enterprise_id": enterprise_id})
    _SET_DEFAULT.run(connection, {"enterprise_id": enterprise_id, "role_id": role_id})
    _count_default_change(connection, enterprise_id)


def delete_alias(connection: Connection, enterprise_id: str, role_id: str, alias: str) -> bool:
    """Delete an alias of a role, and return whether it existed."""
    parameters = {"enterprise_id": enterprise_id, "role_id": role_id, "key": fold(alias)}
    return _DELETE_ALIAS.run(connection, parameters) > 0


def delete_role(connection: Connection, enterprise_id: str, role: RoleRow) -> None:
    """Delete a role without users, with its name and aliases. The roles after it move up."""
    update_position(connection, enterprise_id, role, get_last_position(connection, enterprise_id))
    _DELETE_ROLE.run(connection, {"enterprise_id": enterprise_id, "role_id": role.id})
