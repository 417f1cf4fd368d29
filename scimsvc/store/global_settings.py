"""The global settings, which are the operator's and hold for every enterprise (contract section 8)."""

from sqlalchemy import Connection, delete, insert

from scimsvc.errors import InvalidInput, NoSuchThing
from scimsvc.models import Setting
from scimsvc.store import queries
from scimsvc.store.retries import retried
from scimsvc.store.transactions import reading, writing

#: Each setting with its default, and the largest value that makes sense.
DEFAULTS = {"scim_token_days": 7, "access_token_hours": 6, "log_days": 90, "change_days": 90}
_MOST = {"scim_token_days": 3650, "access_token_hours": 24 * 365, "log_days": 36500, "change_days": 36500}


def read_global_settings(connection: Connection) -> dict[str, int]:
    """Return every setting, in the reader's transaction."""
    return DEFAULTS | {row.name: row.value for row in connection.execute(queries.SETTINGS)}


def show_global_settings() -> dict[str, int]:
    """Return every setting."""
    with reading() as connection:
        return read_global_settings(connection)


@retried
def set_global_setting(name: str, value: str) -> dict[str, int]:
    """Change one setting and return all; tokens that were issued keep their expiry."""
    if name not in DEFAULTS:
        raise NoSuchThing(f"there is no setting {name!r}; there are {', '.join(DEFAULTS)}")
    if not (value.isascii() and value.isdigit() and len(value) <= _LONGEST and 1 <= int(value) <= _MOST[name]):
        raise InvalidInput(f"{name} is a whole number from 1 to {_MOST[name]}, not {value!r}")
    with writing() as connection:
        connection.execute(delete(Setting).where(Setting.name == name))
        connection.execute(insert(Setting).values(name=name, value=int(value)))
        return read_global_settings(connection)


_LONGEST = 9
