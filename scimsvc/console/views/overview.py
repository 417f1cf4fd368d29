"""The blueprint of the overview of an enterprise."""

from datetime import timedelta

from flask import request

from scimsvc import clock
from scimsvc.console.environment import plural
from scimsvc.console.forms import optional_text, text
from scimsvc.console.pages import Answer, enterprise_blueprint, enterprise_id, go, page
from scimsvc.console.plots import find_zone, is_marked, plot_series, ticks
from scimsvc.console.remedies import remedy_url
from scimsvc.reports.dismissing import dismiss_errors
from scimsvc.reports.hourly_counts import RANGES, hourly_counts
from scimsvc.reports.overview import show_overview
from scimsvc.vocabulary import CREATED, REFUSED

overview = enterprise_blueprint("overview")
overview.add_app_template_global(remedy_url)
overview.add_app_template_filter(clock.timestamp, "stamped")

#: The series in the plots, with their labels, and the filters that find their entries in the log.
SERIES = {"created": "Created", "changed": "Changed", "disabled": "Disabled or deleted", "refused": "Refused"}
QUERIES = {
    "created": {"effect": CREATED},
    "changed": {"effect": "changes"},
    "disabled": {"effect": "removals"},
    "refused": {"outcome": REFUSED},
}
_UNITS = {"24h": "hour", "7d": "quarter", "30d": "day"}
overview.add_app_template_filter(is_marked)


@overview.get("")
def show() -> Answer:
    """Show the overview."""
    chosen = request.args.get("range", "24h")
    name = chosen if chosen in RANGES else "24h"
    zone = find_zone(request.args.get("zone"))
    seen = show_overview(enterprise_id(), hourly_counts.current, time_range=RANGES[name], zone=zone)
    spans = seen["provisioning"]
    plots = [plot_series(spans, series, query=QUERIES[series]) for series in SERIES]
    return page("overview.html", seen=seen, range=name, unit=_UNITS[name], spans=spans, plots=plots, series=SERIES,
                marks=ticks(spans))  # fmt: skip


@overview.post("/errors/dismiss")
def dismiss() -> Answer:
    """Dismiss the open errors of a cause, or one of them."""
    dismissed = dismiss_errors(enterprise_id(), text("cause"), entry_id=optional_text("entry"))
    return go(".show", f"{plural(dismissed, 'error')} dismissed. A request that is refused again appears again.")


@overview.app_template_filter("span")
def span_in_words(span: timedelta) -> str:
    """Return about how long ``span`` is: 40 minutes, 6 hours, 2 days."""
    minutes = max(1, round(span.total_seconds() / 60))
    if minutes < _HOURS_FROM:
        return "minute" if minutes == 1 else f"{minutes} minutes"
    hours = round(minutes / 60)
    return f"{hours} hours" if hours < _DAYS_FROM else f"{round(hours / 24)} days"


#: The minutes and hours from which a span is shown in the next unit.
_HOURS_FROM, _DAYS_FROM = 90, 36
