"""The blueprint of discovery: ServiceProviderConfig, ResourceTypes and Schemas (RFC 7644 §4)."""

from typing import Any

from flask import Blueprint, Response, request

from scimsvc.mapping.roles import list_roles
from scimsvc.paths import SCIM_PREFIX
from scimsvc.protocol import discovery as documents
from scimsvc.protocol.errors import Forbidden, NotFound, listed, quoted
from scimsvc.protocol.groups import GROUPS
from scimsvc.protocol.json_text import write_json
from scimsvc.protocol.messages import list_response
from scimsvc.protocol.resource_types import ResourceType
from scimsvc.scim.http import json_response, text_response
from scimsvc.web.state import caller, limits
from scimsvc.web.urls import tenant_url

discovery = Blueprint("discovery", __name__, url_prefix=SCIM_PREFIX)


@discovery.get("/ServiceProviderConfig")
def service_provider_config() -> Response:
    """Return the features of SCIM that this service supports."""
    _refuse_filter()
    return json_response(documents.service_provider_config(tenant_url(), limits()))


@discovery.get("/ServiceProviderConfig/<path:name>")
def service_provider_config_by_id(name: str) -> Response:
    """Return the configuration by its name."""
    return _one([documents.service_provider_config(tenant_url(), limits())], name, "Configuration")


@discovery.get("/ResourceTypes")
def resource_types() -> Response:
    """List the resource types."""
    return _list(documents.resource_types(tenant_url(), _types()))


@discovery.get("/ResourceTypes/<path:name>")
def resource_type(name: str) -> Response:
    """Return one resource type."""
    return _one(documents.resource_types(tenant_url(), _types()), name, "Resource type")


@discovery.get("/Schemas")
def schemas() -> Response:
    """List the schemas with the role names and the uniqueness rules of the caller's enterprise."""
    return _list(_schemas())


@discovery.get("/Schemas/<path:urn>")
def schema(urn: str) -> Response:
    """Return one schema."""
    return _one(_schemas(), urn, "Schema")


def _schemas() -> list[dict[str, Any]]:
    names = sorted(role["name"] for role in list_roles(caller().enterprise_id))
    settings = caller().settings
    return documents.schemas(
        tenant_url(),
        _types(),
        unique_user_name=settings.unique_user_name,
        unique_group_name=settings.unique_group_name,
        role_names=names,
    )


def _types() -> list[ResourceType]:
    return [caller().user_type, GROUPS]


def _refuse_filter() -> None:
    """Raise ``Forbidden`` if the request has a filter (RFC 7644 §4)."""
    if any(request.args.getlist("filter")):
        raise Forbidden(
            "Discovery endpoints do not support filters. Send the request without a filter (RFC 7644 section 4)."
        )


def _list(resources: list[dict[str, Any]]) -> Response:
    _refuse_filter()
    return text_response(list_response(list(map(write_json, resources)), total=len(resources), start_index=1))


def _one(resources: list[dict[str, Any]], identifier: str, kind: str) -> Response:
    _refuse_filter()
    resource = documents.find_by_id(resources, identifier)
    if resource is None:
        known = listed(each["id"] for each in resources)
        raise NotFound(f"{kind} {quoted(identifier)} does not exist. Use one of {known}.")
    return json_response(resource)
