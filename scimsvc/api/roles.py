"""The blueprint of roles."""

from flask import Response

from scimsvc.api.messages import (
    api_blueprint,
    created_answer,
    empty_answer,
    enterprise_id,
    if_match,
    json_answer,
    parameters,
    read_object,
    resource_answer,
    takes_parameters,
)
from scimsvc.mapping import roles as services
from scimsvc.mapping.preview import preview_change
from scimsvc.reports import lists
from scimsvc.web.state import cursor_keys

roles = api_blueprint("roles")


@roles.get("/roles")
@takes_parameters
def list_() -> Response:
    """List the roles."""
    return json_answer(lists.roles(enterprise_id(), parameters(), cursor_keys()))


@roles.post("/roles")
def add() -> Response:
    """Create a role."""
    return created_answer(services.add_role(enterprise_id(), read_object()), "roles")


@roles.get("/role-preview")
@takes_parameters
def preview() -> Response:
    """Return the role that a value maps to, its users, and the users who were refused because of the value."""
    return json_answer(lists.preview(enterprise_id(), parameters()))


@roles.get("/roles/<role_id>")
def show(role_id: str) -> Response:
    """Return a role."""
    return resource_answer(services.show_role(enterprise_id(), role_id))


@roles.patch("/roles/<role_id>")
def update(role_id: str) -> Response:
    """Change a role. Its users keep it."""
    return resource_answer(services.update_role(enterprise_id(), role_id, read_object(), if_match=if_match()))


@roles.post("/roles/<role_id>/preview")
def preview_update(role_id: str) -> Response:
    """Return the users whom a change of a role would change, without changing the role."""
    return json_answer(preview_change(enterprise_id(), role_id, read_object()))


@roles.delete("/roles/<role_id>")
def remove(role_id: str) -> Response:
    """Delete a role without users."""
    services.remove_role(enterprise_id(), role_id, if_match=if_match())
    return empty_answer()
