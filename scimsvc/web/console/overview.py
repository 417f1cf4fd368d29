"""The blueprint of an enterprise at a glance, with the buttons of what holds provisioning back."""

from flask import request, url_for

from scimsvc.services import enterprises
from scimsvc.services.overview import show_overview
from scimsvc.web.console.forms import again
from scimsvc.web.console.pages import Answer, confirmation, enterprise_blueprint, enterprise_id, go, page
from scimsvc.web.console.plots import plot_series
from scimsvc.web.console.remedies import remedy_url
from scimsvc.web.http import runtime

overview = enterprise_blueprint("overview")
overview.add_app_template_global(remedy_url)

#: What the plots show, and how a series is called.
SERIES = {"created": "Created", "changed": "Changed", "disabled": "Disabled or deleted", "refused": "Refused"}
_UNITS = {"hours": "hour", "days": "day"}


@overview.get("")
def show() -> Answer:
    """Show it."""
    seen = show_overview(enterprise_id(), runtime().history)
    by = request.args.get("by") if request.args.get("by") in _UNITS else "hours"
    spans, unit = seen["provisioning"][by], _UNITS[by or ""]
    plots = [plot_series(spans, name, label=label, unit=unit) for name, label in SERIES.items()]
    return page("overview.html", seen=seen, by=by, unit=unit, spans=spans, plots=plots, series=SERIES)


@overview.post("/pause")
@again(show)
def pause() -> Answer:
    """Hold every write that SCIM sends."""
    enterprises.update_enterprise(enterprise_id(), {"paused": True})
    return go(
        "console_overview.show", "Provisioning is paused. Entra sends again later what it sends now.", tone="info"
    )


@overview.post("/resume")
@again(show)
def resume() -> Answer:
    """Go on."""
    enterprises.update_enterprise(enterprise_id(), {"paused": False})
    return go("console_overview.show", "Provisioning goes on. What was held back comes in Entra's next cycle.")


@overview.get("/release")
def ask_to_release() -> Answer:
    """Ask before removals beyond the limit pass."""
    return confirmation(
        "Release the removals?",
        "Users are disabled and deleted as Entra sends it, however many they are, for as many hours as the limit looks "
        "back. Look at the scope and the assignments in Entra first.",
        action="Release the removals",
        back=url_for("console_overview.show"),
    )


@overview.post("/release")
@again(ask_to_release)
def release() -> Answer:
    """Let them pass."""
    enterprises.release_removals(enterprise_id())
    return go("console_overview.show", "The removals are released. They come in Entra's next cycle.")
