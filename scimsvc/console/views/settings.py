"""The blueprint of the enterprise settings: SCIM provisioning, pause, user rules and the removal limit."""

from flask import url_for

from scimsvc.console.environment import plural
from scimsvc.console.forms import flag, number, redisplay_on_error, text
from scimsvc.console.pages import (
    Answer,
    admin,
    confirmation,
    enterprise,
    enterprise_blueprint,
    enterprise_id,
    go,
    go_back,
    page,
)
from scimsvc.console.provider_guides import provider_name
from scimsvc.enterprises import enterprises as services
from scimsvc.enterprises.admins import refuse_unless_operator
from scimsvc.enterprises.pauses import pause_enterprise, rename_enterprise
from scimsvc.enterprises.removal_cap import describe_in_words
from scimsvc.mapping.roles import list_role_names
from scimsvc.reports.consequences import list_held_removals
from scimsvc.schemas.validation import without_none
from scimsvc.vocabulary import REFUSE

settings = enterprise_blueprint("settings")
settings.add_app_template_filter(describe_in_words, "limit_in_words")


@settings.get("/settings")
def show() -> Answer:
    """Show all enterprise settings."""
    return page("settings.html", roles=list_role_names(enterprise_id()), pauses=PAUSES)


#: The lengths of a pause in hours, with their labels. Empty for a pause without an end.
PAUSES = [("1", "For 1 hour"), ("4", "For 4 hours"), ("24", "For 24 hours"), ("", "Until someone resumes provisioning")]


@settings.post("/settings/name")
@redisplay_on_error(show)
def rename() -> Answer:
    """Rename the enterprise, for operators."""
    refuse_unless_operator(admin())
    return go(".show", f"Enterprise renamed to {rename_enterprise(enterprise_id(), text('name'))['name']}.")


@settings.post("/settings/rules")
@redisplay_on_error(show)
def change_rules() -> Answer:
    """Change the default role and the rules for users."""
    changes = {
        "default_role": text("default_role"),
        "unique_user_name": flag("unique_user_name"),
        "reject_unknown_attributes": flag("reject_unknown_attributes"),
        "unique_group_name": flag("unique_group_name"),
        "several_roles": text("several_roles") or REFUSE,
    }
    services.update_enterprise(enterprise_id(), changes)
    return go(".show", "Rules saved.")


@settings.post("/settings/alerts")
@redisplay_on_error(show)
def change_alerts() -> Answer:
    """Set the number of open refusals that raises an alert. An empty field means no such alerts."""
    services.update_enterprise(enterprise_id(), {"alert_refusals": number("alert_refusals")})
    return go(".show", "Number saved.", _anchor="alerts")


@settings.post("/settings/removal-limit")
@redisplay_on_error(show)
def change_limit() -> Answer:
    """Set the removal limit. The form needs a number of users or a percentage."""
    limit = {
        "users": number("removal_limit.users"),
        "percent": number("removal_limit.percent"),
        **without_none(hours=number("removal_limit.hours")),
    }
    services.update_enterprise(enterprise_id(), {"removal_limit": limit}, by_operator=admin().is_operator)
    return go(".show", "Removal limit saved.")


@settings.post("/settings/no-removal-limit")
@redisplay_on_error(show)
def drop_limit() -> Answer:
    """Remove the removal limit."""
    services.update_enterprise(enterprise_id(), {"removal_limit": None}, by_operator=admin().is_operator)
    return go(".show", "Removal limit removed.")


@settings.get("/settings/release")
def ask_to_release() -> Answer:
    """Ask before the removal limit is suspended."""
    limit = enterprise()["removal_limit"]
    again = f"in {plural(limit['hours'], 'hour')}" if limit else "later"
    return confirmation(
        f"Allow removals in {enterprise()['name']}?",
        f"In its next cycles, {provider_name()} retries the refused removals and then disables or deletes these users. "
        f"The limit applies again {again}.",
        action="Allow removals",
        back=url_for(".show"),
        held=list_held_removals(enterprise_id()),
    )


@settings.post("/settings/release")
@redisplay_on_error(ask_to_release)
def release() -> Answer:
    """Suspend the removal limit, so that the provider can retry the refused removals."""
    services.release_removals(enterprise_id(), by_operator=admin().is_operator)
    return go(".show", f"Removals allowed. In its next cycles, {provider_name()} retries them.")


@settings.post("/settings/pause")
@redisplay_on_error(show)
def pause() -> Answer:
    """Pause provisioning, for some hours or until it is resumed."""
    hours = number("hours")
    pause_enterprise(enterprise_id(), hours=hours)
    length = f" for {plural(hours, 'hour')}" if isinstance(hours, int) else ""
    return go_back(
        ".show",
        f"Provisioning paused{length}. Later, {provider_name()} retries the changes that it sends meanwhile.",
        tone="warn",
    )


@settings.post("/settings/resume")
@redisplay_on_error(show)
def resume() -> Answer:
    """Resume provisioning."""
    services.update_enterprise(enterprise_id(), {"paused": False})
    return go_back(".show", f"Provisioning resumed. In its next cycles, {provider_name()} retries the refused changes.")


@settings.post("/settings/enable")
@redisplay_on_error(show)
def enable() -> Answer:
    """Enable SCIM provisioning."""
    services.update_enterprise(enterprise_id(), {"scim_enabled": True})
    return go_back(".show", "SCIM provisioning enabled.")


@settings.get("/settings/disable")
def ask_to_disable() -> Answer:
    """Ask for confirmation to disable SCIM provisioning."""
    return confirmation(
        f"Disable SCIM provisioning of {enterprise()['name']}?",
        f"All requests from {provider_name()} will be refused, and after some time provisioning stops there. "
        "To stop changes only for a while, pause provisioning instead.",
        action="Disable SCIM provisioning",
        back=url_for(".show"),
    )


@settings.post("/settings/disable")
@redisplay_on_error(ask_to_disable)
def disable() -> Answer:
    """Disable SCIM provisioning."""
    services.update_enterprise(enterprise_id(), {"scim_enabled": False})
    return go(".show", "SCIM provisioning disabled.", tone="warn")
