"""Read and change the global settings."""

from collections.abc import Mapping

from scimsvc.activity.audit import AuditLog, Target, audited, changed
from scimsvc.errors import InvalidInput, NoSuchThing
from scimsvc.store.engine.transactions import reading, writing
from scimsvc.store.settings import DEFAULTS, get_global_settings, update_global_setting
from scimsvc.vocabulary import Action

#: The highest values.
HIGHEST = {
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
    if not _is_valid(name, value):
        raise InvalidInput(f"The value {value!r} of {name} is not valid. Use a whole number from 1 to {HIGHEST[name]}.")
    return _write({name: value})


@audited
def set_global_settings(values: Mapping[str, str]) -> dict[str, int]:
    """Change several settings together, and return all settings.

    Raises ``InvalidInput`` with an error for each value that is out of range.
    """
    problems = {
        name: [f"Enter a whole number from 1 to {HIGHEST[name]:,}."]
        for name, value in values.items()
        if not _is_valid(name, value)
    }
    if problems:
        raise InvalidInput("Some settings are not valid. Nothing was saved.", problems)
    return _write(values)


def _is_valid(name: str, value: str) -> bool:
    is_number = value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS
    return is_number and 1 <= int(value) <= HIGHEST[name]


def _write(values: Mapping[str, str]) -> dict[str, int]:
    """Write the settings that change, each with an entry in the audit log."""
    with writing() as connection:
        for name, value in values.items():
            before = get_global_settings(connection)
            update_global_setting(connection, name, int(value))
            difference = changed(before, get_global_settings(connection))
            AuditLog(connection).record(Action.SETTING_UPDATED, Target(None, name), difference)
        return get_global_settings(connection)
