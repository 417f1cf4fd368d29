"""The blueprint of users: list all users, manage manual users, and edit profiles."""

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
from scimsvc.enterprises import manual_users, profiles
from scimsvc.reports import lists
from scimsvc.web.state import cursor_keys

users = api_blueprint("users")


@users.get("/users")
@takes_parameters
def list_() -> Response:
    """List users by e-mail address."""
    return json_answer(lists.users(enterprise_id(), parameters(), cursor_keys()))


@users.post("/users")
def create() -> Response:
    """Create a manual user."""
    return created_answer(manual_users.create_manual_user(enterprise_id(), read_object()), "users")


@users.get("/users/<user_id>")
def show(user_id: str) -> Response:
    """Return a user."""
    return resource_answer(profiles.show_user(enterprise_id(), user_id))


@users.patch("/users/<user_id>")
def update(user_id: str) -> Response:
    """Change a manual user."""
    return resource_answer(
        manual_users.update_manual_user(enterprise_id(), user_id, read_object(), if_match=if_match())
    )


@users.delete("/users/<user_id>")
def delete(user_id: str) -> Response:
    """Delete a manual user."""
    manual_users.delete_manual_user(enterprise_id(), user_id, if_match=if_match())
    return empty_answer()


@users.patch("/users/<user_id>/profile")
def edit_profile(user_id: str) -> Response:
    """Change title and organization as an edit by the user."""
    return resource_answer(profiles.edit_profile(enterprise_id(), user_id, read_object(), if_match=if_match()))
