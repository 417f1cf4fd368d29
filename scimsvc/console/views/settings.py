"""The blueprint of the enterprise's settings: on and off, rules, the limit on removals, the pause."""

from flask import url_for

from scimsvc.console.forms import flag, number, redisplay_on_error, text
from scimsvc.console.pages import (
    Answer,
    confirmation,
    enterprise_blueprint,
    enterprise_id,
    go,
    go_back,
    page,
)
from scimsvc.enterprises import enterprises as services
from scimsvc.mapping.roles import list_roles
from scimsvc.schemas.validation import without_none

settings = enterprise_blueprint("settings")


@settings.get("/settings")
def show() -> Answer:
    """Show every setting."""
    return page("settings.html", roles=list_roles(enterprise_id()))


@settings.post("/settings/rules")
@redisplay_on_error(show)
def change_rules() -> Answer:
    """Change the default role, and what is asked of users."""
    changes = {
        "default_role": text("default_role"),
        "unique_user_name": flag("unique_user_name"),
        "reject_unknown_attributes": flag("reject_unknown_attributes"),
    }
    services.update_enterprise(enterprise_id(), changes)
    return go(".show", "The rules are saved.")


@settings.post("/settings/removal-limit")
@redisplay_on_error(show)
def change_limit() -> Answer:
    """Set the limit on removals; with neither number nor percentage there is none."""
    limit = {
        "users": number("removal_limit.users"),
        "percent": number("removal_limit.percent"),
        **without_none(hours=number("removal_limit.hours")),
    }
    services.update_enterprise(enterprise_id(), {"removal_limit": limit})
    return go(".show", "The limit is saved.")


@settings.post("/settings/no-removal-limit")
@redisplay_on_error(show)
def drop_limit() -> Answer:
    """Let any number be removed."""
    services.update_enterprise(enterprise_id(), {"removal_limit": None})
    return go(".show", "There is no limit on removals any more.")


@settings.get("/settings/release")
def ask_to_release() -> Answer:
    """Ask before what the limit holds back is let through."""
    return confirmation(
        "Let the held back removals through?",
        "Entra sends them again in its next cycles, and they disable or delete users then. The limit counts again "
        "after as many hours as it looks back.",
        action="Let them through",
        back=url_for(".show"),
    )


@settings.post("/settings/release")
@redisplay_on_error(ask_to_release)
def release() -> Answer:
    """Let through what the limit holds back."""
    services.release_removals(enterprise_id())
    return go(".show", "Removals are let through. Entra sends them again in its next cycles.")


@settings.post("/settings/pause")
@redisplay_on_error(show)
def pause() -> Answer:
    """Hold every write of SCIM."""
    services.update_enterprise(enterprise_id(), {"paused": True})
    return go_back(".show", "Provisioning is paused. Entra’s writes are held back, and none is lost.", tone="warn")


@settings.post("/settings/resume")
@redisplay_on_error(show)
def resume() -> Answer:
    """Take writes again."""
    services.update_enterprise(enterprise_id(), {"paused": False})
    return go_back(".show", "Provisioning goes on. Entra sends what was held back in its next cycles.")


@settings.post("/settings/enable")
@redisplay_on_error(show)
def enable() -> Answer:
    """Switch SCIM provisioning on."""
    services.update_enterprise(enterprise_id(), {"scim_enabled": True})
    return go_back(".show", "SCIM provisioning is enabled.")


@settings.get("/settings/disable")
def ask_to_disable() -> Answer:
    """Ask before SCIM provisioning is switched off."""
    return confirmation(
        "Switch SCIM provisioning off?",
        "Every request of Entra is refused from then on, and after some time Entra puts its job into quarantine. "
        "To hold changes back for a while, pause provisioning instead.",
        action="Switch it off",
        back=url_for(".show"),
    )


@settings.post("/settings/disable")
@redisplay_on_error(ask_to_disable)
def disable() -> Answer:
    """Switch it off."""
    services.update_enterprise(enterprise_id(), {"scim_enabled": False})
    return go(".show", "SCIM provisioning is switched off.", tone="warn")
