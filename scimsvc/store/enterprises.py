"""The enterprises, with their settings and default roles."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from scimsvc.models import Enterprise, Role
from scimsvc.protocol.attributes import fold
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.engine.transactions import Connection
from scimsvc.store.feed import insert_feed
from scimsvc.store.pauses import still_paused
from scimsvc.vocabulary import ALERT_REFUSALS, REFUSE


class RequestSettings(NamedTuple):
    """The settings of an enterprise that decide how a request to it is read."""

    scim_enabled: bool
    unique_user_name: bool
    unique_group_name: bool
    reject_unknown_attributes: bool
    suspension: str | None
    #: The declarations of custom attributes. None without any.
    custom_attributes: str | None


#: The columns of ``RequestSettings``.
REQUEST_SETTINGS = tuple(getattr(Enterprise, name) for name in RequestSettings._fields)


class EnterpriseRow(NamedTuple):
    """An enterprise with its settings and its default role."""

    id: str
    name: str
    scim_enabled: bool
    unique_user_name: bool
    unique_group_name: bool
    reject_unknown_attributes: bool
    several_roles: str
    has_groups: bool
    role_revision: int
    is_paused: bool
    #: The end of the pause. None if it lasts until someone resumes provisioning.
    paused_until: str | None
    removal_users: int | None
    removal_percent: int | None
    #: The period of the removal limit, in hours. None if no limit is set.
    removal_hours: int | None
    removal_released_until: str | None
    removal_cap_users: int | None
    removal_cap_percent: int | None
    #: The period of the limit that the operator set. None if the operator set no limit.
    removal_cap_hours: int | None
    #: The number of open refusals that raises an alert. None for no such alerts.
    alert_refusals: int | None
    suspension: str | None
    custom_attributes: str | None
    created_at: str
    default_role_id: str
    default_role: str
    default_restricts: bool

    @property
    def paused(self) -> bool:
        """Whether every SCIM write is refused now."""
        return still_paused(self.is_paused, self.paused_until)

    @property
    def request_settings(self) -> RequestSettings:
        """The settings that decide how a request is read."""
        return RequestSettings(*(getattr(self, name) for name in RequestSettings._fields))


class EnterpriseNameTaken(Exception):
    """Another enterprise has the name, ignoring case."""


class _Id(NamedTuple):
    id: str


_ENTERPRISE_ID = bindparam("enterprise_id", type_=Enterprise.id.type)
_ENTERPRISES = (
    select(
        Enterprise.id,
        Enterprise.name,
        Enterprise.scim_enabled,
        Enterprise.unique_user_name,
        Enterprise.unique_group_name,
        Enterprise.reject_unknown_attributes,
        Enterprise.several_roles,
        Enterprise.has_groups,
        Enterprise.role_revision,
        Enterprise.paused.label("is_paused"),
        Enterprise.paused_until,
        Enterprise.removal_users,
        Enterprise.removal_percent,
        Enterprise.removal_hours,
        Enterprise.removal_released_until,
        Enterprise.removal_cap_users,
        Enterprise.removal_cap_percent,
        Enterprise.removal_cap_hours,
        Enterprise.alert_refusals,
        Enterprise.suspension,
        Enterprise.custom_attributes,
        Enterprise.created_at,
        Role.id.label("default_role_id"),
        Role.name.label("default_role"),
        Role.restrict_editing.label("default_restricts"),
    )
    .join(Role, and_(Role.enterprise_id == Enterprise.id, Role.is_default))
    .order_by(Enterprise.created_at, Enterprise.id)
)
_ALL = Query(_ENTERPRISES, EnterpriseRow)
_ID_FORM = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BY_ID = Query(_ENTERPRISES.where(Enterprise.id == _ENTERPRISE_ID), EnterpriseRow)
_BY_REFERENCE = Query(
    _ENTERPRISES.where(or_(Enterprise.id == bindparam("id"), Enterprise.name_key == bindparam("key"))), EnterpriseRow
)
_LOCK = Query(select(Enterprise.id).where(Enterprise.id == _ENTERPRISE_ID).with_for_update(), _Id)
_SHARED_LOCK = Query(select(Enterprise.id).where(Enterprise.id == _ENTERPRISE_ID).with_for_update(read=True), _Id)
_INSERT = Write(insert(Enterprise))
_INITIAL_SETTINGS = {
    "unique_user_name": False,
    "unique_group_name": True,
    "has_groups": False,
    "reject_unknown_attributes": False,
    "several_roles": REFUSE,
    "role_revision": 1,
    "paused": False,
    "paused_until": None,
    "connect_steps": None,
    "removal_users": None,
    "removal_percent": None,
    "removal_hours": None,
    "removal_released_until": None,
    "removal_cap_users": None,
    "removal_cap_percent": None,
    "removal_cap_hours": None,
    "alert_refusals": ALERT_REFUSALS,
    "suspension": None,
    "custom_attributes": None,
}
_DELETE = Write(delete(Enterprise).where(Enterprise.id == _ENTERPRISE_ID))


def list_enterprises(connection: Connection) -> list[EnterpriseRow]:
    """Return all enterprises, oldest first."""
    return _ALL.all(connection)


def find_enterprise(connection: Connection, reference: str) -> EnterpriseRow | None:
    """Return the enterprise with the ID or, ignoring case, the name ``reference``."""
    if _ID_FORM.fullmatch(reference):  # requests have the ID, and a distributed database looks for a name everywhere
        row = _BY_ID.first(connection, {"enterprise_id": reference})
        if row is not None:
            return row
    rows = _BY_REFERENCE.all(connection, {"id": reference, "key": fold(reference)})
    return next((row for row in rows if row.id == reference), rows[0] if rows else None)


def lock_enterprise(connection: Connection, enterprise_id: str, *, shared: bool) -> None:
    """Lock the enterprise's row until the end of the transaction, if the database locks rows.

    A ``shared`` lock prevents changes of the row. An exclusive lock also prevents shared locks.
    """
    (_SHARED_LOCK if shared else _LOCK).all(connection, {"enterprise_id": enterprise_id})


def insert_enterprise(
    connection: Connection, enterprise_id: str, name: str, *, scim_enabled: bool, created_at: str
) -> None:
    """Insert an enterprise with an empty change feed. Insert its default role in the same transaction.

    Raises ``EnterpriseNameTaken`` if another enterprise has the name.
    """
    parameters = {
        **_INITIAL_SETTINGS,
        "id": enterprise_id,
        "name": name,
        "name_key": fold(name),
        "scim_enabled": scim_enabled,
        "created_at": created_at,
    }
    try:
        _INSERT.run(connection, parameters)
    except IntegrityError:
        raise EnterpriseNameTaken from None
    insert_feed(connection, enterprise_id)


def update_enterprise(connection: Connection, enterprise_id: str, columns: Mapping[str, Any]) -> None:
    """Update ``columns`` of the enterprise. Raises ``EnterpriseNameTaken``."""
    statement = update(Enterprise).where(Enterprise.id == _ENTERPRISE_ID).values(dict(columns))
    try:
        Write(statement, dynamic=True).run(connection, {"enterprise_id": enterprise_id})
    except IntegrityError:
        raise EnterpriseNameTaken from None


def delete_enterprise(connection: Connection, enterprise_id: str) -> None:
    """Delete the enterprise and everything that belongs to it. Delete its users first."""
    _DELETE.run(connection, {"enterprise_id": enterprise_id})
