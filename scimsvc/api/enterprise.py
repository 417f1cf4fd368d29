"""The blueprint of the enterprise settings."""

from flask import Response

from scimsvc.api.messages import api_blueprint, enterprise_id, if_match, read_object, resource_answer
from scimsvc.enterprises import enterprises

enterprise = api_blueprint("enterprise")


@enterprise.get("/enterprise")
def show() -> Response:
    """Return the enterprise settings."""
    return resource_answer(enterprises.show_enterprise(enterprise_id()))


@enterprise.patch("/enterprise")
def update() -> Response:
    """Change enterprise settings."""
    return resource_answer(enterprises.update_enterprise(enterprise_id(), read_object(), if_match=if_match()))
