"""The blueprint of integrations, whose secrets are shown once."""

from flask import Response

from scimsvc.api.messages import (
    answered,
    api_blueprint,
    created,
    enterprise_id,
    if_match,
    parameters,
    read_object,
    read_optional_object,
    shown,
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
    return answered(lists.integrations(enterprise_id(), parameters(), cursor_keys()))


@integrations.post("/integrations")
def create() -> Response:
    """Make one; the answer has its secret."""
    return created(services.create_integration(enterprise_id(), read_object()), "integrations")


@integrations.get("/integrations/<integration_id>")
def show(integration_id: str) -> Response:
    """Show one."""
    return shown(services.show_integration(enterprise_id(), integration_id))


@integrations.patch("/integrations/<integration_id>")
def rename(integration_id: str) -> Response:
    """Give one another name."""
    return shown(services.rename_integration(enterprise_id(), integration_id, read_object(), if_match=if_match()))


@integrations.delete("/integrations/<integration_id>")
def revoke(integration_id: str) -> Response:
    """End one with all of its tokens; the answer warns where it was the last."""
    return answered(services.revoke_integration(enterprise_id(), integration_id, if_match=if_match()))


@integrations.post("/integrations/<integration_id>/rotate")
def rotate(integration_id: str) -> Response:
    """Make a new secret, which the answer has; the old one may stay good for a while."""
    return answered(services.rotate_secret(enterprise_id(), integration_id, read_optional_object()))
