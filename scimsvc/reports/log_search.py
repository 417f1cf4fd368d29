"""Search the provisioning log for the console, and show one entry with everyone whom it names."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from scimsvc import clock
from scimsvc.errors import NoSuchThing
from scimsvc.reports.causes import LONGEST_SHOWN, explain_entry
from scimsvc.reports.client_providers import client_providers
from scimsvc.schemas.limits import SPANS
from scimsvc.store.log import LogRow, time_of_id
from scimsvc.store.log_search import LogSearch, find_entry, search_entries
from scimsvc.store.paging import Page
from scimsvc.store.people import list_people
from scimsvc.store.tenancy import Tenant, reading_in

#: The most characters of a text on the page of one entry.
_LONGEST_OF_ENTRY = 8_000


def search_page(enterprise_id: str, search: LogSearch, *, limit: int, longest: int = LONGEST_SHOWN) -> Page:
    """Return the newest entries that meet the conditions, newest first, explained and with the names of people.

    Texts have at most ``longest`` characters.
    """
    with reading_in(enterprise_id) as tenant:
        found = search_entries(tenant.connection, tenant.id, search, limit=limit + 1, longest=longest)
        entries = explain_with_names(tenant, found.rows[:limit])
    if len(found.rows) > limit:
        return Page(entries, entries[-1]["id"])
    return Page(entries, found.read_to, clock.timestamp(time_of_id(found.read_to)) if found.read_to else None)


def has_entries(enterprise_id: str, search: LogSearch, *, after: str) -> bool:
    """Return whether an entry newer than the one with the ID ``after`` meets the conditions."""
    with reading_in(enterprise_id) as tenant:
        search = replace(search, after=after)
        return bool(search_entries(tenant.connection, tenant.id, search, limit=1, longest=1).rows)


def show_entry(enterprise_id: str, entry_id: str) -> dict[str, Any]:
    """Return the entry with the ID. Raises ``NoSuchThing``."""
    with reading_in(enterprise_id) as tenant:
        row = find_entry(tenant.connection, tenant.id, entry_id, longest=_LONGEST_OF_ENTRY)
        if row is None:
            raise NoSuchThing("This entry does not exist. Entries are deleted when they are old.", what="entry")
        return explain_with_names(tenant, [row])[0]


def explain_with_names(tenant: Tenant, rows: Iterable[LogRow]) -> list[dict[str, Any]]:
    """Return the entries, explained, with the stored ``user`` and the ``holder`` of a taken address, or None."""
    rows = list(rows)
    ids = {each for row in rows for each in (row.user_id, row.holder_id) if each}
    people = {person.id: person for person in list_people(tenant.connection, tenant.id, ids)} if ids else {}
    provider_of = client_providers(tenant)
    return [
        explain_entry(row, provider_of(row.client_id))
        | {"user": people.get(row.user_id or ""), "holder": people.get(row.holder_id or "")}
        for row in rows
    ]


def log_search(conditions: Mapping[str, Any], **further: Any) -> LogSearch:
    """Return the search for the conditions of a query, in which a ``span`` until now takes the place of ``since``."""
    return LogSearch(**with_since(conditions), **further)


def with_since(conditions: Mapping[str, Any]) -> dict[str, Any]:
    """Return the conditions with the time at which their ``span`` begins."""
    members = dict(conditions)
    span = members.pop("span", None)
    return members | {"since": clock.now() - SPANS[span]} if span is not None else members
