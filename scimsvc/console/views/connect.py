"""The blueprint that guides through connecting Entra and shows its progress."""

from typing import Any

from scimsvc import clock
from scimsvc.auth import grants
from scimsvc.auth.clients import NAMES, create_integration, list_integrations
from scimsvc.auth.state import token_signer
from scimsvc.auth.token_reading import list_good_tokens
from scimsvc.console.forms import number, redisplay_on_error
from scimsvc.console.pages import Answer, enterprise_blueprint, enterprise_id, go, page
from scimsvc.enterprises import enterprises as services
from scimsvc.mapping import entra
from scimsvc.reports.entra_progress import read_progress
from scimsvc.vocabulary import SCIM_SCOPE, USERS_SCOPE
from scimsvc.web.urls import tenant_url

connect = enterprise_blueprint("connect")


@connect.get("/set-up")
def show() -> Answer:
    """Show all steps."""
    return page("connect.html", **_steps())


@connect.post("/set-up/enable")
def enable() -> Answer:
    """Enable SCIM provisioning."""
    services.update_enterprise(enterprise_id(), {"scim_enabled": True})
    return go(".show", "SCIM provisioning enabled.")


@connect.post("/set-up")
@redisplay_on_error(show)
def issue() -> Answer:
    """Create the token for Entra, and its integration if it does not exist. Only this response shows the token."""
    if not list_integrations(enterprise_id()):
        create_integration(enterprise_id(), {"name": NAMES[SCIM_SCOPE], "scope": SCIM_SCOPE})
    members = {"scope": SCIM_SCOPE, "days": number("days")}
    issued = grants.issue_described_token(enterprise_id(), members, signer=token_signer.current)
    return page("connect.html", **_steps() | {"issued": issued})


@connect.get("/set-up/progress")
def progress() -> Answer:
    """Show the progress, which the page updates live."""
    return page("connect_progress.html", progress=read_progress(enterprise_id()))


def _steps() -> dict[str, Any]:
    tokens = list_good_tokens(enterprise_id())
    return {
        "tenant_url": tenant_url(),
        "tokens": [token for token in tokens if token["scope"] == SCIM_SCOPE],
        "roles": entra.app_roles(enterprise_id()),
        "mappings": entra.MAPPINGS,
        "progress": read_progress(enterprise_id()),
        "issued": None,
        "host_application": {"name": NAMES[USERS_SCOPE], "scope": USERS_SCOPE},
        # A new address each time, because a browser does not reload a page if only the fragment differs.
        "at": clock.timestamp(clock.now()),
    }
