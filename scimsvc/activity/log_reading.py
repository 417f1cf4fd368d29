"""Read the provisioning log in pages, and follow new entries (contract section 9)."""

import json
from collections.abc import Callable, Container, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from scimsvc.activity.following import follow
from scimsvc.store.log import LogConditions, LogRow, list_entries_by_id, list_entry_ids
from scimsvc.store.log import list_entries as list_rows
from scimsvc.store.paging import Page
from scimsvc.store.tenancy import reading_in

Representation = Callable[[LogRow], dict[str, Any]]


def represent_entry(row: LogRow) -> dict[str, Any]:
    """Return an entry in the form of the enterprise API and the commands."""
    return {
        "id": row.id,
        "time": row.time,
        "operation": row.operation,
        "user_id": row.user_id,
        "email": row.email,
        "user_name": row.user_name,
        "external_id": row.external_id,
        "group_id": row.group_id,
        "group": row.group_name,
        "outcome": row.outcome,
        "status": row.status,
        "scim_type": row.scim_type,
        "detail": row.detail,
        "changed": json.loads(row.changed),
        "tolerances": json.loads(row.tolerances),
        "ignored": json.loads(row.ignored),
        "client_id": row.client_id,
        "request_id": row.request_id,
        "duration_ms": row.duration_ms,
    }


ALL = LogConditions()


def list_entries(
    enterprise: str,
    conditions: LogConditions = ALL,
    *,
    limit: int,
    represent: Representation = represent_entry,
    longest: int | None = None,
) -> Page:
    """Return the newest entries that meet the conditions, newest first. ``Page.next`` is the ID of the last one.

    Only the beginning of a text with more than ``longest`` characters is read. Raises ``NoSuchThing`` if the enterprise
    does not exist.
    """
    with reading_in(enterprise) as tenant:
        rows = list_rows(tenant.connection, tenant.id, conditions, limit=limit + 1, longest=longest)
    return Page.of(rows, limit, represent, key=lambda row: row.id)


def follow_entries(
    enterprise: str, conditions: LogConditions = ALL, *, since: datetime, wait: Callable[[], bool]
) -> Iterator[dict[str, Any]]:
    """Yield the entries since ``since`` that meet the conditions, oldest first, and then new entries.

    ``wait`` is called between two reads of the log and returns False to stop.
    """
    read_new = partial(_new_rows, enterprise, conditions)
    yield from map(represent_entry, follow(read_new, since=since, wait=wait))


def _new_rows(enterprise: str, conditions: LogConditions, since: datetime, printed: Container[str]) -> Iterator[LogRow]:
    """Yield the entries whose IDs are not in ``printed``. Of entries in ``printed``, only the IDs are read."""
    conditions = replace(conditions, since=since)
    while True:
        with reading_in(enterprise) as tenant:
            ids = list_entry_ids(tenant.connection, tenant.id, conditions, limit=_READ_AT_ONCE)
            new = [each for each in ids if each not in printed]
            rows = list_entries_by_id(tenant.connection, tenant.id, new) if new else []
        yield from rows
        if len(ids) < _READ_AT_ONCE:
            return
        conditions = replace(conditions, after=ids[-1])


_READ_AT_ONCE = 1000
