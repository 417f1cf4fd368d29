"""The blueprint of Groups (RFC 7644 §3, contract section 5a)."""

from flask import Blueprint, Response, request

from scimsvc.paths import SCIM_PREFIX
from scimsvc.protocol.groups import GROUPS, MEMBERS
from scimsvc.protocol.listing import ListQuery, read_list_query, read_parameters, read_search_request
from scimsvc.protocol.versions import UNCONDITIONAL
from scimsvc.scim import groups
from scimsvc.scim.group_lists import list_groups
from scimsvc.scim.http import (
    empty_response,
    group_response,
    group_selection,
    not_modified,
    preconditions,
    read_body,
    scim_request,
    text_response,
)
from scimsvc.web.state import cursor_keys, limits

scim_groups = Blueprint("scim_groups", __name__, url_prefix=f"{SCIM_PREFIX}/Groups")


@scim_groups.post("")
def create_group() -> Response:
    """Create a group (RFC 7644 §3.3)."""
    group = groups.create_group(scim_request(), read_body(), with_members=_answers_members())
    response = group_response(group, 201)
    response.headers.add("Location", group.location)
    return response


@scim_groups.get("")
def list_() -> Response:
    """List groups (RFC 7644 §3.4.2)."""
    return _list(read_list_query(read_parameters(dict(request.args.lists())), GROUPS, limits()))


@scim_groups.post("/.search")
def search() -> Response:
    """List groups by the query in the body (RFC 7644 §3.4.3)."""
    return _list(read_search_request(read_body(), GROUPS, scim_request().notes))


def _list(query: ListQuery) -> Response:
    scim = scim_request()
    scim.attempt.query, scim.attempt.is_of_group = query, True
    return text_response(list_groups(scim, query, cursor_keys()))


@scim_groups.get("/<path:group_id>")
def get_group(group_id: str) -> Response:
    """Return one group (RFC 7644 §3.4.1)."""
    scim = scim_request()
    if preconditions() is not UNCONDITIONAL:  # the version is known without the members
        unchanged = not_modified(groups.get_group(scim, group_id, with_members=False))
        if unchanged is not None:
            return unchanged
    return group_response(groups.get_group(scim, group_id, with_members=_answers_members()))


@scim_groups.put("/<path:group_id>")
def replace_group(group_id: str) -> Response:
    """Replace a group (RFC 7644 §3.5.1)."""
    group = groups.replace_group(
        scim_request(), group_id, read_body(), preconditions(), with_members=_answers_members()
    )
    response = group_response(group)
    response.headers.add("Content-Location", group.location)
    return response


@scim_groups.patch("/<path:group_id>")
def patch_group(group_id: str) -> Response:
    """Change a group (RFC 7644 §3.5.2). The answer has a body only if the request selects attributes."""
    selects = any(any(request.args.getlist(name)) for name in ("attributes", "excludedAttributes"))
    group = groups.patch_group(
        scim_request(),
        group_id,
        read_body(),
        preconditions(),
        with_members=selects and _answers_members(),
        status=200 if selects else 204,
    )
    response = group_response(group) if selects else empty_response()
    if not selects:
        response.headers.add("ETag", group.entity_tag)
    response.headers.add("Content-Location", group.location)
    return response


@scim_groups.delete("/<path:group_id>")
def delete_group(group_id: str) -> Response:
    """Delete a group (RFC 7644 §3.6)."""
    groups.delete_group(scim_request(), group_id, preconditions())
    return empty_response()


def _answers_members() -> bool:
    return group_selection().includes(MEMBERS.name)
