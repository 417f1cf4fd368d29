"""The provisioning log as a CSV file, written as it is read."""

from collections.abc import Iterator, Mapping
from typing import Any

from scimsvc.activity.provisioning_log import list_entries
from scimsvc.enterprises.enterprises import show_enterprise
from scimsvc.reports.causes import explained_entry
from scimsvc.reports.lists import read_query
from scimsvc.schemas import queries as schemas
from scimsvc.web.csv_lines import write_line

#: Entries of a file at most, so that nobody keeps a thread for long.
MOST_ENTRIES = 100_000
COLUMNS = (
    *("time", "outcome", "operation", "email", "user_id", "effect", "changed", "status", "scim_type", "cause"),
    *("detail", "tolerances", "ignored", "client_id", "request_id", "duration_ms"),
)
_READ_AT_ONCE = 1000


def export_log(enterprise: str, parameters: Mapping[str, str]) -> Iterator[str]:
    """Return the lines of the entries that meet the ``parameters`` of the log's list, the newest first.

    Raises ``InvalidInput`` or ``NoSuchThing`` before there is a line.
    """
    conditions = read_query(schemas.LOG, parameters)
    del conditions["limit"]
    return _lines(show_enterprise(enterprise)["id"], conditions)


def _lines(enterprise_id: str, conditions: Mapping[str, Any]) -> Iterator[str]:
    yield write_line(COLUMNS)
    before = None
    for _ in range(MOST_ENTRIES // _READ_AT_ONCE):
        asked = {"before": before, "limit": _READ_AT_ONCE, "shown": explained_entry, **conditions}
        page = list_entries(enterprise_id, **asked)
        yield "".join(map(_line, page.items))
        before = page.next
        if before is None:
            return


def _line(entry: Mapping[str, Any]) -> str:
    cause = entry["why"]["title"] if entry["why"] else None
    names = {name: ", ".join(entry[name]) for name in ("changed", "tolerances", "ignored")}
    return write_line(({**entry, **names, "cause": cause})[column] for column in COLUMNS)
