"""The blueprint of the provisioning log."""

from typing import Any

from flask import Response, request

from scimsvc.console.credentials import integration_names
from scimsvc.console.log_filters import EFFECTS, TIME_CHIPS, cause_options, read_filters
from scimsvc.console.log_lines import LogLine, about, fold_equal_refusals
from scimsvc.console.pages import Answer, enterprise_blueprint, enterprise_id, in_utc, is_id, page, parameters
from scimsvc.reports import lists
from scimsvc.reports.log_csv import MOST_ENTRIES, export_log
from scimsvc.reports.log_search import show_entry
from scimsvc.reports.tolerances import tolerance_in_words
from scimsvc.vocabulary import OPERATIONS
from scimsvc.web.downloads import send_download
from scimsvc.web.state import cursor_keys

log = enterprise_blueprint("log")
log.add_app_template_filter(tolerance_in_words)
log.add_app_template_filter(about)

FILTERS = ("person", "outcome", "operation", "effect", "cause", "integration", "group", "request_id", "span", "since",
           "until")  # fmt: skip
PAGE_LENGTH = "50"


@log.get("/log")
def list_() -> Answer:
    """List the entries that meet the filters.

    With ``live``, return only the list, or nothing if no entry is newer than ``newest``.
    """
    filters = read_filters(*FILTERS)
    if "live" in request.args and not _has_news(filters):
        return Response(status=204)
    query = {**in_utc(filters), **parameters("cursor"), "limit": PAGE_LENGTH}
    log_page = lists.searched_log(enterprise_id(), query, cursor_keys())
    is_folded = "unfold" not in request.args
    entries = log_page["items"]
    values: dict[str, Any] = {
        "log_page": log_page,
        "lines": fold_equal_refusals(entries) if is_folded else list(map(LogLine, entries)),
        "is_folded": is_folded,
        "filters": filters,
        "names": integration_names(),
    }
    if "live" in request.args:
        return page("log_entries.html", **values)
    return page("log.html", **values, operations=OPERATIONS, effects=EFFECTS, causes=cause_options(), chips=TIME_CHIPS,
                most=MOST_ENTRIES)  # fmt: skip


def _has_news(filters: dict[str, str]) -> bool:
    newest = request.args.get("newest", "")
    return not is_id(newest) or lists.has_newer_entries(enterprise_id(), in_utc(filters), newest)


@log.get("/log/<entry_id>")
def show(entry_id: str) -> Answer:
    """Show one entry. With ``part``, return only its details, for the drawer beside the list."""
    entry = show_entry(enterprise_id(), entry_id)
    template = "log_entry_details.html" if "part" in request.args else "log_entry.html"
    return page(template, entry=entry, names=integration_names())


@log.get("/log.csv")
def export() -> Answer:
    """Send the entries that meet the filters as a CSV file."""
    lines = export_log(enterprise_id(), in_utc(read_filters(*FILTERS)))
    return send_download(enterprise_id(), lines, name="provisioning-log.csv", media_type="text/csv; charset=utf-8")
