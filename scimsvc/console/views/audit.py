"""The blueprints of the audit log: of one enterprise, and of the installation for accounts that see all enterprises."""

from typing import Any

from flask import Response, request

from scimsvc.activity.audit_reading import show_audit_entry
from scimsvc.console.log_filters import TIME_CHIPS, read_filters
from scimsvc.console.pages import (
    Answer,
    admin,
    console_blueprint,
    enterprise_blueprint,
    enterprise_id,
    in_utc,
    is_id,
    page,
    parameters,
)
from scimsvc.enterprises.admins import refuse_unless_all_enterprises
from scimsvc.reports import lists
from scimsvc.reports.audit_csv import export_audit_log
from scimsvc.reports.audit_words import ACTION_GROUPS, INSTALLATION_GROUP, action_in_words, is_refusal, member_in_words
from scimsvc.reports.log_csv import MOST_ENTRIES
from scimsvc.web.downloads import send_download
from scimsvc.web.state import cursor_keys

audit = enterprise_blueprint("audit")
audit_of_all = console_blueprint("audit_of_all")
audit.add_app_template_filter(action_in_words)
audit.add_app_template_filter(member_in_words)
audit.add_app_template_test(is_refusal, "refusal")

FILTERS = ("actor", "action", "span", "since", "until")
PAGE_LENGTH = "50"
#: The downloads of the installation count as those of one enterprise.
_INSTALLATION = "installation"


@audit.get("/audit-log")
def list_() -> Answer:
    """List the entries of the enterprise that meet the filters. With ``live``, return only the list."""
    return _list(enterprise_id())


@audit.get("/audit-log.csv")
def export() -> Answer:
    """Send the entries of the enterprise that meet the filters as a CSV file."""
    return _export(enterprise_id())


@audit_of_all.get("/audit-log")
def list_all() -> Answer:
    """List the entries of all enterprises and of the installation. With ``live``, return only the list."""
    refuse_unless_all_enterprises(admin())
    return _list(None)


@audit_of_all.get("/audit-log.csv")
def export_all() -> Answer:
    """Send the entries of all enterprises and of the installation that meet the filters as a CSV file."""
    refuse_unless_all_enterprises(admin())
    return _export(None)


@audit.get("/audit-log/<record_id>")
def show(record_id: str) -> Answer:
    """Show one entry of the enterprise. With ``part``, return only its details."""
    return _show(enterprise_id(), record_id)


@audit_of_all.get("/audit-log/<record_id>")
def show_any(record_id: str) -> Answer:
    """Show one entry of any enterprise, or of the installation. With ``part``, return only its details."""
    refuse_unless_all_enterprises(admin())
    return _show(None, record_id)


def _show(reference: str | None, record_id: str) -> Answer:
    template = "audit_entry_details.html" if "part" in request.args else "audit_entry.html"
    return page(template, entry=show_audit_entry(reference, record_id), **_endpoints(reference))


def _list(reference: str | None) -> Answer:
    filters = read_filters(*FILTERS)
    if "live" in request.args and not _has_news(reference, filters):
        return Response(status=204)
    query = {**in_utc(filters), **parameters("cursor"), "limit": PAGE_LENGTH}
    values: dict[str, Any] = {
        "audit_page": lists.searched_audit_log(reference, query, cursor_keys()),
        "filters": filters,
        **_endpoints(reference),
    }
    if "live" in request.args:
        return page("audit_entries.html", **values)
    groups = ACTION_GROUPS | (INSTALLATION_GROUP if reference is None else {})
    return page("audit.html", **values, groups=groups, chips=TIME_CHIPS, most=MOST_ENTRIES)


def _has_news(reference: str | None, filters: dict[str, str]) -> bool:
    newest = request.args.get("newest", "")
    return not is_id(newest) or lists.has_newer_audit_entries(reference, in_utc(filters), newest)


def _endpoints(reference: str | None) -> dict[str, str]:
    """Return the endpoints of the pages of the enterprise, or of the installation."""
    blueprint, suffix = ("console_audit_of_all", "_all") if reference is None else ("console_audit", "")
    return {
        "list_endpoint": f"{blueprint}.list{suffix or '_'}",
        "export_endpoint": f"{blueprint}.export{suffix}",
        "entry_endpoint": f"{blueprint}.show{'_any' if reference is None else ''}",
    }


def _export(reference: str | None) -> Response:
    lines = export_audit_log(reference, in_utc(read_filters(*FILTERS)))
    media_type = "text/csv; charset=utf-8"
    return send_download(reference or _INSTALLATION, lines, name="audit-log.csv", media_type=media_type)
