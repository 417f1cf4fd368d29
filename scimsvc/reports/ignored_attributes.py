"""The attributes that the provider sends in vain, because they are neither part of SCIM nor declared."""

import json
from datetime import timedelta
from typing import Any, NamedTuple

from scimsvc import clock
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.custom_attributes import read_declarations
from scimsvc.store.log_reports import count_ignored
from scimsvc.store.tenancy import Tenant, reading_in

#: The entries that are read. A provider that sends an attribute in vain sends it with most of its changes.
_NEWEST = 5_000
DAYS = 30
_MOST = 100
#: The most characters of a name on a page.
_LONGEST = 300


class IgnoredAttribute(NamedTuple):
    """An attribute that was ignored, the number of log entries with it, and the time of the last one."""

    name: str
    entries: int
    last: str


def list_ignored(enterprise: str) -> list[dict[str, Any]]:
    """Return the attributes that were ignored in the last ``DAYS`` days, most frequent first."""
    with reading_in(enterprise) as tenant:
        return [each._asdict() for each in find_ignored(tenant)]


def find_ignored(tenant: Tenant) -> list[IgnoredAttribute]:
    """Return the attributes that were ignored in the last ``DAYS`` days and not declared since, most frequent first."""
    declared = {fold(each.name) for each in read_declarations(tenant.row.custom_attributes)}
    since = clock.now() - timedelta(days=DAYS)
    by_key: dict[str, IgnoredAttribute] = {}
    for row in count_ignored(tenant.connection, tenant.id, since=since, limit=_NEWEST):
        for name in (each[:_LONGEST] for each in json.loads(row.ignored)):
            known = by_key.get(fold(name), IgnoredAttribute(name, 0, ""))
            by_key[fold(name)] = known._replace(entries=known.entries + row.entries, last=max(known.last, row.last))
    remaining = [attribute for key, attribute in by_key.items() if key not in declared]
    return sorted(remaining, key=lambda each: (-each.entries, each.name))[:_MOST]
