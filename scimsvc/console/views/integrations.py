"""The blueprint of integrations. Client secrets are shown only once."""

from typing import Any

from flask import request, url_for

from scimsvc.auth import clients as services
from scimsvc.auth.client_secrets import revoke_old_secrets, show_rotation
from scimsvc.auth.scopes import is_within
from scimsvc.auth.token_reading import list_good_tokens
from scimsvc.console.credentials import integration_names, scope_options
from scimsvc.console.forms import number, optional_text, redisplay_on_error, text
from scimsvc.console.one_time_forms import one_time_id
from scimsvc.console.pages import Answer, confirmation, enterprise_blueprint, enterprise_id, go, page
from scimsvc.console.provider_guides import provider_name
from scimsvc.console.shown_once import go_and_show, shown_once
from scimsvc.schemas.validation import without_none
from scimsvc.vocabulary import PROVIDER_NAMES, USERS_SCOPE

integrations = enterprise_blueprint("integrations")


@integrations.get("/integrations")
def list_() -> Answer:
    """List the integrations and the valid tokens."""
    return page(
        "integrations.html",
        integrations=services.list_integrations(enterprise_id()),
        tokens=list_good_tokens(enterprise_id()),
        names=integration_names(),
        provider_names=PROVIDER_NAMES,
    )


@integrations.get("/integrations/new")
def new() -> Answer:
    """Show the form for a new integration."""
    return page(
        "integration_new.html",
        options=scope_options(unlimited=True),
        name=request.args.get("name", ""),
        scope=request.args.get("scope", USERS_SCOPE),
    )


@integrations.post("/integrations/new")
@redisplay_on_error(new)
def create() -> Answer:
    """Create an integration, and show its client secret."""
    fields = {"name": text("name"), "scope": optional_text("scope")}
    integration = services.create_integration(enterprise_id(), fields, integration_id=one_time_id())
    content = {"client_secret": integration["client_secret"], "is_new": True}
    return go_and_show(".show_secret", content, integration_id=integration["id"])


@integrations.get("/integrations/<integration_id>/secret")
def show_secret(integration_id: str) -> Answer:
    """Show the client ID, after a form the new client secret, and the progress of a rotation."""
    return page("integration_secret.html", **_rotation(integration_id), shown=shown_once())


@integrations.get("/integrations/<integration_id>/secret/progress")
def progress(integration_id: str) -> Answer:
    """Show the progress of a rotation, which the page updates live."""
    return page("integration_progress.html", **_rotation(integration_id))


def _rotation(integration_id: str) -> dict[str, Any]:
    return {
        "integration": services.show_integration(enterprise_id(), integration_id),
        "rotation": show_rotation(enterprise_id(), integration_id),
        "provider_names": PROVIDER_NAMES,
    }


@integrations.get("/integrations/<integration_id>/old-secrets")
def ask_to_end_old_secrets(integration_id: str) -> Answer:
    """Ask for confirmation to revoke the old secrets."""
    integration = services.show_integration(enterprise_id(), integration_id)
    return confirmation(
        f"Revoke the old secret of {integration['name']}?",
        "Only the newest secret works from then on. Tokens that were requested with an old secret stay valid.",
        action="Revoke old secret",
        back=url_for(".show_secret", integration_id=integration_id),
    )


@integrations.post("/integrations/<integration_id>/old-secrets")
@redisplay_on_error(ask_to_end_old_secrets)
def end_old_secrets(integration_id: str) -> Answer:
    """Revoke the old secrets of an integration."""
    revoke_old_secrets(enterprise_id(), integration_id)
    return go(".list_", "Old secret revoked.")


@integrations.get("/integrations/<integration_id>/rename")
def ask_name(integration_id: str) -> Answer:
    """Show the form for a new name."""
    return page("integration_rename.html", integration=services.show_integration(enterprise_id(), integration_id))


@integrations.post("/integrations/<integration_id>/rename")
@redisplay_on_error(ask_name)
def rename(integration_id: str) -> Answer:
    """Rename an integration."""
    renamed = services.update_integration(enterprise_id(), integration_id, {"name": text("name")})
    return go(".list_", f"Integration renamed to {renamed['name']}.")


@integrations.get("/integrations/<integration_id>/limit")
def ask_limit(integration_id: str) -> Answer:
    """Show the form that limits an integration to a scope."""
    integration = services.show_integration(enterprise_id(), integration_id)
    narrower = [
        option
        for option in scope_options()
        if option[0] != integration["scope"] and is_within(integration["scope"], option[0])
    ]
    wide = [token for token in list_good_tokens(enterprise_id()) if token["client_id"] == integration["client_id"]]
    return page("integration_limit.html", integration=integration, options=narrower, tokens=wide)


@integrations.post("/integrations/<integration_id>/limit")
@redisplay_on_error(ask_limit)
def limit(integration_id: str) -> Answer:
    """Limit an integration to a scope, and revoke its tokens with a wider scope."""
    limited = services.update_integration(enterprise_id(), integration_id, {"scope": text("scope")})
    return go(".list_", f"Integration {limited['name']} limited to {limited['scope']}.")


@integrations.get("/integrations/<integration_id>/rotate")
def ask_to_rotate(integration_id: str) -> Answer:
    """Show the form for rotating a client secret."""
    return page("integration_rotate.html", integration=services.show_integration(enterprise_id(), integration_id))


@integrations.post("/integrations/<integration_id>/rotate")
@redisplay_on_error(ask_to_rotate)
def rotate(integration_id: str) -> Answer:
    """Create a new client secret, and show it."""
    overlap = without_none(overlap_hours=number("overlap_hours"))
    rotated = services.rotate_secret(enterprise_id(), integration_id, overlap)
    return go_and_show(".show_secret", {"client_secret": rotated["client_secret"]}, integration_id=rotated["id"])


@integrations.get("/integrations/<integration_id>/revoke")
def ask_to_revoke(integration_id: str) -> Answer:
    """Ask for confirmation to delete an integration."""
    integration = services.show_integration(enterprise_id(), integration_id)
    return confirmation(
        f"Delete integration {integration['name']}?",
        "Its client ID, its secret and all its tokens stop working immediately. "
        f"If {provider_name()} uses one of them, "
        "provisioning stops.",
        action="Delete integration",
        back=url_for(".list_"),
    )


@integrations.post("/integrations/<integration_id>/revoke")
@redisplay_on_error(ask_to_revoke)
def revoke(integration_id: str) -> Answer:
    """Delete an integration and revoke its tokens."""
    integration = services.revoke_integration(enterprise_id(), integration_id)
    last = (
        " It was the last integration. Create another one before you create tokens." if integration["warning"] else ""
    )
    message = f"Integration {integration['name']} deleted, and its tokens revoked.{last}"
    return go(".list_", message, tone="warn" if last else "good")
