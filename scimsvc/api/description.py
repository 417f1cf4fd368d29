"""The blueprint of the OpenAPI description."""

from flask import Response

from scimsvc.api.messages import api_blueprint, json_answer
from scimsvc.web.urls import api_url

description = api_blueprint("description")


@description.get("/openapi.json")
def openapi() -> Response:
    """Return the OpenAPI description of the enterprise API."""
    from scimsvc.api.openapi import describe  # importing it creates every schema of the API

    return json_answer(describe() | {"servers": [{"url": api_url()}]})
