"""Read the audit log in pages, and follow new entries (contract section 9)."""

import json
from collections.abc import Callable, Container, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from scimsvc.activity.following import follow
from scimsvc.clock import timestamp
from scimsvc.errors import NoSuchThing
from scimsvc.store.audit import (
    AuditConditions,
    AuditRow,
    find_audit_row,
    find_deleted_enterprise,
    list_audit_rows,
    list_next_audit_rows,
    search_audit_rows,
)
from scimsvc.store.engine.transactions import Connection, reading
from scimsvc.store.log import time_of_id
from scimsvc.store.paging import Page
from scimsvc.store.tenancy import get_enterprise

ALL = AuditConditions()
_READ_AT_ONCE = 1000


def represent_audit_entry(row: AuditRow) -> dict[str, Any]:
    """Return an entry in the form of commands, of the console, and of standard error."""
    return {
        "id": row.id,
        "time": row.time,
        "enterprise": row.enterprise,
        "actor": {"type": row.actor_type, "name": row.actor_name, "id": row.actor_id},
        "address": row.address,
        "action": row.action,
        "target": {"type": row.target_type, "id": row.target_id, "name": row.target_name},
        "before": json.loads(row.before) if row.before is not None else None,
        "after": json.loads(row.after) if row.after is not None else None,
        "request_id": row.request_id,
    }


def list_audit_entries(enterprise: str | None, conditions: AuditConditions = ALL, *, limit: int) -> Page:
    """Return the newest entries that meet the conditions, newest first. ``Page.next`` is the ID of the last one.

    ``enterprise`` is the ID or name of an enterprise, which may be deleted; None means all entries. Raises
    ``NoSuchThing``.
    """
    with reading() as connection:
        rows = list_audit_rows(connection, _find_id(connection, enterprise), conditions, limit=limit + 1)
    return Page.of(rows, limit, represent_audit_entry, key=lambda row: row.id)


def search_audit_entries(enterprise_id: str | None, conditions: AuditConditions, *, limit: int) -> Page:
    """Return the newest entries like ``list_audit_entries``, but stop after a limited number of entries.

    ``Page.read_to`` is the time at which the search stopped. Raises ``NoSuchThing``.
    """
    with reading() as connection:
        rows, read_to = search_audit_rows(connection, enterprise_id, conditions, limit=limit + 1)
    page = Page.of(rows, limit, represent_audit_entry, key=lambda row: row.id)
    return page if read_to is None else Page(page.items, read_to, timestamp(time_of_id(read_to)))


def show_audit_entry(enterprise_id: str | None, entry_id: str) -> dict[str, Any]:
    """Return the entry of the enterprise, or of all, with the ID. Raises ``NoSuchThing``."""
    with reading() as connection:
        row = find_audit_row(connection, enterprise_id, entry_id)
    if row is None:
        raise NoSuchThing("This entry does not exist. Entries are deleted when they are old.", what="entry")
    return represent_audit_entry(row)


def follow_audit_entries(
    enterprise: str | None, conditions: AuditConditions = ALL, *, since: datetime, wait: Callable[[], bool]
) -> Iterator[dict[str, Any]]:
    """Yield the entries since ``since`` that meet the conditions, oldest first, and then new entries.

    ``wait`` is called between two reads and returns False to stop. Raises ``NoSuchThing``.
    """
    with reading() as connection:
        enterprise_id = _find_id(connection, enterprise)
    read_new = partial(_new_rows, enterprise_id, conditions)
    return map(represent_audit_entry, follow(read_new, since=since, wait=wait))


def _find_id(connection: Connection, reference: str | None) -> str | None:
    if reference is None:
        return None
    try:
        return get_enterprise(connection, reference).id
    except NoSuchThing:
        enterprise_id = find_deleted_enterprise(connection, reference)
        if enterprise_id is None:
            raise
        return enterprise_id


def _new_rows(
    enterprise_id: str | None, conditions: AuditConditions, since: datetime, printed: Container[str]
) -> Iterator[AuditRow]:
    conditions = replace(conditions, since=since)
    while True:
        with reading() as connection:
            rows = list_next_audit_rows(connection, enterprise_id, conditions, limit=_READ_AT_ONCE)
        yield from (row for row in rows if row.id not in printed)
        if len(rows) < _READ_AT_ONCE:
            return
        conditions = replace(conditions, after=rows[-1].id)
