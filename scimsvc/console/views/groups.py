"""The blueprint of groups and their members, which only SCIM changes."""

from flask import request

from scimsvc.console.pages import Answer, enterprise_blueprint, enterprise_id, page, parameters
from scimsvc.enterprises.groups import show_group
from scimsvc.reports import lists
from scimsvc.web.state import cursor_keys

groups = enterprise_blueprint("groups")

PAGE_LENGTH = "50"


@groups.get("/groups")
def list_() -> Answer:
    """List the groups that meet the search. With ``part``, return only the list, for the script of the page."""
    filters = parameters("search")
    query = {**filters, **parameters("cursor"), "limit": PAGE_LENGTH}
    group_page = lists.groups(enterprise_id(), query, cursor_keys())
    template = "groups_found.html" if "part" in request.args else "groups.html"
    return page(template, group_page=group_page, filters=filters)


@groups.get("/groups/<group_id>")
def show(group_id: str) -> Answer:
    """Show a group with a page of its members."""
    query = {**parameters("cursor"), "limit": PAGE_LENGTH}
    group = show_group(enterprise_id(), group_id)
    return page("group.html", group=group, member_page=lists.members(enterprise_id(), group_id, query, cursor_keys()))
