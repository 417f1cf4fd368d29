"""The blueprint of integrations. Client secrets are shown only once."""

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
from scimsvc.web.state import caller, cursor_keys

integrations = api_blueprint("integrations")


@integrations.get("/integrations")
@takes_parameters
def list_() -> Response:
    """List the integrations."""
    return json_answer(lists.integrations(enterprise_id(), parameters(), cursor_keys()))


@integrations.post("/integrations")
def create() -> Response:
    """Create an integration. The response contains its client secret."""
    return created_answer(services.create_integration(enterprise_id(), read_object(), issuer=caller()), "integrations")


@integrations.get("/integrations/<integration_id>")
def show(integration_id: str) -> Response:
    """Return an integration."""
    return resource_answer(services.show_integration(enterprise_id(), integration_id))


@integrations.patch("/integrations/<integration_id>")
def update(integration_id: str) -> Response:
    """Rename an integration, narrow its scope, or set its provider."""
    return resource_answer(
        services.update_integration(enterprise_id(), integration_id, read_object(), if_match=if_match())
    )


@integrations.delete("/integrations/<integration_id>")
def revoke(integration_id: str) -> Response:
    """Delete an integration and revoke its tokens. The response warns if it was the last one."""
    return json_answer(services.revoke_integration(enterprise_id(), integration_id, if_match=if_match()))


@integrations.post("/integrations/<integration_id>/rotate")
def rotate(integration_id: str) -> Response:
    """Create a new client secret. The old secret can stay valid for some hours."""
    members = read_optional_object()
    return json_answer(services.rotate_secret(enterprise_id(), integration_id, members, issuer=caller()))
