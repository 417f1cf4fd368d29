"""The blueprint of integrations, whose secrets are shown once."""

from flask import Response

from scimsvc.api.messages import (
    api_blueprint,
    created_answer,
    enterprise_id,
    if_match,
    json_answer,
    parameters,
    read_object,
    read_optional_object,
    resource_answer,
    takes_parameters,
)
from scimsvc.auth import clients as services
from scimsvc.reports import lists
from scimsvc.web.state import cursor_keys

integrations = api_blueprint("integrations")


@integrations.get("/integrations")
@takes_parameters
def list_() -> Response:
    """List the integrations that are good."""
    return json_answer(lists.integrations(enterprise_id(), parameters(), cursor_keys()))


@integrations.post("/integrations")
def create() -> Response:
    """Make one; the answer has its secret."""
    return created_answer(services.create_integration(enterprise_id(), read_object()), "integrations")


@integrations.get("/integrations/<integration_id>")
def show(integration_id: str) -> Response:
    """Show one."""
    return resource_answer(services.show_integration(enterprise_id(), integration_id))


@integrations.patch("/integrations/<integration_id>")
def rename(integration_id: str) -> Response:
    """Give one another name."""
    return resource_answer(
        services.rename_integration(enterprise_id(), integration_id, read_object(), if_match=if_match())
    )


@integrations.delete("/integrations/<integration_id>")
def revoke(integration_id: str) -> Response:
    """End one with all of its tokens; the answer warns where it was the last."""
    return json_answer(services.revoke_integration(enterprise_id(), integration_id, if_match=if_match()))


@integrations.post("/integrations/<integration_id>/rotate")
def rotate(integration_id: str) -> Response:
    """Make a new secret, which the answer has; the old one may stay good for a while."""
    return json_answer(services.rotate_secret(enterprise_id(), integration_id, read_optional_object()))
