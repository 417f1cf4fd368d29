"""The blueprint of custom attributes."""

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
from scimsvc.enterprises import attributes as services
from scimsvc.reports import lists
from scimsvc.web.state import cursor_keys

attributes = api_blueprint("attributes")


@attributes.get("/attributes")
@takes_parameters
def list_() -> Response:
    """List the custom attributes."""
    return json_answer(lists.attributes(enterprise_id(), parameters(), cursor_keys()))


@attributes.post("/attributes")
def add() -> Response:
    """Declare a custom attribute."""
    return created_answer(services.create_attribute(enterprise_id(), read_object()), "attributes")


@attributes.get("/attributes/<attribute_id>")
def show(attribute_id: str) -> Response:
    """Return a custom attribute."""
    return resource_answer(services.show_attribute(enterprise_id(), attribute_id))


@attributes.delete("/attributes/<attribute_id>")
def remove(attribute_id: str) -> Response:
    """Remove a custom attribute and its values. Answers 202 with the attribute if values are left."""
    attribute = services.remove_attribute(enterprise_id(), attribute_id, if_match=if_match())
    return json_answer(attribute, 202) if attribute["removing"] else empty_answer()
