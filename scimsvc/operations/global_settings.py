"""The global settings, shown and changed by the operator."""

from scimsvc.errors import InvalidInput, NoSuchThing
from scimsvc.store.engine.retries import retried
from scimsvc.store.engine.transactions import reading, writing
from scimsvc.store.settings import DEFAULTS, get_global_settings, update_global_setting

_HIGHEST = {"scim_token_days": 3650, "access_token_hours": 24 * 365, "log_days": 36500, "change_days": 36500}
_MOST_DIGITS = 9


def show_global_settings() -> dict[str, int]:
    """Return every setting."""
    with reading() as connection:
        return get_global_settings(connection)


@retried
def set_global_setting(name: str, value: str) -> dict[str, int]:
    """Change one setting and return all; tokens that were issued before keep their expiry.

    Raises ``NoSuchThing`` for an unknown name and ``InvalidInput`` for a value out of range.
    """
    if name not in DEFAULTS:
        raise NoSuchThing(f"there is no setting {name!r}; there are {', '.join(DEFAULTS)}")
    is_number = value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS
    if not (is_number and 1 <= int(value) <= _HIGHEST[name]):
        raise InvalidInput(f"{name} is a whole number from 1 to {_HIGHEST[name]}, not {value!r}")
    with writing() as connection:
        update_global_setting(connection, name, int(value))
        return get_global_settings(connection)
