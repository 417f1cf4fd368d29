"""The global settings, which apply to all enterprises (contract section 8)."""

from typing import NamedTuple

from sqlalchemy import bindparam, delete, insert, select

from scimsvc.models import Setting
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.engine.transactions import Connection


class SettingRow(NamedTuple):
    """A global setting that differs from its default."""

    name: str
    value: int


#: The defaults of all settings.
DEFAULTS = {
    "scim_token_days": 7,
    "access_token_hours": 6,
    "token_max_days": 3650,
    "log_days": 90,
    "change_days": 90,
    "audit_days": 365,
}

_CHANGED = Query(select(Setting.name, Setting.value), SettingRow)
_DELETE = Write(delete(Setting).where(Setting.name == bindparam("setting")))
_INSERT = Write(insert(Setting))


def get_global_settings(connection: Connection) -> dict[str, int]:
    """Return all settings by name."""
    return DEFAULTS | dict(_CHANGED.all(connection))


def update_global_setting(connection: Connection, name: str, value: int) -> None:
    """Set one setting."""
    _DELETE.run(connection, {"setting": name})
    _INSERT.run(connection, {"name": name, "value": value})
