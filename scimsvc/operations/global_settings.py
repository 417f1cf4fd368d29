"""Read and change the global settings."""

from scimsvc.activity.audit import AuditLog, Target, audited, changed
from scimsvc.errors import InvalidInput, NoSuchThing
from scimsvc.store.engine.transactions import reading, writing
from scimsvc.store.settings import DEFAULTS, get_global_settings, update_global_setting
from scimsvc.vocabulary import Action

_HIGHEST = {
    "scim_token_days": 3650,
    "access_token_hours": 24 * 365,
    "token_max_days": 3650,
    "log_days": 36500,
    "change_days": 36500,
    "audit_days": 36500,
}
_MOST_DIGITS = 9


def show_global_settings() -> dict[str, int]:
    """Return all global settings."""
    with reading() as connection:
        return get_global_settings(connection)


@audited
def set_global_setting(name: str, value: str) -> dict[str, int]:
    """Change a setting and return all settings. Existing tokens keep their expiry.

    Raises ``NoSuchThing`` if the setting does not exist, and ``InvalidInput`` if the value is out of range.
    """
    if name not in DEFAULTS:
        raise NoSuchThing(f"Setting {name!r} does not exist. Use one of {', '.join(DEFAULTS)}.")
    is_number = value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS
    if not (is_number and 1 <= int(value) <= _HIGHEST[name]):
        raise InvalidInput(
            f"The value {value!r} of {name} is not valid. Use a whole number from 1 to {_HIGHEST[name]}."
        )
    with writing() as connection:
        before = get_global_settings(connection)
        update_global_setting(connection, name, int(value))
        after = get_global_settings(connection)
        AuditLog(connection).record(Action.SETTING_UPDATED, Target(None, name), changed(before, after))
        return after
