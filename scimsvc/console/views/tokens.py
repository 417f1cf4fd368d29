"""The blueprint of tokens. Their values are shown only once."""

import re
from typing import Any

from flask import redirect, request, url_for

from scimsvc.auth import grants
from scimsvc.auth.clients import list_integrations
from scimsvc.auth.state import token_signer
from scimsvc.console.credentials import integration_names, is_in_use, scope_options
from scimsvc.console.forms import number, optional_text, redisplay_on_error
from scimsvc.console.one_time_forms import one_time_token_id, one_time_value
from scimsvc.console.pages import Answer, enterprise_blueprint, enterprise_id, go, page, parameters
from scimsvc.console.shown_once import go_and_show, shown_once
from scimsvc.operations.global_settings import show_global_settings
from scimsvc.reports import lists
from scimsvc.schemas.validation import without_none
from scimsvc.vocabulary import ID_PATTERN, SCIM_SCOPE
from scimsvc.web.state import cursor_keys
from scimsvc.web.urls import tenant_url

tokens = enterprise_blueprint("tokens")
tokens.add_app_template_test(is_in_use, "in_use")
tokens.add_app_template_global(one_time_value)


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
    once = one_time_token_id()
    issued = grants.issue_described_token(enterprise_id(), members, signer=token_signer.current, token_id=once)
    return go_and_show(".show", {"access_token": issued["access_token"]}, token_id=issued["id"])


@tokens.get("/tokens/<token_id>")
def show(token_id: str) -> Answer:
    """Show a token, after its creation with its value, and the steps of a replacement that is in progress."""
    token = lists.token(enterprise_id(), token_id)
    where = {"Tenant URL": tenant_url()} if token["scope"] == SCIM_SCOPE else {}
    return page(
        "token.html",
        **_replacement(token),
        beside=where,
        secret=shown_once().get("access_token"),
    )


@tokens.get("/tokens/<token_id>/progress")
def progress(token_id: str) -> Answer:
    """Show the progress of a replacement, which the page updates live."""
    replacement = _replacement(lists.token(enterprise_id(), token_id))
    if replacement["old"] is None:
        return redirect(url_for(".show", token_id=token_id), 303)
    return page("token_progress.html", **replacement)


def _replacement(token: dict[str, Any]) -> dict[str, Any]:
    """Return the token, and the token that it replaces if the address names one that is still valid."""
    replaces = request.args.get("replaces", "")
    old = lists.token(enterprise_id(), replaces) if _TOKEN_ID.fullmatch(replaces) else None
    return {"token": token, "old": old, "names": integration_names()}


_TOKEN_ID = re.compile(ID_PATTERN)


@tokens.get("/tokens/<token_id>/rotate")
def ask_to_rotate(token_id: str) -> Answer:
    """Show the form for replacing a token."""
    token = lists.token(enterprise_id(), token_id)
    return page("token_rotate.html", token=token, names=integration_names())


@tokens.post("/tokens/<token_id>/rotate")
@redisplay_on_error(ask_to_rotate)
def rotate(token_id: str) -> Answer:
    """Replace a token, and show the value of the new one with the steps until the old one can be revoked."""
    overlap = without_none(overlap_hours=number("overlap_hours"))
    issued = grants.rotate_described_token(enterprise_id(), token_id, overlap, signer=token_signer.current)
    return go_and_show(".show", {"access_token": issued["access_token"]}, token_id=issued["id"], replaces=token_id)


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
