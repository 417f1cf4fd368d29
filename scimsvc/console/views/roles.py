"""The blueprint of roles, with their names, aliases and restrictions."""

from typing import Any

from flask import request, url_for

from scimsvc.console.forms import Form, flag, lines, number, redisplay_on_error, text
from scimsvc.console.pages import Answer, confirmation, enterprise_blueprint, enterprise_id, go, page, parameters
from scimsvc.console.provider_guides import provider_name
from scimsvc.mapping import roles as services
from scimsvc.mapping.preview import preview_change
from scimsvc.reports.lists import preview as preview_role
from scimsvc.schemas.entity_tags import entity_tag
from scimsvc.schemas.validation import without_none

roles = enterprise_blueprint("roles")


@roles.get("/roles")
def list_() -> Answer:
    """List the roles."""
    return page("roles.html", roles=services.list_roles(enterprise_id()))


@roles.get("/roles/preview")
def preview() -> Answer:
    """Show the role that an app role value maps to, or the users who were refused because of the value."""
    query = parameters("name") or without_none(name=request.form.get("alias"))
    if not query:
        return go(".list_")
    return page(
        "role_preview.html",
        preview=preview_role(enterprise_id(), query),
        roles=services.list_role_names(enterprise_id()),
    )


@roles.post("/roles/aliases")
@redisplay_on_error(preview)
def add_alias() -> Answer:
    """Add an app role value as an alias of a role, and show the overview, where its errors are fixed."""
    alias = text("alias")
    role = services.update_role(enterprise_id(), text("role"), {}, add_aliases=[alias])
    message = (
        f"Alias “{alias}” added to the role {role['name']}. {provider_name()} retries refused users in later cycles."
    )
    return go("console_overview.show", message)


@roles.get("/roles/new")
def new() -> Answer:
    """Show the form for a new role. The query parameter ``name`` may propose its name."""
    return page("role.html", role=None, changes=None, proposed=request.args.get("name", ""), waiting=_waiting("name"))


@roles.post("/roles/new")
@redisplay_on_error(new)
def add() -> Answer:
    """Create a role."""
    role = services.add_role(enterprise_id(), _members())
    return go(".list_", f"Role {role['name']} created.")


@roles.get("/roles/<role_id>")
def edit(role_id: str) -> Answer:
    """Show the form of a role. The query parameter ``alias`` may propose another alias."""
    return _edit_page(role_id)


@roles.post("/roles/<role_id>")
@redisplay_on_error(edit)
def update(role_id: str) -> Answer:
    """Change a role, or preview the change. Its users keep it."""
    if flag("preview"):
        return _edit_page(role_id, preview=preview_change(enterprise_id(), role_id, _members()))
    role = services.update_role(enterprise_id(), role_id, _members(), if_match=text("tag") or None)
    return go(".list_", f"Role {role['name']} saved.")


def _list_again(role_id: str) -> Answer:
    services.show_role(enterprise_id(), role_id)  # a page of a role that does not exist is 404
    return list_()


@roles.post("/roles/<role_id>/move")
@redisplay_on_error(_list_again)
def move(role_id: str) -> Answer:
    """Move a role up or down in the order of the roles."""
    role = services.update_role(enterprise_id(), role_id, {"position": number("position")})
    return go(".list_", f"Role {role['name']} moved to place {role['position']}.")


@roles.get("/roles/<role_id>/remove")
def ask_to_remove(role_id: str) -> Answer:
    """Ask for confirmation to delete a role."""
    role = services.show_role(enterprise_id(), role_id)
    return confirmation(
        f"Delete role {role['name']}?",
        f"After that, requests from {provider_name()} that use its name or one of its aliases are refused.",
        action="Delete role",
        back=url_for(".edit", role_id=role_id),
    )


@roles.post("/roles/<role_id>/remove")
@redisplay_on_error(ask_to_remove)
def remove(role_id: str) -> Answer:
    """Delete a role without users."""
    role = services.remove_role(enterprise_id(), role_id)
    return go(".list_", f"Role {role['name']} deleted.")


def _edit_page(role_id: str, preview: dict[str, Any] | None = None) -> Answer:
    """Return the form of a role, with the ``preview`` of a change."""
    role = services.show_role(enterprise_id(), role_id)
    proposed = [alias for alias in [request.args.get("alias")] if alias]
    options = {"proposed": proposed, "waiting": _waiting("alias"), "changes": preview}
    form = {"form": Form(request.form)} if preview is not None else {}
    return page("role.html", role=role, tag=entity_tag(role), **options, **form)


def _members() -> dict[str, Any]:
    default = {"is_default": True} if flag("is_default") else {}
    lists = {"aliases": lines("aliases"), "groups": lines("groups")}
    return {"name": text("name"), **lists, "restrict_editing": flag("restrict_editing")} | default


def _waiting(parameter: str) -> list[dict[str, Any]]:
    """Return the users who were refused because no role has the proposed name."""
    proposed = parameters(parameter)
    return preview_role(enterprise_id(), {"name": proposed[parameter]})["waiting"] if proposed else []
