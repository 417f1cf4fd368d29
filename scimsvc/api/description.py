"""The blueprint of the API's own description."""

from flask import Response, g

from scimsvc.api.messages import answered, api_blueprint
from scimsvc.api.openapi import describe

description = api_blueprint("description")


@description.get("/openapi.json")
def openapi() -> Response:
    """Describe the enterprise API by OpenAPI."""
    return answered(describe() | {"servers": [{"url": g.api_url}]})
