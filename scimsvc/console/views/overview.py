"""The blueprint of the overview of an enterprise."""

from flask import request

from scimsvc.console.pages import Answer, enterprise_blueprint, enterprise_id, page
from scimsvc.console.plots import plot_series
from scimsvc.console.remedies import remedy_url
from scimsvc.reports.hourly_counts import hourly_counts
from scimsvc.reports.overview import DAYS, HOURS, show_overview

overview = enterprise_blueprint("overview")
overview.add_app_template_global(remedy_url)

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
