"""The blueprint of Users, Bulk and the placeholder for Me (RFC 7644 §3). ``group_blueprint`` has Groups."""

from flask import Blueprint, Response, request

from scimsvc.paths import SCIM_PREFIX
from scimsvc.protocol.bulk import read_bulk_request
from scimsvc.protocol.errors import NotImplementedHere
from scimsvc.protocol.listing import (
    ListQuery,
    read_list_query,
    read_parameters,
    read_search_parameters,
    read_search_request,
)
from scimsvc.protocol.messages import Representation
from scimsvc.scim import users
from scimsvc.scim.bulk import run_bulk
from scimsvc.scim.http import (
    empty_response,
    json_response,
    not_modified,
    preconditions,
    read_body,
    scim_request,
    text_response,
    user_response,
)
from scimsvc.scim.lists import list_users
from scimsvc.scim.request import ScimRequest
from scimsvc.scim.root_lists import list_resources
from scimsvc.web.state import cursor_keys, request_state

scim = Blueprint("scim", __name__, url_prefix=SCIM_PREFIX)


@scim.post("/Users")
def create_user() -> Response:
    """Create a user (RFC 7644 §3.3)."""
    user = users.create_user(scim_request(), read_body())
    response = user_response(user, 201)
    response.headers.add("Location", user.location)
    return response


@scim.get("")
def list_root() -> Response:
    """List users and groups (RFC 7644 §3.4.2.1)."""
    return text_response(list_resources(scim_request(), read_parameters(dict(request.args.lists())), cursor_keys()))


@scim.post("/.search")
def search_resources() -> Response:
    """List users and groups by the query in the body (RFC 7644 §3.4.3)."""
    listing = scim_request()
    return text_response(list_resources(listing, read_search_parameters(read_body(), listing.notes), cursor_keys()))


@scim.get("/Users")
def list_() -> Response:
    """List users (RFC 7644 §3.4.2)."""
    listing = scim_request()
    parameters = read_parameters(dict(request.args.lists()))
    return _list(listing, read_list_query(parameters, listing.caller.user_type, listing.notes.limits))


@scim.post("/Users/.search")
def search() -> Response:
    """List users by the query in the body (RFC 7644 §3.4.3)."""
    listing = scim_request()
    return _list(listing, read_search_request(read_body(), listing.caller.user_type, listing.notes))


@scim.post("/Bulk")
def bulk() -> Response:
    """Run many operations (RFC 7644 §3.7)."""
    request = scim_request()
    return json_response(run_bulk(request, read_bulk_request(read_body(), request.notes)))


def _list(listing: ScimRequest, query: ListQuery) -> Response:
    listing.attempt.query = query
    if query.tolerances:
        listing.notes.tolerate_all(query.tolerances)
    return text_response(list_users(listing, query, cursor_keys()))


@scim.get("/Users/<path:user_id>")
def get_user(user_id: str) -> Response:
    """Return one user (RFC 7644 §3.4.1)."""
    user = users.get_user(scim_request(), user_id)
    unchanged = not_modified(user)
    if unchanged is None:
        return user_response(user)
    request_state().confirmed = (user.id,)
    return unchanged


@scim.put("/Users/<path:user_id>")
def replace_user(user_id: str) -> Response:
    """Replace a user (RFC 7644 §3.5.1)."""
    user = users.replace_user(scim_request(), user_id, read_body(), preconditions())
    return _changed(user)


@scim.patch("/Users/<path:user_id>")
def patch_user(user_id: str) -> Response:
    """Change a user (RFC 7644 §3.5.2)."""
    user = users.patch_user(scim_request(), user_id, read_body(), preconditions())
    return _changed(user)


def _changed(user: Representation) -> Response:
    response = user_response(user)
    response.headers.add("Content-Location", user.location)
    return response


@scim.delete("/Users/<path:user_id>")
def delete_user(user_id: str) -> Response:
    """Delete a user (RFC 7644 §3.6)."""
    users.delete_user(scim_request(), user_id, preconditions())
    return empty_response()


@scim.route("/Me", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def me() -> Response:
    """Refuse the alias of the authenticated user, because a SCIM token identifies a client (RFC 7644 §3.11)."""
    raise NotImplementedHere(
        "/Me is not supported, because a SCIM token identifies a client and not a user. Use /Users/{id}."
    )
