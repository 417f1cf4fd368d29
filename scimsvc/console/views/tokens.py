"""The blueprint of tokens. Their values are shown only once."""

from typing import Any

from scimsvc.auth import grants
from scimsvc.auth.clients import list_integrations
from scimsvc.auth.state import token_signer
from scimsvc.console.credentials import integration_names, scope_options, show_once
from scimsvc.console.forms import number, optional_text, redisplay_on_error
from scimsvc.console.pages import Answer, enterprise_blueprint, enterprise_id, go, page, parameters
from scimsvc.operations.global_settings import show_global_settings
from scimsvc.reports import lists
from scimsvc.schemas.validation import without_none
from scimsvc.vocabulary import SCIM_SCOPE
from scimsvc.web.state import cursor_keys
from scimsvc.web.urls import tenant_url

tokens = enterprise_blueprint("tokens")


@tokens.get("/tokens")
def list_() -> Answer:
    """List all tokens, oldest first."""
    listed = lists.tokens(enterprise_id(), parameters("cursor"), cursor_keys())
    return page("tokens.html", tokens=listed["items"], next=listed["next"], names=integration_names())


@tokens.get("/tokens/new")
def ask() -> Answer:
    """Show the form for a new token."""
    return page(
        "token_new.html",
        integrations=list_integrations(enterprise_id()),
        scopes=scope_options(),
        defaults=show_global_settings(),
    )


@tokens.post("/tokens/new")
@redisplay_on_error(ask)
def issue() -> Answer:
    """Create a token, and show its value."""
    members = without_none(
        scope=optional_text("scope"),
        days=number("days"),
        name=optional_text("name"),
        client_id=optional_text("client_id"),
    )
    issued = grants.issue_described_token(enterprise_id(), members, signer=token_signer.current)
    return _show(issued, "Token created")


def _show(issued: dict[str, Any], title: str) -> Answer:
    where = {"Tenant URL": tenant_url()} if issued["scope"] == SCIM_SCOPE else {}
    name = "Secret Token" if where else "API token"
    return show_once(title, where, secret=issued["access_token"], secret_name=name, issued=issued)


@tokens.get("/tokens/<token_id>/rotate")
def ask_to_rotate(token_id: str) -> Answer:
    """Show the form for replacing a token."""
    token = lists.token(enterprise_id(), token_id)
    return page("token_rotate.html", token=token, names=integration_names())


@tokens.post("/tokens/<token_id>/rotate")
@redisplay_on_error(ask_to_rotate)
def rotate(token_id: str) -> Answer:
    """Replace a token, and show the value of the new one."""
    overlap = without_none(overlap_hours=number("overlap_hours"))
    issued = grants.rotate_described_token(enterprise_id(), token_id, overlap, signer=token_signer.current)
    return _show(issued, "Token replaced")


@tokens.get("/tokens/<token_id>/revoke")
def ask_to_revoke(token_id: str) -> Answer:
    """Ask for confirmation to revoke a token."""
    token = lists.token(enterprise_id(), token_id)
    return page("token_revoke.html", token=token, names=integration_names())


@tokens.post("/tokens/<token_id>/revoke")
@redisplay_on_error(ask_to_revoke)
def revoke(token_id: str) -> Answer:
    """Revoke a token."""
    grants.revoke_token(token_id, enterprise=enterprise_id(), signer=token_signer.current)
    return go("console_integrations.list_", "Token revoked.")
