"""How far the guided connection of Microsoft Entra ID has come."""

from collections.abc import Callable
from typing import Any

from scimsvc.activity.log_reading import represent_entry
from scimsvc.store.log import LogConditions, LogRow, list_entries
from scimsvc.store.tenancy import reading_in
from scimsvc.store.tokens import find_last_scim_use
from scimsvc.vocabulary import CREATE, OK, PATCH, REFUSED, REPLACE

#: The operations of a user whom Entra matched with one that existed.
_MATCHES = (PATCH, REPLACE)
#: How many entries of the log are looked at. An enterprise with more is connected.
_NEWEST = 200


def read_progress(enterprise: str) -> dict[str, Any]:
    """Return how far Entra has come: ``tested``, ``matched``, ``created``, ``refused``, each None before it happens.

    ``tested`` is when a SCIM token was last used. ``matched`` and ``created`` are the newest entries of the log for a
    user whom Entra matched, and whom it did not match and created. ``refused`` is the newest entry if that is a
    refusal. Raises ``NoSuchThing`` if the enterprise does not exist.
    """
    with reading_in(enterprise) as tenant:
        tested = find_last_scim_use(tenant.connection, tenant.id)
        rows = list_entries(tenant.connection, tenant.id, LogConditions(), limit=_NEWEST)
    return {
        "tested": tested,
        "matched": _newest(rows, lambda row: row.outcome == OK and row.operation in _MATCHES),
        "created": _newest(rows, lambda row: row.outcome == OK and row.operation == CREATE),
        "refused": _newest(rows[:1], lambda row: row.outcome == REFUSED),
    }


def _newest(rows: list[LogRow], condition: Callable[[LogRow], bool]) -> dict[str, Any] | None:
    return next((represent_entry(row) for row in rows if condition(row)), None)
