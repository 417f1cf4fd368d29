"""The blueprint of groups and their members, which only SCIM changes."""

from flask import Response

from scimsvc.api.messages import (
    api_blueprint,
    enterprise_id,
    json_answer,
    parameters,
    resource_answer,
    takes_parameters,
)
from scimsvc.enterprises.groups import show_group
from scimsvc.reports import lists
from scimsvc.web.state import cursor_keys

groups = api_blueprint("groups")


@groups.get("/groups")
@takes_parameters
def list_() -> Response:
    """List the groups by name."""
    return json_answer(lists.groups(enterprise_id(), parameters(), cursor_keys()))


@groups.get("/groups/<group_id>")
def show(group_id: str) -> Response:
    """Return a group."""
    return resource_answer(show_group(enterprise_id(), group_id))


@groups.get("/groups/<group_id>/members")
@takes_parameters
def members(group_id: str) -> Response:
    """List the members of a group in the order of joining."""
    return json_answer(lists.members(enterprise_id(), group_id, parameters(), cursor_keys()))
