"""The blueprint of the provisioning log."""

from flask import request

from scimsvc.console.pages import Answer, enterprise_blueprint, enterprise_id, in_utc, page, parameters
from scimsvc.reports import lists
from scimsvc.reports.log_csv import MOST_ENTRIES, export_log
from scimsvc.reports.tolerances import tolerance_in_words
from scimsvc.vocabulary import OPERATIONS
from scimsvc.web.downloads import send_download
from scimsvc.web.state import cursor_keys

log = enterprise_blueprint("log")
log.add_app_template_filter(tolerance_in_words)

FILTERS = ("outcome", "operation", "email", "since", "until")
PAGE_LENGTH = "50"


@log.get("/log")
def list_() -> Answer:
    """List the entries that meet the filters. With ``live``, return only the list, for live updates."""
    filters = parameters(*FILTERS)
    query = {**in_utc(filters), **parameters("cursor"), "limit": PAGE_LENGTH}
    log_page = lists.explained_log(enterprise_id(), query, cursor_keys())
    template = "log_entries.html" if "live" in request.args else "log.html"
    return page(template, log_page=log_page, filters=filters, operations=OPERATIONS, most=MOST_ENTRIES)


@log.get("/log.csv")
def export() -> Answer:
    """Send the entries that meet the filters as a CSV file."""
    lines = export_log(enterprise_id(), in_utc(parameters(*FILTERS)))
    return send_download(enterprise_id(), lines, name="provisioning-log.csv", media_type="text/csv; charset=utf-8")
