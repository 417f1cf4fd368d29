"""The blueprint of the API's own description."""

from flask import Blueprint, Response

from scimsvc.services.openapi import describe
from scimsvc.web.api.messages import answered
from scimsvc.web.paths import API_PREFIX

description = Blueprint("api_description", __name__, url_prefix=API_PREFIX)


@description.get("/openapi.json")
def openapi() -> Response:
    """Describe the enterprise API by OpenAPI."""
    return answered(describe())
