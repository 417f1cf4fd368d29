"""Write the provisioning log as CSV."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from scimsvc import schemas
from scimsvc.activity.audit import AuditLog, audited
from scimsvc.reports.log_search import log_search, search_page
from scimsvc.schemas.validation import read_query
from scimsvc.store.log_search import LogSearch
from scimsvc.store.tenancy import writing_in
from scimsvc.vocabulary import Action
from scimsvc.web.csv_lines import write_line

#: The highest number of entries in a file, so that a download does not occupy a thread for long.
MOST_ENTRIES = 100_000
COLUMNS = (
    *("time", "outcome", "operation", "email", "user_name", "external_id", "user_id", "effect", "changed"),
    *("status", "scim_type", "cause", "detail", "tolerances", "ignored", "client_id", "request_id", "duration_ms"),
)
#: A cell of a spreadsheet has at most 32,767 characters.
_LONGEST = 32_000
_READ_AT_ONCE = 250


def export_log(enterprise: str, parameters: Mapping[str, str]) -> Iterator[str]:
    """Return the lines of the entries that meet the ``parameters`` of the console's search, newest first.

    The audit log records the export before the first line is read. Raises ``InvalidInput`` or
    ``NoSuchThing`` immediately.
    """
    query = read_query(schemas.LOG_SEARCH, parameters)
    del query["limit"]
    query.pop("cursor", None)
    return _lines(_record(enterprise), log_search(query))


@audited
def _record(enterprise: str) -> str:
    """Record the export and return the ID of the enterprise."""
    with writing_in(enterprise, changes_settings=False) as tenant:
        log = AuditLog.of(tenant)
        log.record(Action.LOG_EXPORTED, log.target())
        return tenant.id


def _lines(enterprise_id: str, search: LogSearch) -> Iterator[str]:
    yield write_line(COLUMNS)
    for _ in range(MOST_ENTRIES // _READ_AT_ONCE):
        page = search_page(enterprise_id, search, limit=_READ_AT_ONCE, longest=_LONGEST)
        yield "".join(map(_line, page.items))
        if page.next is None:
            return
        search = replace(search, before=page.next)


def _line(entry: Mapping[str, Any]) -> str:
    cause = entry["why"]["title"] if entry["why"] else None
    names = {name: ", ".join(entry[name]) for name in ("changed", "tolerances", "ignored")}
    return write_line(({**entry, **names, "cause": cause})[column] for column in COLUMNS)
