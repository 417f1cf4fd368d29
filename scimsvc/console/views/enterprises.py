"""The blueprints of enterprises: list, create and delete them."""

from flask import redirect, request, url_for

from scimsvc.console.forms import flag, lines, optional_text, redisplay_on_error, text
from scimsvc.console.pages import (
    HOME_ENDPOINT,
    Answer,
    admin,
    confirmation,
    console_blueprint,
    enterprise,
    enterprise_blueprint,
    enterprise_id,
    go,
    page,
)
from scimsvc.console.provider_guides import PROVIDER_OPTIONS, chosen_provider
from scimsvc.console.shown_once import go_and_show, shown_once
from scimsvc.enterprises import enterprises as services
from scimsvc.enterprises.admins import refuse_unless_operator
from scimsvc.enterprises.suspension import reactivate_enterprise, suspend_enterprise
from scimsvc.protocol.attributes import fold
from scimsvc.reports.consequences import count_contents
from scimsvc.reports.enterprise_states import TONES, list_enterprise_states
from scimsvc.schemas.validation import without_none

enterprises = console_blueprint("enterprises")
one_enterprise = enterprise_blueprint("enterprise")


@enterprises.get("")
def start() -> Answer:
    """Show all enterprises to accounts that see all of them, and redirect the others to their enterprise."""
    if not admin().sees_all:
        return redirect(url_for(HOME_ENDPOINT, enterprise_id=admin().enterprise_id))
    search = request.args.get("search", "").strip()
    states = list_enterprise_states()
    matching = [state for state in states if fold(search) in fold(state.name)] if search else states
    first = min(max(0, int_or(request.args.get("start"), 0)), max(0, len(matching) - 1)) // PAGE_LENGTH * PAGE_LENGTH
    return page(
        "enterprises.html",
        states=matching[first : first + PAGE_LENGTH],
        first=first,
        length=PAGE_LENGTH,
        matching=len(matching),
        total=len(states),
        troubled=sum(state.tone in ("bad", "warn") for state in states),
        search=search,
        tones=TONES,
        home=HOME_ENDPOINT,
    )


def int_or(text: str | None, default: int) -> int:
    """Return the whole number in ``text``, or ``default`` for other text."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < _LONGEST_NUMBER else default


#: The enterprises on one page, and the digits of the number of the first one.
PAGE_LENGTH, _LONGEST_NUMBER = 50, 9


@enterprises.get("/enterprises/new")
def ask() -> Answer:
    """Show the form for a new enterprise."""
    refuse_unless_operator(admin())
    return page("enterprise_new.html", default_role=services.DEFAULT_ROLE, providers=PROVIDER_OPTIONS)


@enterprises.post("/enterprises/new")
@redisplay_on_error(ask)
def create() -> Answer:
    """Create an enterprise, and show the client secrets of its first integrations."""
    refuse_unless_operator(admin())
    default_role = without_none(default_role=optional_text("default_role"))
    new_enterprise = services.create_enterprise(
        text("name"),
        roles=lines("roles"),
        scim_enabled=flag("scim_enabled"),
        provider=chosen_provider(),
        with_host_application=flag("host_application"),
        **default_role,
    )
    content = {"client_id": new_enterprise["client_id"], "client_secret": new_enterprise["client_secret"]}
    if "host_application" in new_enterprise:
        host = new_enterprise["host_application"]
        content["host_application"] = {name: host[name] for name in ("client_id", "client_secret")}
    return go_and_show("console_enterprise.show_new", content, enterprise_id=new_enterprise["id"])


@one_enterprise.get("/created")
def show_new() -> Answer:
    """Show the secrets of a new enterprise, and its next steps."""
    refuse_unless_operator(admin())
    return page("enterprise_made.html", shown=shown_once())


@one_enterprise.get("/suspend")
def ask_to_suspend() -> Answer:
    """Ask for the reason of a suspension."""
    refuse_unless_operator(admin())
    return page("suspend.html", back=url_for("console_settings.show"))


@one_enterprise.post("/suspend")
@redisplay_on_error(ask_to_suspend)
def suspend() -> Answer:
    """Suspend the enterprise."""
    refuse_unless_operator(admin())
    suspended = suspend_enterprise(enterprise_id(), reason=text("reason"))
    return go("console_enterprises.start", f"Enterprise {suspended['name']} suspended.", tone="warn")


@one_enterprise.post("/reactivate")
@redisplay_on_error(ask_to_suspend)
def reactivate() -> Answer:
    """End the suspension of the enterprise."""
    refuse_unless_operator(admin())
    reactivated = reactivate_enterprise(enterprise_id())
    return go("console_enterprises.start", f"Enterprise {reactivated['name']} reactivated.")


@one_enterprise.get("/delete")
def ask_to_delete() -> Answer:
    """Ask for confirmation to delete an enterprise."""
    refuse_unless_operator(admin())
    return confirmation(
        f"Delete enterprise {enterprise()['name']}?",
        "This permanently deletes its users, roles, integrations, tokens and provisioning log. "
        "The identity provider can no longer connect to it.",
        action="Delete enterprise",
        back=url_for("console_settings.show"),
        type_name=enterprise()["name"],
        contents=count_contents(enterprise_id()),
    )


@one_enterprise.post("/delete")
@redisplay_on_error(ask_to_delete)
def delete() -> Answer:
    """Delete an enterprise with all its data."""
    refuse_unless_operator(admin())
    deleted = services.delete_enterprise(enterprise_id(), typed_name=text("typed_name"))
    return go("console_enterprises.start", f"Enterprise {deleted['name']} deleted.")
