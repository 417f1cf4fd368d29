"""Read a user, or lock it for a change.

``user_pages`` lists users for SCIM, and ``profiles`` lists them for commands and the enterprise API. ``user_writes``
inserts, updates and deletes users.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeVar

from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, func, null, or_, select
from sqlalchemy.orm import aliased

from scimsvc.models import Enterprise, Role, User
from scimsvc.protocol.attributes import fold
from scimsvc.store.engine.statements import Query
from scimsvc.store.engine.transactions import read_rows
from scimsvc.store.pauses import still_paused
from scimsvc.store.user_groups import GROUP_DOCUMENTS

ENTERPRISE_ID = bindparam("enterprise_id", type_=User.enterprise_id.type)
ID = bindparam("id", type_=User.id.type)
KEY = bindparam("key", type_=User.email_key.type)


class ViewedUser(NamedTuple):
    """The columns of ``StoredUser``, followed by those of ``EnterpriseView``, and the groups.

    One statement reads both, so that the default role is never outdated.
    """

    id: str
    document: str
    role_id: str | None
    version: int
    created_at: str
    modified_at: str
    group_role: str | None
    default_role: str
    role_revision: int
    has_groups: bool
    #: The documents of the user's groups, separated by commas. None if the enterprise has no groups, or the user none.
    group_documents: str | None


class EnterpriseView(NamedTuple):
    """The enterprise settings that appear in SCIM responses."""

    default_role: str
    role_revision: int
    has_groups: bool


#: The condition that a user has neither a role that was sent nor one from groups.
ON_DEFAULT = and_(User.role_id.is_(None), User.group_role_id.is_(None))


def has_role(role_id: str, *, or_on_default: bool = False) -> ColumnElement[bool]:
    """Return the condition that a user has the role, or also that the user has the default role."""
    conditions = [User.role_id == role_id, and_(User.role_id.is_(None), User.group_role_id == role_id)]
    return or_(*conditions, ON_DEFAULT) if or_on_default else or_(*conditions)


class EnterpriseRules(NamedTuple):
    """The enterprise settings that apply to writes."""

    id: str
    name: str
    unique_user_name: bool
    unique_group_name: bool
    several_roles: str
    has_groups: bool
    role_revision: int
    is_paused: bool
    paused_until: str | None
    removal_users: int | None
    removal_percent: int | None
    removal_hours: int | None
    removal_released_until: str | None
    removal_cap_hours: int | None
    custom_attributes: str | None
    default_role_id: str
    default_role: str
    default_restricts: bool

    @property
    def paused(self) -> bool:
        """Whether every SCIM write is refused now."""
        return still_paused(self.is_paused, self.paused_until)


class UserToChange(NamedTuple):
    """A user to change through SCIM. The first columns are those of ``StoredUser``.

    ``role`` and ``restricts`` (whether the role restricts editing) are None for a user with the default role.
    """

    id: str
    document: str
    role_id: str | None
    version: int
    created_at: str
    modified_at: str
    group_role: str | None
    source: str
    revision: int
    title: str | None
    organization: str | None
    group_role_id: str | None
    group_restricts: bool | None
    role: str | None
    restricts: bool | None


class RulesAndUser(NamedTuple):
    """A user to change through SCIM, and the enterprise settings that apply to the write."""

    rules: EnterpriseRules
    user: UserToChange


def of_group_role(column: Any) -> Any:
    """Return ``column`` of the role that the user has from groups; null without one. Other users cost no look-up."""
    role = aliased(Role)
    value = select(getattr(role, column.key)).where(
        role.enterprise_id == User.enterprise_id, role.id == User.group_role_id
    )
    return case((User.group_role_id.is_not(None), value.correlate(User).scalar_subquery()), else_=null())


#: The columns of ``StoredUser``, in order.
REPRESENTED: tuple[Any, ...] = (
    User.id,
    User.document,
    User.role_id,
    User.version,
    User.created_at,
    User.modified_at,
    of_group_role(Role.name).label("group_role"),
)
#: The columns of ``EnterpriseView``, in order.
VIEW: tuple[Any, ...] = (Role.name.label("default_role"), Enterprise.role_revision, Enterprise.has_groups)
OF_DEFAULT = and_(Role.enterprise_id == Enterprise.id, Role.is_default)
#: Both tables have a condition on the enterprise, so that its row is read only once.
_VIEWED = (
    select(*REPRESENTED, *VIEW, GROUP_DOCUMENTS)
    .join(Enterprise, Enterprise.id == User.enterprise_id)
    .join(Role, OF_DEFAULT)
    .where(User.enterprise_id == ENTERPRISE_ID, Enterprise.id == ENTERPRISE_ID)
)
USER = Query(_VIEWED.where(User.id == ID), ViewedUser)
USER_BY_ADDRESS = Query(_VIEWED.where(User.email_key == KEY), ViewedUser)


def find_user(enterprise_id: str, user_id: str) -> ViewedUser | None:
    """Return the user with the ID ``user_id``, outside of a transaction."""
    rows = read_rows(USER, {"enterprise_id": enterprise_id, "id": user_id})
    return rows[0] if rows else None


def find_user_by_address(enterprise_id: str, address: str) -> ViewedUser | None:
    """Return the user with the work e-mail address ``address``, ignoring case, outside of a transaction."""
    rows = read_rows(USER_BY_ADDRESS, {"enterprise_id": enterprise_id, "key": fold(address)})
    return rows[0] if rows else None


# Lock the rows that a SCIM write depends on.

_RULES: tuple[Any, ...] = (
    Enterprise.id,
    Enterprise.name,
    Enterprise.unique_user_name,
    Enterprise.unique_group_name,
    Enterprise.several_roles,
    Enterprise.has_groups,
    Enterprise.role_revision,
    Enterprise.paused.label("is_paused"),
    Enterprise.paused_until,
    Enterprise.removal_users,
    Enterprise.removal_percent,
    Enterprise.removal_hours,
    Enterprise.removal_released_until,
    Enterprise.removal_cap_hours,
    Enterprise.custom_attributes,
    Role.id.label("default_role_id"),
    Role.name.label("default_role"),
    Role.restrict_editing.label("default_restricts"),
)
_HELD = aliased(Role)
#: The role that was sent, or else the one from groups.
HELD_ROLE_ID = func.coalesce(User.role_id, User.group_role_id)
_OF_HELD = and_(_HELD.enterprise_id == User.enterprise_id, _HELD.id == HELD_ROLE_ID)
_TO_CHANGE: tuple[Any, ...] = (
    *REPRESENTED,
    User.source,
    User.revision,
    User.title,
    User.organization,
    User.group_role_id,
    of_group_role(Role.restrict_editing).label("group_restricts"),
    _HELD.name.label("role"),
    _HELD.restrict_editing.label("restricts"),
)
#: Locks the rows of the enterprise and of its default role until the transaction ends, if the database locks rows.
#: When PostgreSQL had to wait for a lock, it reads the locked row again, but rows of other tables as they were before.
#: It therefore finds no row if another role became the default meanwhile.
ENTERPRISE_RULES = Query(
    select(*_RULES)
    .join(Role, OF_DEFAULT)
    .where(Enterprise.id == ENTERPRISE_ID)
    .with_for_update(read=True, of=[Enterprise, Role]),
    EnterpriseRules,
)
#: Call it through ``read_whole``.
USER_FOR_UPDATE = Query(
    select(*_TO_CHANGE)
    .outerjoin(_HELD, _OF_HELD)
    .where(User.enterprise_id == ENTERPRISE_ID, User.id == ID)
    .with_for_update(of=User),
    UserToChange,
)
#: Both in one statement, for SQLite. Its only writer does not need to lock rows in a certain order.
RULES_AND_USER = Query(
    select(*_RULES, *_TO_CHANGE)
    .select_from(Enterprise)
    .join(Role, OF_DEFAULT)
    .join(User, User.enterprise_id == Enterprise.id)
    .outerjoin(_HELD, _OF_HELD)
    .where(Enterprise.id == ENTERPRISE_ID, User.enterprise_id == ENTERPRISE_ID, User.id == ID),
    RulesAndUser,
)


def lock_enterprise(connection: Connection, enterprise_id: str) -> EnterpriseRules | None:
    """Lock the enterprise until the end of the transaction, and return its rules, or None if it does not exist.

    Lock the enterprise before a user. A change of the enterprise uses the same order, so that no write misses the
    change and the two never deadlock.
    """
    parameters = {"enterprise_id": enterprise_id}
    # Read again if another role became the default while waiting for the lock.
    return ENTERPRISE_RULES.first(connection, parameters) or ENTERPRISE_RULES.first(connection, parameters)


def lock_user(
    connection: Connection, enterprise_id: str, user_id: str
) -> tuple[EnterpriseRules | None, UserToChange | None]:
    """Lock the enterprise and the user until the end of the transaction, and return the rules and the user.

    The rules are None if the enterprise does not exist. The user is None if it does not exist in the enterprise.
    """
    key = {"enterprise_id": enterprise_id, "id": user_id}
    if connection.dialect.name == "sqlite":
        row = RULES_AND_USER.first(connection, key)
        return row or (lock_enterprise(connection, enterprise_id), None)
    rules = lock_enterprise(connection, enterprise_id)
    if rules is None:
        return None, None
    return rules, read_whole(lambda: USER_FOR_UPDATE.first(connection, key))


class _RowWithRole(Protocol):
    @property
    def role_id(self) -> str | None: ...
    @property
    def group_role_id(self) -> str | None: ...
    @property
    def restricts(self) -> bool | None: ...


_Row = TypeVar("_Row", bound=_RowWithRole)


def read_whole(read: Callable[[], _Row | None]) -> _Row | None:
    """Return the row that ``read`` locks, with its role.

    If the role of the user changed while PostgreSQL waited for the lock, the statement finds no role. Once the row is
    locked, the same statement finds it.
    """
    row = read()
    has_role = row is not None and (row.role_id is not None or row.group_role_id is not None)
    return read() if has_role and row is not None and row.restricts is None else row
