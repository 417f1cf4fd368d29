"""Report the progress of connecting Microsoft Entra ID."""

from collections.abc import Callable
from typing import Any

from scimsvc.activity.log_reading import represent_entry
from scimsvc.store.log import LogConditions, LogRow, list_entries
from scimsvc.store.tenancy import reading_in
from scimsvc.store.tokens import find_last_scim_use
from scimsvc.vocabulary import CREATE, OK, PATCH, REFUSED, REPLACE

#: The operations that Entra sends for a user whom it matched with an existing user.
_MATCHES = (PATCH, REPLACE)
#: The number of entries to read. An enterprise with more entries is connected.
_NEWEST = 200


def read_progress(enterprise: str) -> dict[str, Any]:
    """Return the progress of connecting Entra. Each of the members is None before its step happened.

    - ``tested``: the time at which a SCIM token was last used.
    - ``matched``: the newest log entry for a user whom Entra matched with an existing user.
    - ``created``: the newest log entry for a user whom Entra created.
    - ``refused``: the newest log entry, if it is a refusal.

    Raises ``NoSuchThing`` if the enterprise does not exist.
    """
    with reading_in(enterprise) as tenant:
        tested = find_last_scim_use(tenant.connection, tenant.id)
        rows = list_entries(tenant.connection, tenant.id, LogConditions(), limit=_NEWEST)
    return {
        "tested": tested,
        "matched": _newest(rows, lambda row: _is_write_of_user(row) and row.operation in _MATCHES),
        "created": _newest(rows, lambda row: _is_write_of_user(row) and row.operation == CREATE),
        "refused": _newest(rows[:1], lambda row: row.outcome == REFUSED),
    }


def _is_write_of_user(row: LogRow) -> bool:
    return row.outcome == OK and row.group_id is None


def _newest(rows: list[LogRow], condition: Callable[[LogRow], bool]) -> dict[str, Any] | None:
    return next((represent_entry(row) for row in rows if condition(row)), None)
