"""The blueprint of users: search and show users, and manage manual users."""

import re
from typing import Any

from flask import request, url_for

from scimsvc.auth.provider_integrations import find_connected_provider
from scimsvc.console.forms import flag, optional_text, redisplay_on_error, text
from scimsvc.console.outside_links import PERSON
from scimsvc.console.pages import Answer, confirmation, enterprise_blueprint, enterprise_id, go, page
from scimsvc.console.provider_guides import provider_name
from scimsvc.console.user_lists import COLUMNS, PAGE_LENGTH, shown_list
from scimsvc.enterprises import manual_users, profiles
from scimsvc.enterprises.groups import show_group
from scimsvc.enterprises.swapped_addresses import swap_addresses
from scimsvc.mapping.roles import list_role_names
from scimsvc.reports.user_details import show_user_details
from scimsvc.reports.user_search import find_neighbors, search_users
from scimsvc.schemas.entity_tags import entity_tag
from scimsvc.scim.explain import explain_request
from scimsvc.vocabulary import DEFAULT, FROM_GROUP, ID_PATTERN, PROVISIONED
from scimsvc.web.providers import is_for_entra
from scimsvc.web.state import cursor_keys
from scimsvc.web.urls import tenant_url

users = enterprise_blueprint("users")


@users.get("/users")
def list_() -> Answer:
    """List the users who meet the filters. With ``part``, return only the list, for the script of the page."""
    shown = shown_list()
    user_page = search_users(enterprise_id(), shown.parameters | {"limit": PAGE_LENGTH}, cursor_keys())
    if "part" in request.args:
        return page("users_found.html", user_page=user_page, shown=shown, columns=COLUMNS)
    group_id = shown.filters.get("group")
    group = show_group(enterprise_id(), group_id) if group_id else None
    roles = list_role_names(enterprise_id())
    return page("users.html", user_page=user_page, shown=shown, columns=COLUMNS, roles=roles, group=group)


@users.get("/users/<user_id>")
def show(user_id: str) -> Answer:
    """Show a user. With ``list``, also the way back to the list, and to the users beside this one."""
    shown = shown_list()
    beside = find_neighbors(enterprise_id(), shown.unpaged, user_id) if "list" in request.args else None
    details = show_user_details(enterprise_id(), user_id)
    return page("user.html", details=details, shown=shown, beside=beside, entra_url=_entra_url(details["user"]))


def _entra_url(user: dict[str, Any]) -> str | None:
    """Return the page of the person in Entra, whose object ID is the external ID, or None."""
    object_id = (user["external_id"] or "").lower()
    is_in_entra = user["source"] == PROVISIONED and is_for_entra(find_connected_provider(enterprise_id()))
    return PERSON.format(object_id) if is_in_entra and re.fullmatch(ID_PATTERN, object_id) else None


@users.get("/users/<user_id>/scim")
def resource(user_id: str) -> Answer:
    """Show the SCIM resource of a user as a GET request would be answered."""
    user = profiles.show_user(enterprise_id(), user_id)
    path = f"/Users/{user['id']}"
    read = explain_request(enterprise_id(), {"method": "GET", "path": path}, base=tenant_url())
    return page("user_resource.html", user=user, status=read.members["status"], path=path, answer=read.answer)


@users.get("/users/new")
def ask() -> Answer:
    """Show the form for a new manual user."""
    return page("user_form.html", user=None, role="", roles=list_role_names(enterprise_id()))


@users.post("/users/new")
@redisplay_on_error(ask)
def create() -> Answer:
    """Create a manual user."""
    user = manual_users.create_manual_user(enterprise_id(), _typed())
    return go("console_users.show", f"User {user['user_name']} created.", user_id=user["id"])


@users.get("/users/<user_id>/edit")
def edit(user_id: str) -> Answer:
    """Show the form of a manual user."""
    details = show_user_details(enterprise_id(), user_id)
    role = "" if details["role"]["reason"] in (DEFAULT, FROM_GROUP) else details["role"]["name"]
    user = details["user"]
    return page("user_form.html", user=user, tag=entity_tag(user), role=role, roles=list_role_names(enterprise_id()))


@users.post("/users/<user_id>/edit")
@redisplay_on_error(edit)
def update(user_id: str) -> Answer:
    """Change a manual user."""
    user = manual_users.update_manual_user(enterprise_id(), user_id, _typed(), if_match=text("tag") or None)
    return go("console_users.show", f"User {user['user_name']} saved.", user_id=user_id)


@users.get("/users/<user_id>/delete")
def ask_to_delete(user_id: str) -> Answer:
    """Ask for confirmation to delete a manual user."""
    user = profiles.show_user(enterprise_id(), user_id)
    return confirmation(
        f"Delete user {user['user_name']}?",
        f"This permanently deletes the user {user['email']}. If {provider_name()} sends this person later, "
        "a new user is created.",
        action="Delete user",
        back=url_for("console_users.show", user_id=user_id),
    )


@users.post("/users/<user_id>/delete")
@redisplay_on_error(ask_to_delete)
def delete(user_id: str) -> Answer:
    """Delete a manual user."""
    user = manual_users.delete_manual_user(enterprise_id(), user_id)
    return go("console_users.list_", f"User {user['user_name']} deleted.")


@users.get("/users/<user_id>/swap/<other_id>")
def ask_to_swap(user_id: str, other_id: str) -> Answer:
    """Ask for confirmation to swap the addresses of two users."""
    one, other = (profiles.show_user(enterprise_id(), each) for each in (user_id, other_id))
    return confirmation(
        f"Swap the addresses of {one['user_name']} and {other['user_name']}?",
        f"{one['user_name']} gets {other['email']}, and {other['user_name']} gets {one['email']}. "
        f"Nothing else changes. With its next changes, {provider_name()} finds that both addresses are right.",
        action="Swap addresses",
        back=url_for("console_overview.show"),
    )


@users.post("/users/<user_id>/swap/<other_id>")
@redisplay_on_error(ask_to_swap)
def swap(user_id: str, other_id: str) -> Answer:
    """Swap the addresses of two users."""
    one, other = swap_addresses(enterprise_id(), user_id, other_id)
    return go("console_overview.show", f"Addresses {one['email']} and {other['email']} swapped.")


_OPTIONAL = ("given_name", "family_name", "phone", "title", "organization", "role", "external_id")


def _typed() -> dict[str, Any]:
    optional = {name: optional_text(name) for name in _OPTIONAL}
    address = text("email")
    return {"email": address, "user_name": text("user_name") or address, "active": flag("active"), **optional}
