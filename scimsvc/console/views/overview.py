"""The blueprint of the overview of an enterprise."""

from datetime import timedelta

from flask import request

from scimsvc import clock
from scimsvc.console.environment import plural
from scimsvc.console.forms import optional_text, text
from scimsvc.console.pages import Answer, enterprise_blueprint, enterprise_id, go, page
from scimsvc.console.plots import plot_series
from scimsvc.console.remedies import remedy_url
from scimsvc.reports.dismissing import dismiss_errors
from scimsvc.reports.hourly_counts import hourly_counts
from scimsvc.reports.overview import DAYS, HOURS, show_overview

overview = enterprise_blueprint("overview")
overview.add_app_template_global(remedy_url)
overview.add_app_template_filter(clock.timestamp, "stamped")

#: The series in the plots, with their labels.
SERIES = {"created": "Created", "changed": "Changed", "disabled": "Disabled or deleted", "refused": "Refused"}


@overview.get("")
def show() -> Answer:
    """Show the overview."""
    by = DAYS if request.args.get("by") == DAYS else HOURS
    seen = show_overview(enterprise_id(), hourly_counts.current, by=by)
    spans, unit = seen["provisioning"], by.removesuffix("s")
    plots = [plot_series(spans, name, label=label, unit=unit) for name, label in SERIES.items()]
    return page("overview.html", seen=seen, by=by, unit=unit, spans=spans, plots=plots, series=SERIES)


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
