"""The blueprint that guides through connecting an identity provider and shows its progress."""

from typing import Any

from scimsvc import clock
from scimsvc.auth.clients import NAMES
from scimsvc.auth.provider_integrations import (
    find_provider_integration,
    issue_provider_secret,
    issue_provider_token,
)
from scimsvc.auth.state import token_signer
from scimsvc.auth.token_reading import list_good_tokens
from scimsvc.console.forms import flag, number, redisplay_on_error, text
from scimsvc.console.one_time_forms import one_time_token_id
from scimsvc.console.outside_links import LINKS
from scimsvc.console.pages import Answer, enterprise_blueprint, enterprise_id, go, page
from scimsvc.console.provider_guides import GUIDES, Guide, chosen_guide, chosen_way
from scimsvc.console.shown_once import go_and_show, shown_once
from scimsvc.enterprises import enterprises as services
from scimsvc.enterprises.connect_steps import STEPS, list_ticked_steps, tick_step
from scimsvc.mapping import entra
from scimsvc.operations.global_settings import show_global_settings
from scimsvc.reports.entra_progress import read_progress
from scimsvc.schemas.validation import without_none
from scimsvc.vocabulary import SCIM_SCOPE, USERS_SCOPE
from scimsvc.web.urls import tenant_url, token_endpoint_url

connect = enterprise_blueprint("connect")


@connect.get("/set-up")
def show() -> Answer:
    """Show all steps for an identity provider and a way to authenticate."""
    return page("connect.html", **_steps() | shown_once())


@connect.post("/set-up/enable")
def enable() -> Answer:
    """Enable SCIM provisioning."""
    services.update_enterprise(enterprise_id(), {"scim_enabled": True})
    guide = chosen_guide()
    return go(".show", "SCIM provisioning enabled.", provider=guide.provider, way=chosen_way(guide))


@connect.post("/set-up")
@redisplay_on_error(show)
def issue() -> Answer:
    """Create the token for the provider, and its integration if it does not exist. The next page shows it once."""
    guide = chosen_guide()
    signer, once = token_signer.current, one_time_token_id()
    issued = issue_provider_token(enterprise_id(), guide.provider, number("days"), signer=signer, token_id=once)
    shown = {name: issued[name] for name in ("access_token", "expires_at")}
    return _go_on(guide, {"issued": shown})


@connect.post("/set-up/secret")
@redisplay_on_error(show)
def issue_secret() -> Answer:
    """Create a client secret for the provider, and its integration if needed. The next page shows it once."""
    rotation = without_none(overlap_hours=number("overlap_hours"))
    guide = chosen_guide()
    integration = issue_provider_secret(enterprise_id(), guide.provider, rotation)
    return _go_on(guide, {"client_secret": integration["client_secret"]})


def _go_on(guide: Guide, content: dict[str, Any]) -> Answer:
    """Show the step with the new secret, and the step in which it is pasted."""
    return go_and_show(".show", content, provider=guide.provider, way=chosen_way(guide), _anchor="token")


@connect.post("/set-up/step")
@redisplay_on_error(show)
def tick() -> Answer:
    """Tick a step that is done at the provider, or remove its tick."""
    step, guide = text("step"), chosen_guide()
    tick_step(enterprise_id(), step, is_done=flag("done"))
    shown = step if not flag("done") else None
    return go(".show", provider=guide.provider, way=chosen_way(guide), step=shown, _anchor=_following(step))


def _following(step: str) -> str:
    """Return the step after ``step``."""
    return (*STEPS, "progress")[STEPS.index(step) + 1] if flag("done") else step


@connect.get("/set-up/progress")
def progress() -> Answer:
    """Show the progress, which the page updates live."""
    return page("connect_progress.html", progress=read_progress(enterprise_id()), guide=chosen_guide())


def _steps() -> dict[str, Any]:
    guide = chosen_guide()
    tokens = list_good_tokens(enterprise_id())
    return {
        "guides": GUIDES,
        "guide": guide,
        "way": chosen_way(guide),
        "integration": find_provider_integration(enterprise_id(), guide.provider),
        "tenant_url": tenant_url(),
        "token_endpoint": token_endpoint_url(),
        "access_token_hours": show_global_settings()["access_token_hours"],
        "tokens": [token for token in tokens if token["scope"] == SCIM_SCOPE],
        "roles": entra.app_roles(enterprise_id()),
        "mappings": entra.MAPPINGS,
        "progress": read_progress(enterprise_id()),
        "ticked": list_ticked_steps(enterprise_id()),
        "links": LINKS,
        "issued": None,
        "client_secret": None,
        "host_application": {"name": NAMES[USERS_SCOPE], "scope": USERS_SCOPE},
        # A new address each time, because a browser does not reload a page if only the fragment differs.
        "at": clock.timestamp(clock.now()),
    }
