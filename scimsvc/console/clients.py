"""The blueprint of integrations and tokens, whose secrets are shown once."""

from typing import Any

from flask import url_for

from scimsvc.auth import clients as services
from scimsvc.auth import grants
from scimsvc.auth.state import token_signer
from scimsvc.console.forms import again, number, optional_text, text
from scimsvc.console.pages import Answer, confirmation, enterprise_blueprint, enterprise_id, go, page, parameters
from scimsvc.operations.global_settings import show_global_settings
from scimsvc.reports import lists
from scimsvc.schemas.validation import without_none
from scimsvc.web.state import cursor_keys
from scimsvc.web.urls import tenant_url

clients = enterprise_blueprint("clients")


@clients.get("/integrations")
def list_() -> Answer:
    """List the integrations, and the tokens that are good."""
    return page(
        "clients.html",
        integrations=services.list_integrations(enterprise_id()),
        tokens=grants.list_good_tokens(enterprise_id()),
        names=_names(),
    )


@clients.get("/integrations/new")
def new() -> Answer:
    """Ask what a new integration is called."""
    return page("integration_new.html")


@clients.post("/integrations/new")
@again(new)
def create() -> Answer:
    """Make one, and show its secret."""
    made = services.create_integration(enterprise_id(), {"name": text("name")})
    return _shown_once(f"{made['name']} is made", {"Client ID": made["client_id"]}, secret=made["client_secret"])


@clients.get("/integrations/<integration_id>/rename")
def ask_name(integration_id: str) -> Answer:
    """Ask what an integration is called from now on."""
    return page("integration_rename.html", integration=services.show_integration(enterprise_id(), integration_id))


@clients.post("/integrations/<integration_id>/rename")
@again(ask_name)
def rename(integration_id: str) -> Answer:
    """Give it another name."""
    renamed = services.rename_integration(enterprise_id(), integration_id, {"name": text("name")})
    return go(".list_", f"The integration is called {renamed['name']} now.")


@clients.get("/integrations/<integration_id>/rotate")
def ask_to_rotate(integration_id: str) -> Answer:
    """Ask how long the old secret stays good."""
    return page("integration_rotate.html", integration=services.show_integration(enterprise_id(), integration_id))


@clients.post("/integrations/<integration_id>/rotate")
@again(ask_to_rotate)
def rotate(integration_id: str) -> Answer:
    """Make a new secret, and show it."""
    overlap = without_none(overlap_hours=number("overlap_hours"))
    rotated = services.rotate_secret(enterprise_id(), integration_id, overlap)
    title = f"{rotated['name']} has a new secret"
    return _shown_once(title, {"Client ID": rotated["client_id"]}, secret=rotated["client_secret"])


@clients.get("/integrations/<integration_id>/revoke")
def ask_to_revoke(integration_id: str) -> Answer:
    """Ask before an integration ends."""
    integration = services.show_integration(enterprise_id(), integration_id)
    return confirmation(
        f"End the integration {integration['name']}?",
        "Its client ID, its secret and all tokens that it was issued stop working at once. If Entra uses one of them, "
        "provisioning stops.",
        action="End this integration",
        back=url_for(".list_"),
    )


@clients.post("/integrations/<integration_id>/revoke")
@again(ask_to_revoke)
def revoke(integration_id: str) -> Answer:
    """End it with all of its tokens."""
    gone = services.revoke_integration(enterprise_id(), integration_id)
    last = " It was the last one: no token can be issued until there is another." if gone["warning"] else ""
    return go(".list_", f"{gone['name']} is ended, and its tokens with it.{last}", tone="warn" if last else "good")


@clients.get("/tokens")
def list_tokens() -> Answer:
    """List every token that was ever issued, the oldest first."""
    listed = lists.tokens(enterprise_id(), parameters("cursor"), cursor_keys())
    return page("tokens.html", tokens=listed["items"], next=listed["next"], names=_names())


@clients.get("/tokens/new")
def ask_token() -> Answer:
    """Ask what a new token is for, and how long it is to live."""
    return page(
        "token_new.html", integrations=services.list_integrations(enterprise_id()), defaults=show_global_settings()
    )


@clients.post("/tokens/new")
@again(ask_token)
def issue() -> Answer:
    """Issue it, and show it."""
    wanted = without_none(scope=optional_text("scope"), days=number("days"), client_id=optional_text("client_id"))
    issued = grants.issue_described_token(enterprise_id(), wanted, signer=token_signer.current)
    where = {"Tenant URL": tenant_url()} if issued["scope"] == "scim" else {}
    name = "Secret Token" if where else "API token"
    return _shown_once("The token is made", where, secret=issued["access_token"], secret_name=name, issued=issued)


@clients.get("/tokens/<token_id>/revoke")
def ask_to_end(token_id: str) -> Answer:
    """Ask before a token ends."""
    token = lists.token(enterprise_id(), token_id)
    return page("token_revoke.html", token=token, names=_names())


@clients.post("/tokens/<token_id>/revoke")
@again(ask_to_end)
def end(token_id: str) -> Answer:
    """End it at once."""
    grants.revoke_token(token_id, enterprise=enterprise_id(), signer=token_signer.current)
    return go(".list_", "The token is ended.")


def _names() -> dict[str, str]:
    """Return what the integrations are called, by their client IDs."""
    return {each["client_id"]: each["name"] for each in services.list_integrations(enterprise_id())}


def _shown_once(
    title: str,
    beside: dict[str, str],
    *,
    secret: str,
    secret_name: str = "Client secret",  # noqa: S107  # what it is called
    issued: dict[str, Any] | None = None,
) -> Answer:
    return page("secret.html", title=title, beside=beside, secret=secret, secret_name=secret_name, issued=issued)
